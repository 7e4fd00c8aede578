//! Limits are whole numbers: CPU to a millicore, memory to a MiB; more rounds up, less rounds down.

use crate::stage::Stage;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::service;
use plimsoll::model::Limits;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;

/// The limits after one adjustment at these shares of use.
fn after(limits: Limits, percent: (u64, u64)) -> Limits {
    let mut stage = Stage::new(host([("api", service(limits))]), Vertical::default());
    stage.pass(3, percent);
    stage.limits("api")
}

#[test]
fn a_quarter_more_and_a_quarter_less_are_exact_to_the_unit() {
    // 333 × 1.25 = 416.25, 101 MiB × 1.25 = 126.25 MiB: up.
    assert_eq!(after(limits(333, 101), (95, 95)), limits(417, 127));
    // 333 × 0.75 = 249.75, 101 MiB × 0.75 = 75.75 MiB: down.
    assert_eq!(after(limits(333, 101), (10, 10)), limits(249, 75));
    assert_eq!(after(limits(1000, 512), (95, 95)), limits(1250, 640));
    assert_eq!(after(limits(1000, 512), (10, 10)), limits(750, 384));
}

#[test]
fn up_and_down_again_is_a_little_less_never_more() {
    // 1.25 × 0.75 = 0.9375.
    for start in [200, 1000, 1001, 3333, 6000] {
        let up = after(limits(start, 512), (95, 50));
        let down = after(up, (10, 50)).cpu.expect("a limit").get();
        assert!(down * 10_000 <= start * 9375 + 10_000, "{start} became {down}");
        assert!(down * 10_000 + 10_000 >= start * 9375, "{start} became {down}");
    }
}

#[test]
fn a_limit_in_odd_bytes_becomes_whole_mebibytes() {
    let odd = Limits { cpu: Some(Millicores::new(1000)), memory: Some(Bytes::new(100_000_001)) };
    // 125,000,001.25 bytes are 119.2 MiB; 75,000,000.75 are 71.5 MiB.
    assert_eq!(after(odd, (50, 95)).memory, Some(Bytes::mebi(120)));
    assert_eq!(after(odd, (50, 10)).memory, Some(Bytes::mebi(71)));
}

#[test]
fn six_steps_up_meet_the_arithmetic_of_the_documents() {
    // 100 → 125 → 157 (156.25) → 197 (196.25) → 247 (246.25) → 309 (308.75) → 387 (386.25).
    let mut stage = Stage::new(host([("api", service(limits(100, 512)))]), Vertical::default());
    let mut seen = Vec::new();
    for _ in 0..12 * 4 {
        if !stage.check((95, 50)).actions.is_empty() {
            seen.push(stage.limits("api").cpu.expect("a limit").get());
        }
    }
    assert_eq!(seen, [125, 157, 197, 247, 309, 387]);
}
