//! Merges settings into the command of a service.
//!
//! A command is cut into pieces: a flag with its value, in whatever spelling, or one word that is nothing of ours.
//! Only pieces whose flag is set are touched.

use super::How;
use super::Setting;
use super::Stated;
use crate::input::catalog::image_name;
use crate::model::Software;

/// A flag with its value, or a word.
struct Piece<'a> {
    /// Name of the flag as [`Setting::name`] has it; `None` for what is nothing of ours.
    flag: Option<&'a str>,
    words: &'a [String],
}

/// The words of a command that was given as one text, as a shell cuts it; `None` where a quote is not closed.
///
/// Variables are not filled in here: text with a `${…}` that holds spaces has to be filled in first.
#[must_use]
pub fn words(text: &str) -> Option<Vec<String>> {
    shlex::split(text)
}

/// The words as one text that a shell cuts into the same words; `None` where a word holds a NUL byte.
#[must_use]
pub fn line(words: &[String]) -> Option<String> {
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

/// The command with all settings that are [`How::Argument`]. A flag that is there already, in any spelling, is replaced
/// where it stands, or left where the setting says [`Stated::Kept`]; what is missing comes last; all else stays as it
/// is, in its order. Merging twice is merging once.
///
/// A service without a command starts with that of its image, see [`start`]. The answer is `None` where the command is
/// not the program itself, such as a shell with a script: it cannot be merged, and the settings have to be written by
/// hand.
#[must_use]
pub fn command(software: Software, existing: &[String], settings: &[Setting]) -> Option<Vec<String>> {
    let settings: Vec<&Setting> = settings.iter().filter(|setting| setting.how == How::Argument).collect();
    if settings.is_empty() {
        return Some(existing.to_vec());
    }
    let pieces = pieces(software, existing, &settings)?;
    let mut written: Vec<&str> = Vec::new();
    let mut merged: Vec<String> = Vec::new();
    for piece in &pieces {
        let set: Vec<&Setting> = settings.iter().copied().filter(|set| piece.flag == Some(&set.name)).collect();
        match set.first() {
            None => merged.extend_from_slice(piece.words),
            Some(first) if first.stated == Stated::Kept => merged.extend_from_slice(piece.words),
            // A second one would win over the first, so only one is left.
            Some(first) if written.contains(&first.name.as_str()) => {}
            Some(first) => {
                written.push(&first.name);
                merged.extend(set.iter().flat_map(|setting| spelled(software, setting)));
            }
        }
    }
    let there = |setting: &&&Setting| pieces.iter().any(|piece| piece.flag == Some(&setting.name));
    merged.extend(settings.iter().filter(|setting| !there(setting)).flat_map(|setting| spelled(software, setting)));
    Some(merged)
}

/// The value that a command states for a setting by its name, such as `max_connections`; the last where there are
/// several, as the software has it. A short flag's value comes without its unit, which is pages of 8 kB for `-B` and kB
/// for `-S` of PostgreSQL.
#[must_use]
pub fn stated(software: Software, existing: &[String], name: &str) -> Option<String> {
    let asked = Setting::argument(name, "", "");
    let pieces = pieces(software, existing, &[&asked])?;
    let words = pieces.iter().rfind(|piece| piece.flag == Some(name))?.words;
    let value = match (software, words) {
        (Software::Redis, [_, values @ ..]) => return Some(values.join(" ")),
        (Software::Postgres, [.., last]) => {
            let short = SHORT.iter().find_map(|(flag, _)| last.strip_prefix(flag));
            last.split_once('=').map_or(short.unwrap_or(last), |(_, value)| value)
        }
        (_, [one]) => one.split_once('=').map_or("", |(_, value)| value),
        (_, [.., value]) => value,
        (_, []) => "",
    };
    Some(value.to_owned())
}

/// What a service without a command starts with, where that is known of its image, whatever registry, tag and digest it
/// is named with. Other images of the same software start with scripts of their own, which a command would replace.
///
/// The images of MySQL and MariaDB put the name of their program, which differs, before flags; that of Prometheus has it
/// in its entry point, but its flags are lost with a command. Those made from the image of PostgreSQL start as it does.
#[must_use]
pub fn start(image: &str) -> Option<Vec<String>> {
    let words: &[&str] = match image_name(image) {
        "postgres" | "postgis/postgis" | "pgvector/pgvector" | "timescale/timescaledb" => &["postgres"],
        "mysql" | "mariadb" | "percona" => &[],
        "mongo" => &["mongod"],
        "redis" => &["redis-server"],
        "valkey/valkey" => &["valkey-server"],
        "prom/prometheus" | "prometheus/prometheus" => {
            &["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
        }
        _ => return None,
    };
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

/// Names of the program itself. Flags alone are for it as well: every official image puts its name before them.
const fn programs(software: Software) -> &'static [&'static str] {
    match software {
        Software::Postgres => &["postgres", "postmaster"],
        Software::Redis => &["redis-server", "valkey-server", "keydb-server"],
        Software::MongoDb => &["mongod"],
        Software::MySql => &["mysqld", "mariadbd"],
        Software::Prometheus => &["prometheus"],
        _ => &[],
    }
}

/// Short flags of PostgreSQL; their values are in pages, in connections and in kB.
const SHORT: [(&str, &str); 3] = [("-B", "shared_buffers"), ("-N", "max_connections"), ("-S", "work_mem")];

fn pieces<'a>(software: Software, existing: &'a [String], settings: &[&'a Setting]) -> Option<Vec<Piece<'a>>> {
    let mut rest = existing;
    let mut pieces = Vec::new();
    match rest {
        [first, after @ ..] if !first.starts_with('-') => {
            let name = first.rsplit('/').next().unwrap_or(first);
            if !programs(software).contains(&name) {
                return None;
            }
            pieces.push(Piece { flag: None, words: &rest[..1] });
            rest = after;
        }
        _ => {}
    }
    while !rest.is_empty() {
        let (name, length) = match software {
            Software::Postgres => postgres(rest),
            Software::Redis => redis(rest),
            _ => long(rest),
        };
        let known = |setting: &&&Setting| canonical(software, &setting.name) == canonical(software, &name);
        let flag = settings.iter().find(known).map(|setting| setting.name.as_str());
        // A flag that is not ours may be a mere switch, so the word after it is looked at for itself.
        let (words, after) = rest.split_at(if flag.is_some() { length } else { 1 });
        pieces.push(Piece { flag, words });
        rest = after;
    }
    Some(pieces)
}

/// Name and number of words of `-c a=b`, `-ca=b`, `--a=b`, `-B 1024` or `-B1024`. PostgreSQL refuses `--a b`.
fn postgres(words: &[String]) -> (String, usize) {
    let (first, next) = (words[0].as_str(), words.get(1).map(String::as_str));
    let name = |assignment: &str| assignment.split_once('=').map_or("", |(name, _)| name).to_owned();
    if let Some((flag, long)) = SHORT.iter().find(|(flag, _)| first.starts_with(flag)) {
        return (if next.is_none() && first == *flag { "" } else { long }.to_owned(), 1 + usize::from(first == *flag));
    }
    match (first, next) {
        ("-c", Some(next)) => (name(next), 2),
        _ => (name(first.strip_prefix("--").or_else(|| first.strip_prefix("-c")).unwrap_or("")), 1),
    }
}

/// Name and number of words of `--a b c`: all up to the next flag.
fn redis(words: &[String]) -> (String, usize) {
    let values = words[1..].iter().take_while(|word| !word.starts_with("--")).count();
    (words[0].strip_prefix("--").unwrap_or("").to_owned(), 1 + values)
}

/// Name and number of words of `--a=b` or `--a b`.
fn long(words: &[String]) -> (String, usize) {
    let Some(flag) = words[0].strip_prefix("--") else { return (String::new(), 1) };
    match flag.split_once('=') {
        Some((name, _)) => (name.to_owned(), 1),
        None => (flag.to_owned(), 1 + usize::from(words.get(1).is_some_and(|next| !next.starts_with('-')))),
    }
}

/// A name in the one spelling that all spellings of it share.
fn canonical(software: Software, name: &str) -> String {
    match software {
        Software::Postgres => name.replace('-', "_").to_ascii_lowercase(),
        Software::MySql => {
            let name = name.replace('_', "-").to_ascii_lowercase();
            name.strip_prefix("loose-").unwrap_or(&name).to_owned()
        }
        Software::Redis => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

fn spelled(software: Software, setting: &Setting) -> Vec<String> {
    let Setting { name, value, .. } = setting;
    match software {
        Software::Postgres => vec!["-c".to_owned(), format!("{name}={value}")],
        Software::Redis => {
            let values = value.split(' ').map(str::to_owned);
            std::iter::once(format!("--{name}")).chain(values).collect()
        }
        Software::MongoDb => vec![format!("--{name}"), value.clone()],
        _ => vec![format!("--{name}={value}")],
    }
}
