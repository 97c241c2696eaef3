//! However the input is cut into reads, and however it is handed over, the same is heard and the same is answered.

mod common;

use common::vectors::{self, Case};
use common::{
    BOTH, Feed, Heard, connection, describe, describe_error, explained, hex, naive, run, run_on,
    show, take,
};
use proptest::prelude::*;
use sansocket::{Config, Limits, Role};

/// Returns all vectors, each with a role and the bytes that come to it.
fn vectors() -> impl Iterator<Item = (&'static Case, Role, Vec<u8>)> {
    vectors::ALL
        .iter()
        .copied()
        .flatten()
        .flat_map(|case| BOTH.map(|role| (case, role)))
        .filter(|(case, role)| case.role.is_none_or(|only| only == *role))
        .map(|(case, role)| {
            let bytes = hex(case.bytes);
            match case.role {
                Some(_) => (case, role, bytes),
                None => (case, role, common::towards(role, &bytes)),
            }
        })
}

/// Returns what is heard of a case that comes in one read.
fn whole(role: Role, bytes: &[u8]) -> Heard {
    run(role, Config::default(), Feed::Slice, [bytes])
}

/// Returns where to cut: everywhere, but for long inputs at their ends and now and then between.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    let step = (len / 5).max(1);
    (0..=len).filter(move |&at| len < 1_000 || at < 16 || at + 2 > len || at % step == 0)
}

/// F-14: handed over whole in any way, each vector is heard as in its table.
#[test]
fn every_way_to_hand_input_over_hears_the_same() {
    for (case, role, bytes) in vectors() {
        for feed in Feed::ALL {
            let Heard { events, wrote } = run(role, Config::default(), feed, [&bytes[..]]);
            assert_eq!(events, case.heard, "{} to a {role:?}, {feed:?}", case.name);
            assert_eq!(
                naive::describe(&wrote, role),
                explained(case.heard, case.answers),
                "{} to a {role:?}, {feed:?}",
                case.name
            );
        }
    }
}

/// F-14: the receiving half alone hears the same, also of pieces.
#[test]
fn a_half_hears_what_the_whole_does() {
    for (case, role, bytes) in vectors() {
        for len in [1, 7, usize::MAX] {
            let mut receiver = connection(role, &Config::default()).split().0;
            let mut heard = Vec::new();
            let mut bytes = bytes.clone();
            for mut input in bytes.chunks_mut(len) {
                while let Some(event) = receiver.receive(&mut input).transpose() {
                    let failed = event.is_err();
                    heard.push(event.map_or_else(describe_error, |event| describe(&event)));
                    if failed {
                        break;
                    }
                }
            }
            heard.dedup_by(|next, before| next == before && next.starts_with("fails"));
            assert_eq!(heard, case.heard, "{} to a {role:?} by {len}", case.name);
        }
    }
}

/// CL-13, CL-09, CT-05: behind our own Close frame the same is heard, whatever comes; Pings are answered, and nothing else.
#[test]
fn our_own_close_changes_nothing_of_what_is_heard() {
    for (case, role, bytes) in vectors() {
        for feed in Feed::ALL {
            for len in [7, usize::MAX] {
                let closing = |config: &Config| {
                    let mut conn = connection(role, config);
                    conn.close(None).expect("open");
                    take(&mut conn);
                    conn
                };
                let heard = run_on(closing, Config::default(), feed, bytes.chunks(len));
                let name = format!("{} to a {role:?}, {feed:?} by {len}", case.name);
                assert_eq!(heard.events, case.heard, "{name}");
                let answers = case.answers.iter().copied();
                let pongs: Vec<_> = answers.filter(|it| it.starts_with("pong")).collect();
                assert_eq!(naive::describe(&heard.wrote, role), pongs, "{name}");
            }
        }
    }
}

