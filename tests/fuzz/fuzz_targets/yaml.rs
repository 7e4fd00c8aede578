//! YAML as all our formats read it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::input::problem::Source;
use plimsoll::input::yaml;

fuzz_target!(|bytes: &[u8]| {
    match Source::from_bytes("fuzz.yaml", bytes.to_vec()) {
        Ok(source) => match yaml::parse(&source) {
            Ok(node) => drop(node.to_json()),
            Err(problems) => assert!(!problems.render(100, false).is_empty()),
        },
        Err(problem) => assert!(!problem.message.is_empty()),
    }
});
