//! Whatever the bytes, every loader answers: with what it read or with what is wrong, never with a panic, in bounded time
//! and memory. Random bytes, valid files with damage done to them, bombs, deep nests and files of ten megabytes. The fuzz
//! targets of `tests/fuzz` call the same loaders for as long as one likes.

#[path = "hostile/loaders.rs"]
mod loaders;

use loaders::LOADERS;
use loaders::Loader;
use proptest::prelude::*;

/// One wound of a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut { at: usize, length: usize },
    Copy { at: usize, length: usize, to: usize },
    Insert { at: usize, word: &'static str },
    Byte { at: usize, value: u8 },
}

/// Words that mean something to one of the formats, where they least expect it.
const WORDS: [&str; 28] = [
    "\0",
    "\t",
    "\n",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: *a\n",
    "!reset ",
    "${",
    "${A:?b}",
    "$$",
    "\"",
    "'",
    "|\n",
    "---\n",
    "NaN",
    "-1",
    "1e999",
    "99999999999999999999",
    "\u{feff}",
    "é",
    "p95(",
    " of limit",
];

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0_usize..4096;
    prop_oneof![
        (at.clone(), 0_usize..64).prop_map(|(at, length)| Damage::Cut { at, length }),
        (at.clone(), 0_usize..64, at.clone()).prop_map(|(at, length, to)| Damage::Copy { at, length, to }),
        (at.clone(), proptest::sample::select(&WORDS[..])).prop_map(|(at, word)| Damage::Insert { at, word }),
        (at, any::<u8>()).prop_map(|(at, value)| Damage::Byte { at, value }),
    ]
}

fn damaged(sample: &str, wounds: &[Damage]) -> Vec<u8> {
    let mut bytes = sample.as_bytes().to_vec();
    for wound in wounds {
        let end = bytes.len();
        let within = |at: usize| if end == 0 { 0 } else { at % end };
        match *wound {
            Damage::Cut { at, length } => {
                let from = within(at);
                bytes.drain(from..(from + length).min(end));
            }
            Damage::Copy { at, length, to } => {
                let from = within(at);
                let part = bytes[from..(from + length).min(end)].to_vec();
                let to = within(to);
                bytes.splice(to..to, part);
            }
            Damage::Insert { at, word } => {
                let at = within(at);
                bytes.splice(at..at, word.bytes());
            }
            Damage::Byte { at, value } => {
                if let Some(byte) = bytes.get_mut(within(at)) {
                    *byte = value;
                }
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        for loader in &LOADERS {
            (loader.load)(&bytes);
        }
    }

    #[test]
    fn random_text_is_answered(text in "[a-z0-9:{}\\[\\]&*!|>'\"#%@,.\\-\n $()<=éµ]{0,200}") {
        for loader in &LOADERS {
            (loader.load)(text.as_bytes());
        }
    }

    #[test]
    fn damaged_files_are_answered(wounds in proptest::collection::vec(damage(), 1..6)) {
        for loader in &LOADERS {
            (loader.load)(&damaged(loader.sample, &wounds));
        }
    }
}

#[test]
fn the_samples_are_good_so_that_damage_reaches_deep() {
    for Loader { name, sample, load, .. } in LOADERS.iter().filter(|loader| !loader.sample.is_empty()) {
        assert!(load(sample.as_bytes()), "the sample of `{name}` is read");
    }
}

#[test]
fn bombs_and_deep_nests_are_answered() {
    let mut bomb = "scenario: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        bomb.push_str(&format!("k{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    let merges: String =
        (1..2000).map(|level| format!("m{level}: &m{level}\n  <<: *m{}\n  k{level}: 1\n", level - 1)).collect();
    let hostile = [
        String::new(),
        "\u{feff}".to_owned(),
        bomb,
        format!("m0: &m0 {{a: 1}}\n{merges}"),
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "(".repeat(100_000),
        "${A:-".repeat(50_000),
        format!("services: {{a: {{image: \"{}\"}}}}", "${A:-".repeat(20_000)),
        format!("a: {}", "&b ".repeat(10_000)),
        "k: |\n".to_owned() + &"  \n".repeat(100_000),
        "a,".repeat(100_000),
    ];
    for text in &hostile {
        for loader in &LOADERS {
            (loader.load)(text.as_bytes());
        }
    }
}

/// Ten megabytes of each kind of boredom; more than one error a line where a format has lines.
#[test]
fn large_files_are_answered() {
    const SIZE: usize = 10 << 20;
    let fill = |line: &str| line.repeat(SIZE / line.len());
    let numbered: String = (0..SIZE / 24).map(|number| format!("key_{number:08}: value\n")).collect();
    let large = [fill("a"), fill("- x\n"), fill("t_s,requests\n"), fill("0,nonsense\n"), numbered];
    for text in &large {
        for loader in LOADERS.iter().filter(|loader| loader.reads_large_files) {
            (loader.load)(text.as_bytes());
        }
    }
}
