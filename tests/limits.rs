//! Every limit: what is just within it is taken, one more is refused with its code, in whatever way the input is cut.

mod common;

use common::{BOTH, Feed, explained, hear, hex, naive, run, show, towards};
use sansocket::{Config, Limits, Role};

/// Checks what is heard of `frames` under `limits`: by both roles, whole and byte by byte, handed over in every way.
fn check(limits: Limits, frames: &[u8], heard: &[&str], answers: &[&str]) {
    let config = Config::default().with_limits(limits);
    for role in BOTH {
        let bytes = towards(role, frames);
        for feed in Feed::ALL {
            for size in [bytes.len().max(1), 1, 3] {
                let of = run(role, config, feed, bytes.chunks(size));
                let case = format!("{} to a {role:?}, {feed:?} by {size}", show(frames));
                assert_eq!(of.events, heard, "{case}");
                let answers = explained(heard, answers);
                assert_eq!(naive::describe(&of.wrote, role), answers, "{case}");
            }
        }
    }
}

fn check_hex(limits: Limits, frames: &str, heard: &[&str], answers: &[&str]) {
    check(limits, &hex(frames), heard, answers);
}

/// F-16, S-03, SC-08, FR-11: the longest frame.
#[test]
fn a_frame_may_be_as_long_as_its_limit() {
    for len in [1, 5, 125, 126, 300, 65_536] {
        let limits = Limits::default().with_frame(len);
        let len = usize::try_from(len).expect("small");
        let payload = vec![b'a'; len + 1];
        let within = naive::frame(0x82, &payload[1..]);
        let heard = format!("binary {}", show(&payload[1..]));
        check(limits, &within, &[&heard], &[]);
        let beyond = naive::frame(0x82, &payload);
        check(
            limits,
            &beyond,
            &["fails FrameTooLarge 1009"],
            &["close 1009"],
        );
    }
}

