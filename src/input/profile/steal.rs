//! Steal as a profile writes it: a share, or bursts around a mean.

use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::model::StealBursts;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// CPU time that other guests of the same machine take away.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StealFile {
    /// Always the same share.
    Always(Percent),
    /// A mean with bursts.
    Bursts(BurstsFile),
}

/// Steal that comes in bursts at random times. Between them it is as much as makes up the mean.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstsFile {
    /// Over a long time.
    pub mean: Percent,
    /// In a burst.
    pub burst: Percent,
    /// Mean time from the begin of a burst to the begin of the next.
    pub every: Duration,
    /// Mean length of a burst.
    pub lasts: Duration,
}

impl StealFile {
    /// The mean, and the bursts where there are some; `wrong` takes what is wrong with a key below `steal`.
    pub(super) fn steal(self, mut wrong: impl FnMut(&str, String)) -> (Permille, Option<StealBursts>) {
        let file = match self {
            Self::Always(share) => return (share.0, None),
            Self::Bursts(file) => file,
        };
        let (mean, bursts) =
            (file.mean.0, StealBursts { burst: file.burst.0, every: file.every.0, lasts: file.lasts.0 });
        if bursts.lasts == Span::ZERO {
            wrong("/lasts", "a burst lasts for some time".to_owned());
        } else if bursts.every <= bursts.lasts {
            let message = format!("bursts of {} every {} leave no time between them", bursts.lasts, bursts.every);
            wrong("/every", message);
        } else if bursts.burst >= Permille::ONE {
            wrong("/burst", format!("a steal of {} leaves no CPU", bursts.burst));
        } else if bursts.burst < mean {
            wrong("/burst", format!("bursts of {} are below the mean of {mean}", bursts.burst));
        } else if bursts.between(mean) < 0.0 {
            let least = bursts.in_bursts() * 100.0;
            let message = format!("the bursts alone make up {least:.2}%, more than the mean of {mean}");
            wrong("/mean", message);
        }
        (mean, Some(bursts))
    }
}