/// F-14, M-07, UT-02: cut once, anywhere.
#[test]
fn one_cut_anywhere_changes_nothing() {
    for (case, role, bytes) in vectors() {
        let expected = whole(role, &bytes);
        for at in cuts(bytes.len()) {
            let (left, right) = bytes.split_at(at);
            for feed in Feed::ALL {
                let heard = run(role, Config::default(), feed, [left, right]);
                assert_eq!(
                    heard, expected,
                    "{} to a {role:?}, {feed:?}, cut at {at}",
                    case.name
                );
            }
        }
    }
}

/// F-14, M-07, UT-02: cut into single bytes.
#[test]
fn single_bytes_change_nothing() {
    for (case, role, bytes) in vectors() {
        let expected = whole(role, &bytes);
        for feed in Feed::ALL {
            let heard = run(role, Config::default(), feed, bytes.chunks(1));
            assert_eq!(heard, expected, "{} to a {role:?}, {feed:?}", case.name);
        }
    }
}

/// F-14: an empty read changes nothing either, wherever it comes.
#[test]
fn empty_reads_change_nothing() {
    for (case, role, bytes) in vectors().filter(|(_, _, bytes)| bytes.len() < 1_000) {
        let expected = whole(role, &bytes);
        let pieces = bytes.chunks(1).flat_map(|byte| [&[][..], byte, &[]]);
        for feed in Feed::ALL {
            let heard = run(role, Config::default(), feed, pieces.clone());
            assert_eq!(heard, expected, "{} to a {role:?}, {feed:?}", case.name);
        }
    }
}

/// F-14, FR-05: all vectors that end well, one behind the other in one stream, in reads of many sizes.
#[test]
fn a_long_stream_is_heard_alike_in_reads_of_any_size() {
    for role in BOTH {
        let mut stream = Vec::new();
        for (case, _, bytes) in vectors().filter(|(_, to, _)| *to == role) {
            let goes_on = !case.heard.is_empty()
                && !case
                    .heard
                    .iter()
                    .any(|heard| heard.starts_with("fails") || heard.starts_with("close"));
            let ends = case.name != "a message, then half of the next";
            if goes_on && ends {
                stream.extend(bytes);
            }
        }
        let expected = whole(role, &stream);
        assert!(expected.events.len() > 50);
        for size in [2, 7, 61, 4_096, 65_536] {
            for feed in Feed::ALL {
                let heard = run(role, Config::default(), feed, stream.chunks(size));
                assert_eq!(heard, expected, "to a {role:?}, {feed:?}, reads of {size}");
            }
        }
    }
}

