//! A deployment whose carrier was ended in the middle: on or back, by what its journal says and what is seen.

use super::change;
use super::change::Entry;
use super::change::Opening;
use super::deploy::Ending;
use super::deploy::Live;
use super::deploy::Told;
use super::deploy::deploy;
use crate::audit::RolloutAudit;
use crate::engine::Rollout;
use crate::model::Generation;
use crate::model::GenerationsSeen;
use crate::model::InstanceState;
use crate::model::OnFailure;
use crate::units::Span;
use crate::world::live::docker::CallError;
use crate::world::live::generations::Replaced;
use crate::world::live::journal::JournalError;

/// Why it could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The engine refused something, or does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What is to be done could not be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes an end of a deployment. One that never began leaves nothing behind but what it may have made.
///
/// # Errors
/// [`RecoverError`]; it can be tried again.
pub async fn recover(
    opening: &Opening,
    entries: &[Entry],
    host: &mut Replaced<'_>,
    live: &mut Live<'_>,
    who: &str,
) -> Result<Ending, RecoverError> {
    let mut deployment = opening.deployment.clone();
    let grace = deployment.update.stop_grace;
    let Some((total, limits)) = change::wanted(entries) else {
        host.settle(Generation::Old, grace).await?;
        return Ok(Ending::RolledBack("it was ended before it began".to_owned()));
    };
    let now = live.clock.now();
    let seen = host.look(now).await?;
    let towards = way(change::way_from(&deployment, entries), total, &seen);
    live.write(&Entry::Resumed { at: now, who: who.to_owned(), towards })?;
    let word = if towards == Generation::New { "on to the new instances" } else { "back to the old ones" };
    (live.tell)(now, Told::Note(&format!("{} was ended in the middle; going {word}", opening.id)));
    host.settle(towards, grace).await?;
    // Whoever gets names anew is given the time that proxies take to see it.
    live.clock.until(live.clock.now().plus(Span::from_secs(2))).await;
    let seen = host.look(live.clock.now()).await?;
    deployment.update.on_failure = OnFailure::Rollback;
    let audit = RolloutAudit::resumed(&deployment, total, limits, towards, &seen);
    let ending = deploy(Rollout::resumed(deployment, total, limits, towards), audit, host, live).await?;
    Ok(match ending {
        Ending::RolledBack(_) => Ending::RolledBack(format!("{} was ended in the middle", opening.id)),
        other => other,
    })
}

/// The way that the journal names, as far as it can be gone: on needs new ones that are all well, back needs old ones.
fn way(towards: Generation, total: u32, seen: &GenerationsSeen) -> Generation {
    let well = seen.new.iter().filter(|one| one.state == InstanceState::Healthy && one.restarts == 0).count();
    let all_new = u32::try_from(well).is_ok_and(|well| well >= total);
    let any_old = !seen.old.is_empty() || !seen.aside.is_empty();
    match towards {
        Generation::New if all_new => Generation::New,
        _ if all_new && !any_old => Generation::New,
        _ => Generation::Old,
    }
}
