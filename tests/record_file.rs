//! Records as files: what is written is read back, the same events give the same bytes, damage is refused with a line.

mod report_day;

use plimsoll::record::Compression;
use plimsoll::record::Event;
use plimsoll::record::Reader;
use plimsoll::record::RecordError;
use plimsoll::record::Writer;
use plimsoll::units::Span;
use proptest::prelude::*;
use std::io::Cursor;

fn events(minutes: u64) -> Vec<Event> {
    let mut events = Vec::new();
    report_day::play(1, Span::from_mins(minutes), &mut |event| events.push(event.clone()));
    events
}

fn written(events: &[Event], compression: Compression) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), compression);
    for event in events {
        writer.push(event).expect("memory is never full");
    }
    writer.finish().expect("memory is never full")
}

fn read(bytes: &[u8]) -> Result<Vec<Event>, RecordError> {
    Reader::new(Cursor::new(bytes.to_vec()))?.collect()
}

#[test]
fn a_record_is_read_back_as_it_was_written_plain_and_compressed() {
    let events = events(90);
    for compression in [Compression::None, Compression::Gzip] {
        let bytes = written(&events, compression);
        assert_eq!(bytes, written(&events, compression), "the same events give the same bytes");
        assert_eq!(read(&bytes).expect("a whole record"), events);
    }
}

#[test]
fn a_record_that_was_cut_says_after_which_line() {
    let events = events(12);
    let bytes = written(&events, Compression::None);
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let whole: usize = lines[..5].iter().map(|line| line.len()).sum();
    for end in [whole, whole + lines[5].len() / 2] {
        let error = read(&bytes[..end]).expect_err("no end");
        assert!(matches!(error, RecordError::Cut { line: 5 }), "{error}");
    }
    let packed = written(&events, Compression::Gzip);
    for end in [packed.len() / 2, packed.len() - 1] {
        assert!(read(&packed[..end]).is_err(), "gzip cut at {end}");
    }
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl std::io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| std::io::Error::other("the disk is full"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_compressed_or_not() {
    let events = events(600);
    for compression in [Compression::None, Compression::Gzip] {
        let mut writer = Writer::new(Disk(1000), compression);
        let pushed = events.iter().try_for_each(|event| writer.push(event));
        let error = pushed.and_then(|()| writer.finish().map(|_| ())).expect_err("no room");
        assert_eq!(error.to_string(), "the disk is full");
    }
}

#[test]
fn a_newer_record_is_refused_by_its_version_whatever_else_is_in_it() {
    let line = br#"{"Began":{"format_version":7,"plimsoll_version":"9.1.0","cargo":[1,2]}}"#;
    let error = read(line).expect_err("from the future").to_string();
    assert!(error.contains("version 7") && error.contains("9.1.0"), "{error}");
}

#[test]
fn lines_out_of_order_are_refused_with_their_number() {
    let events = events(12);
    let swapped = |a: usize, b: usize| {
        let mut events = events.clone();
        events.swap(a, b);
        read(&written(&events, Compression::None)).expect_err("out of order")
    };
    assert!(matches!(swapped(0, 1), RecordError::Line { line: 1, .. } | RecordError::Order { line: 1, .. }));
    assert!(matches!(swapped(2, 3), RecordError::Order { line: 4, .. }));
    let mut twice = events.clone();
    twice.extend(events);
    assert!(matches!(read(&written(&twice, Compression::None)), Err(RecordError::Order { .. })));
}

#[test]
fn a_line_of_ten_megabytes_is_an_error_of_that_line() {
    let mut bytes = written(&events(3)[..1], Compression::None);
    bytes.extend(std::iter::repeat_n(b'[', 10 << 20));
    bytes.push(b'\n');
    let error = read(&bytes).expect_err("no event");
    assert!(matches!(error, RecordError::Line { line: 2, .. }), "{error}");
    assert!(error.to_string().len() < 400);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_are_an_error_and_nothing_worse(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn a_damaged_byte_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>(), packed in any::<bool>()) {
        let compression = if packed { Compression::Gzip } else { Compression::None };
        let mut bytes = written(&events(6), compression);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        drop(read(&bytes));
    }
}