/// S-03, SC-08: the limit is on frames, so a longer message may come in several.
#[test]
fn a_message_of_several_frames_may_be_longer_than_a_frame() {
    let limits = Limits::default().with_frame(3);
    check_hex(
        limits,
        "01 03 'abc' 00 03 'def' 80 03 'ghi'",
        &[r#"text "abcdefghi""#],
        &[],
    );
    check_hex(
        limits,
        "01 03 'abc' 80 04 'defg'",
        &["fails FrameTooLarge 1009"],
        &["close 1009"],
    );
}

/// CT-05, S-03: control frames are short by themselves, and no limit on data holds for them.
#[test]
fn limits_on_data_do_not_hold_for_control_frames() {
    let limits = Limits::default().with_frame(0).with_message(0);
    check_hex(
        limits,
        "89 03 'abc' 88 03 03e8 'x'",
        &[r#"ping "abc""#, r#"close 1000 "x""#],
        &[r#"pong "abc""#, "close 1000"],
    );
}

/// FR-11, S-03, SC-08: the longest message, in one frame and in several; it fails at the header that shows it.
#[test]
fn a_message_may_be_as_long_as_its_limit() {
    let limits = Limits::default().with_message(6);
    let too_large = &["fails MessageTooLarge 1009"];
    check_hex(limits, "81 06 'abcdef'", &[r#"text "abcdef""#], &[]);
    check_hex(limits, "81 07 'abcdefg'", too_large, &["close 1009"]);
    check_hex(limits, "81 07", too_large, &["close 1009"]);
    check_hex(
        limits,
        "01 03 'abc' 00 03 'def' 80 00",
        &[r#"text "abcdef""#],
        &[],
    );
    check_hex(limits, "01 03 'abc' 00 04", too_large, &["close 1009"]);
    check_hex(
        limits,
        "01 03 'abc' 00 03 'def' 80 01",
        too_large,
        &["close 1009"],
    );
    // Each message anew.
    check_hex(
        limits,
        "81 06 'abcdef' 01 06 'ghijkl' 80 00 82 06 'mnopqr' 82 07",
        &[
            r#"text "abcdef""#,
            r#"text "ghijkl""#,
            r#"binary "mnopqr""#,
            "fails MessageTooLarge 1009",
        ],
        &["close 1009"],
    );
}

/// FR-11, S-03: the most fragments of a message. A message in one frame has none.
#[test]
fn a_message_may_have_as_many_fragments_as_its_limit() {
    let limits = Limits::default().with_fragments(3);
    check_hex(
        limits,
        "01 01 'a' 00 01 'b' 80 01 'c' 82 01 'x' 01 01 'd' 00 01 'e' 80 01 'f'",
        &[r#"text "abc""#, r#"binary "x""#, r#"text "def""#],
        &[],
    );
    check_hex(
        limits,
        "01 01 'a' 00 01 'b' 00 01 'c' 80 01 'd'",
        &["fails TooManyFragments 1008"],
        &["close 1008"],
    );
    let none = Limits::default().with_fragments(0);
    check_hex(none, "81 01 'a'", &[r#"text "a""#], &[]);
    check_hex(
        none,
        "01 01 'a'",
        &["fails TooManyFragments 1008"],
        &["close 1008"],
    );
}

/// FR-11, S-03, F-13: the most fragments without payload. A message in one frame has none, even if it is empty.
#[test]
fn a_message_may_have_as_many_empty_fragments_as_its_limit() {
    let limits = Limits::default().with_empty_fragments(2);
    check_hex(
        limits,
        "01 00 00 01 'a' 00 00 80 01 'b' 82 00 01 00 80 00",
        &[r#"text "ab""#, r#"binary """#, r#"text """#],
        &[],
    );
    check_hex(
        limits,
        "01 00 00 00 80 00",
        &["fails TooManyEmptyFragments 1008"],
        &["close 1008"],
    );
    let none = Limits::default().with_empty_fragments(0);
    check_hex(
        none,
        "81 00 82 00 01 01 'a' 80 01 'b'",
        &[r#"text """#, r#"binary """#, r#"text "ab""#],
        &[],
    );
    check_hex(
        none,
        "01 01 'a' 80 00",
        &["fails TooManyEmptyFragments 1008"],
        &["close 1008"],
    );
}

/// CT-04, S-03: the most control frames between two fragments, counted anew behind each fragment, and not outside of a
/// message.
#[test]
fn fragments_may_be_as_far_apart_as_the_limit() {
    let limits = Limits::default().with_control_frames(2);
    check_hex(
        limits,
        "8a00 8a00 8a00 01 01 'a' 8a00 8a00 00 01 'b' 8a00 8a00 80 01 'c' 8a00 8a00 8a00",
        &[
            r#"pong """#,
            r#"pong """#,
            r#"pong """#,
            r#"pong """#,
            r#"pong """#,
            r#"pong """#,
            r#"pong """#,
            r#"text "abc""#,
            r#"pong """#,
            r#"pong """#,
            r#"pong """#,
        ],
        &[],
    );
    check_hex(
        limits,
        "01 01 'a' 8a00 89 01 'p' 8a00",
        &[
            r#"pong """#,
            r#"ping "p""#,
            "fails TooManyControlFrames 1008",
        ],
        &[r#"pong "p""#, "close 1008"],
    );
    let none = Limits::default().with_control_frames(0);
    check_hex(
        none,
        "89 00 01 01 'a' 89 00",
        &[r#"ping """#, "fails TooManyControlFrames 1008"],
        &[r#"pong """#, "close 1008"],
    );
}

/// S-03: the defaults are what their documentation says.
#[test]
fn the_defaults_are_safe() {
    let Limits {
        frame,
        message,
        fragments,
        empty_fragments,
        control_frames,
        ..
    } = Limits::default();
    assert_eq!((frame, message), (64 << 20, 64 << 20));
    assert_eq!((fragments, empty_fragments), (131_072, 1_024));
    assert_eq!(control_frames, 65_536);
    check_hex(
        Limits::default(),
        "82 7f 00000000 04000001",
        &["fails FrameTooLarge 1009"],
        &["close 1009"],
    );
}

/// FR-05, FR-11: as many fragments as a conformance suite sends are far within the defaults.
#[test]
fn sixty_five_thousand_fragments_are_taken() {
    let mut frames = vec![0x02, 0x01, 0xAA];
    frames.extend([0x00, 0x01, 0xAA].repeat(65_534));
    frames.extend([0x80, 0x01, 0xAA]);
    let mut client = common::fresh(Role::Client);
    assert_eq!(hear(&mut client, &frames), ["binary aa*65536"]);
}