/// F-14, M-07: long messages go straight into the memory that the connection lends, text and binary, in one frame and
/// in several, followed by other frames in the same read.
#[test]
fn long_messages_can_be_read_straight_into_their_memory() {
    let text = "aé€𝄞".repeat(30_000);
    let (first, second) = text.as_bytes().split_at(150_001);
    for role in BOTH {
        let frames = [
            naive::frame(0x81, text.as_bytes()),
            naive::frame(0x01, first),
            naive::frame(0x89, b"between"),
            naive::frame(0x80, second),
            naive::frame(0x82, b"behind"),
        ];
        let bytes = common::towards(role, &frames.concat());
        let long = format!("text {}", show(text.as_bytes()));
        let expected = [&long, r#"ping "between""#, &long, r#"binary "behind""#];
        for size in [1_000, 4_095, 4_096, 4_097, 8_192, 65_536, 100_000] {
            for feed in Feed::ALL {
                let heard = run(role, Config::default(), feed, bytes.chunks(size));
                assert_eq!(
                    heard.events, expected,
                    "{feed:?} to a {role:?}, {size} each"
                );
            }
        }
    }
}

/// UT-06: bad text that was read straight into its memory fails just as well.
#[test]
fn bad_text_in_lent_memory_fails() {
    for role in BOTH {
        for bad in [6_000, 9_000, 99_999] {
            let mut text = vec![b'a'; 100_000];
            text[bad] = 0xFF;
            let bytes = common::towards(role, &naive::frame(0x81, &text));
            for size in [1_000, 4_096, 65_536] {
                for feed in Feed::ALL {
                    let heard = run(role, Config::default(), feed, bytes.chunks(size));
                    assert_eq!(heard.events, ["fails InvalidUtf8 1007"]);
                    assert_eq!(
                        naive::describe(&heard.wrote, role),
                        [r#"close 1007 "a text message is not UTF-8""#]
                    );
                }
            }
        }
    }
}

/// F-16: memory is lent only to messages of which 4 KiB have come, for frames of which 4 KiB are missing, and never more than
/// that.
#[test]
fn memory_is_lent_to_long_messages_only() {
    let mut client = common::fresh(Role::Client);
    assert!(client.unfilled().is_none(), "nothing has begun");
    common::hear(&mut client, &hex("82 7f 00 00 00 00 00 01 00 00"));
    assert!(client.unfilled().is_none(), "nothing has come");
    common::hear(&mut client, &hex("00*4095"));
    assert!(client.unfilled().is_none(), "too little has come");
    common::hear(&mut client, &hex("00"));
    let lent = client.unfilled().expect("enough has come");
    lent.fill(0);
    let lent = lent.len();
    assert_eq!(lent, 32_768, "one step");
    client.filled(lent);
    assert!(common::hear(&mut client, &[]).is_empty());
    let rest = client.unfilled().expect("more is missing");
    rest.fill(0);
    let rest = rest.len();
    assert_eq!(rest, 65_536 - 4_096 - 32_768, "what is missing");
    client.filled(rest);
    assert!(client.unfilled().is_none(), "nothing is missing");
    assert_eq!(common::hear(&mut client, &[]), ["binary 00*65536"]);
    common::hear(&mut client, &hex("82 7e 20 00 00*4097"));
    assert!(client.unfilled().is_none(), "too little is missing");
}

/// F-14: a read that fills none of the lent memory, or a part of it, is as good as any.
#[test]
fn lent_memory_may_be_filled_in_part() {
    let mut client = common::fresh(Role::Client);
    common::hear(&mut client, &hex("82 7e 30 00 61*5000"));
    for part in [0, 1, 0, 3_000, 191, 4_096] {
        let space = client.unfilled().expect("more is missing");
        space[..part].fill(b'a');
        client.filled(part);
    }
    assert_eq!(
        common::hear(&mut client, &hex("82 00")),
        ["binary 61*12288", r#"binary """#]
    );
}

/// Lent memory may be filled in steps, without asking for it again.
#[test]
fn lent_memory_may_be_filled_in_steps() {
    let mut client = common::fresh(Role::Client);
    common::hear(&mut client, &hex("82 7e 30 00 61*5000"));
    let space = client.unfilled().expect("more is missing");
    space.fill(b'a');
    for part in [1, 0, 7_000, 287] {
        client.filled(part);
    }
    assert_eq!(common::hear(&mut client, &[]), ["binary 61*12288"]);
}

/// Saying that more was read than there was room for is a mistake of the caller.
#[test]
#[should_panic(expected = "more bytes read than there was room for")]
fn more_than_the_frame_wants_cannot_be_filled() {
    let mut client = common::fresh(Role::Client);
    common::hear(&mut client, &hex("82 7e 30 00 61*5000"));
    let lent = client.unfilled().expect("more is missing").len();
    client.filled(lent + 1);
}

/// The same where the frame wants more than was lent: what the memory held before must not show.
#[test]
#[should_panic(expected = "more bytes read than there was room for")]
fn more_than_was_lent_cannot_be_filled() {
    let mut client = common::fresh(Role::Client);
    common::hear(&mut client, &hex("82 7f 00 00 00 00 00 10 00 00 61*5000"));
    let lent = client.unfilled().expect("more is missing").len();
    assert_eq!(lent, 32 << 10);
    client.filled(lent + 1);
}

/// Nor does anything come of memory that was never lent: neither before a message nor behind a failure.
#[test]
fn nothing_is_filled_where_nothing_was_lent() {
    let mut client = common::fresh(Role::Client);
    assert!(client.unfilled().is_none());
    client.filled(1);
    assert_eq!(common::hear(&mut client, &hex("81 01 'a'")), ["text \"a\""]);
    common::hear(&mut client, &hex("82 7e 20 00 00*4095"));
    client.filled(1); // too little has come
    common::hear(&mut client, &hex("00*2"));
    client.filled(1); // too little is missing
    assert_eq!(
        common::hear(&mut client, &hex("00*4095")),
        ["binary 00*8192"]
    );
    common::hear(&mut client, &hex("89 02 00"));
    client.filled(1); // a control frame
    assert_eq!(common::hear(&mut client, &hex("00")), ["ping 00 00"]);
    assert_eq!(
        common::hear(&mut client, &hex("c1")),
        ["fails ReservedBits 1002"]
    );
    client.filled(1);
    assert!(client.unfilled().is_none());
    assert_eq!(
        common::hear(&mut client, b""),
        ["fails ReservedBits 1002"],
        "for good"
    );
}

/// A frame that is legal more often than not, without a mask.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        4 => prop::sample::select(&[0x81_u8, 0x82, 0x01, 0x02][..]),
        6 => prop::sample::select(&[0x00_u8, 0x80][..]),
        3 => prop::sample::select(&[0x89_u8, 0x8A][..]),
        1 => prop::sample::select(&[0x88_u8, 0x09, 0xC1, 0x83][..]),
    ];
    let payload = prop_oneof![
        4 => "[a-z]{0,9}".prop_map(String::into_bytes),
        3 => "[aé€𝄞]{0,90}".prop_map(String::into_bytes),
        1 => (0_usize..12_000).prop_map(|len| vec![b'a'; len]),
        1 => prop::collection::vec(any::<u8>(), 0..9),
        1 => Just(b"\x03\xe8bye".to_vec()),
    ];
    (first, payload).prop_map(|(first, payload)| naive::frame(first, &payload))
}

/// Bytes that come to a role: frames, perhaps with one byte changed and cut short.
fn stream() -> impl Strategy<Value = (Role, Vec<u8>)> {
    let frames = prop::collection::vec(frame(), 0..8);
    let role = prop::sample::select(&BOTH[..]);
    let change = prop_oneof![4 => Just(0_u8), 1 => any::<u8>()];
    (
        frames,
        role,
        any::<prop::sample::Index>(),
        change,
        0_usize..4,
    )
        .prop_map(|(frames, role, at, change, short)| {
            let mut bytes = common::towards(role, &frames.concat());
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= change;
                bytes.truncate(bytes.len() - bytes.len().min(short));
            }
            (role, bytes)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    /// F-14, S-02, S-04: whatever comes, legal or not, no cut and no way to hand it over changes what is made of it.
    #[test]
    fn no_stream_is_heard_differently_when_it_is_cut(
        (role, bytes) in stream(),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        limits in prop::sample::select(vec![
            Limits::default(),
            Limits::default().with_message(100),
            Limits::default().with_frame(40).with_fragments(2),
            Limits::default().with_empty_fragments(0).with_control_frames(1),
        ]),
    ) {
        let config = Config::default().with_limits(limits);
        let expected = run(role, config, Feed::Slice, [&bytes[..]]);
        let mut at: Vec<_> = cuts.drain(..).map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        for feed in Feed::ALL {
            let pieces = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            let heard = run(role, config, feed, pieces);
            prop_assert_eq!(&heard, &expected, "{:?} cut at {:?}", feed, &at);
        }
        naive::describe(&expected.wrote, role);
    }

    /// S-02: not even noise does.
    #[test]
    fn no_noise_is_heard_differently_when_it_is_cut(
        server: bool,
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        cut: prop::sample::Index,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let expected = whole(role, &bytes);
        let (left, right) = bytes.split_at(cut.index(bytes.len() + 1));
        for feed in Feed::ALL {
            let heard = run(role, Config::default(), feed, [left, right]);
            prop_assert_eq!(&heard, &expected, "{:?}", feed);
        }
    }
}
