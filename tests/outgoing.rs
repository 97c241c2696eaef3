//! The queue of outgoing bytes: nothing is lost, doubled or torn apart, however it is written and whatever comes between.

mod common;
mod memory;

use bytes::{Buf, Bytes};
use common::{BOTH, closing, hear_frames, naive, show, take, take_frames};
#[cfg(feature = "std")]
use memory::allocations;
use proptest::prelude::*;
use sansocket::{Config, Connection, Fin, Message, MessageKind, Role, SendError, Utf8Bytes};

/// The length of a frame that Pings and Pongs may overtake, and that is shared rather than copied.
const LARGE: usize = 4 << 10;

fn owned(byte: u8, len: usize) -> Message {
    Bytes::from(vec![byte; len]).into()
}

/// Queues frames of every kind.
fn fill(conn: &mut Connection, role: Role) {
    conn.send_text("first").expect("open");
    conn.send_binary(&[1; 5_000]).expect("open");
    conn.send(owned(2, 6_000)).expect("open");
    conn.send_binary(b"").expect("open");
    conn.ping(b"ping").expect("open");
    conn.pong(b"pong").expect("open");
    conn.send(owned(3, 200)).expect("open");
    conn.send(owned(4, LARGE)).expect("open");
    conn.send(owned(5, LARGE)).expect("open");
    conn.send_fragment(MessageKind::Text, &[b'a'; LARGE], Fin::More)
        .expect("open");
    conn.send_fragment(MessageKind::Text, b"", Fin::Last)
        .expect("open");
    hear_frames(conn, role, "89 01 'x' 89 00 89 01 'y'");
    conn.send_text("last").expect("open");
    conn.close(Some(closing(1000, "bye"))).expect("open");
}

/// CT-07, T-06: replies go before the first frame that is large, which is all they overtake.
#[test]
fn replies_go_before_the_first_large_frame() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        fill(&mut conn, role);
        let expected = [
            r#"text "first""#,
            r#"ping "ping""#,
            r#"pong "x""#,
            r#"pong """#,
            r#"pong "y""#,
            "binary 01*5000",
            "binary 02*6000",
            r#"binary """#,
            r#"pong "pong""#,
            "binary 03*200",
            "binary 04*4096",
            "binary 05*4096",
            "text 61*4096...",
            r#"continuation """#,
            r#"text "last""#,
            r#"close 1000 "bye""#,
        ];
        assert_eq!(take_frames(&mut conn, role), expected, "{role:?}");
    }
}

/// T-06: however much the transport takes at a time, the bytes are the same.
#[test]
fn partial_writes_of_any_size_give_the_same_bytes() {
    for role in BOTH {
        let mut whole = common::fresh(role);
        fill(&mut whole, role);
        let whole = take(&mut whole);
        for size in (1..50).chain([125, 1_000, 4_095, 4_096, 4_097, 4_104, 6_000, whole.len()]) {
            let mut conn = common::fresh(role);
            fill(&mut conn, role);
            let mut written = Vec::new();
            while conn.buffered() > 0 {
                assert_eq!(conn.buffered(), whole.len() - written.len());
                let size = size.min(conn.buffered());
                let mut bytes = vec![0; size];
                conn.outgoing().copy_to_slice(&mut bytes);
                written.extend(bytes);
            }
            assert_eq!(written, whole, "{size} at a time from a {role:?}");
            assert!(!conn.outgoing().has_remaining());
            assert!(conn.outgoing().chunk().is_empty());
        }
    }
}

/// S-07, T-06: the slices of a vectored write are the bytes of a sequential one, from wherever it goes on.
#[test]
#[cfg(feature = "std")]
fn vectored_slices_are_the_sequential_bytes() {
    for role in BOTH {
        let mut whole = common::fresh(role);
        fill(&mut whole, role);
        let whole = take(&mut whole);
        let mut conn = common::fresh(role);
        fill(&mut conn, role);
        for written in 0..whole.len() {
            if written % 97 == 0 || written < 200 {
                assert_eq!(vectored(&mut conn, 100), whole[written..], "from {written}");
                let some = vectored(&mut conn, 2);
                assert!(whole[written..].starts_with(&some), "from {written}");
            }
            conn.outgoing().advance(1);
        }
        assert!(vectored(&mut conn, 100).is_empty());
    }
}

/// Returns what a write of at most `most` slices is offered.
#[cfg(feature = "std")]
fn vectored(conn: &mut Connection, most: usize) -> Vec<u8> {
    let mut slices = vec![std::io::IoSlice::new(&[]); most];
    let out = &*conn.outgoing();
    let count = out.chunks_vectored(&mut slices);
    let slices = &slices[..count];
    let first = slices.first().map_or(&[][..], |slice| slice);
    assert_eq!(first, out.chunk(), "what has been shown goes first");
    assert!(
        slices.iter().all(|slice| !slice.is_empty()),
        "an empty slice"
    );
    common::join(slices)
}

/// Writing more than waits is a mistake of the caller.
#[test]
#[should_panic(expected = "more bytes written than were waiting")]
fn more_than_waits_cannot_be_written() {
    let mut conn = common::fresh(Role::Server);
    conn.send_text("Hello").expect("open");
    conn.outgoing().advance(8);
}

/// Finds where in memory the outgoing bytes that equal `payload` lie.
fn place_of(conn: &mut Connection, payload: &[u8]) -> *const u8 {
    let out = conn.outgoing();
    while out.has_remaining() {
        if out.chunk() == payload {
            return out.chunk().as_ptr();
        }
        out.advance(out.chunk().len());
    }
    core::ptr::null()
}

/// A server queues a large payload that it was given to keep without copying it, fragmented or not; a small one, or one
/// that must be masked, is copied.
#[test]
fn large_payloads_of_a_server_are_shared() {
    let payload = Bytes::from(vec![7; LARGE]);
    let mut server = common::fresh(Role::Server);
    server.send(payload.clone()).expect("open");
    assert_eq!(place_of(&mut server, &payload), payload.as_ptr());
    server.send(payload.slice(1..)).expect("open");
    assert_ne!(place_of(&mut server, &payload[1..]), payload[1..].as_ptr());
    let text = Utf8Bytes::try_from(payload.clone()).expect("ASCII");
    let mut server = common::fresh(Role::Server);
    server.send(text).expect("open");
    assert_eq!(place_of(&mut server, &payload), payload.as_ptr());

    let config = Config::default().with_fragment_size(4_096);
    let mut server = common::connection(Role::Server, &config);
    let long: Vec<_> = (0..3 * LARGE).map(|i| i.to_le_bytes()[1]).collect();
    let long = Bytes::from(long);
    server.send(long.clone()).expect("open");
    for start in [0, LARGE, 2 * LARGE] {
        let fragment = &long[start..start + LARGE];
        assert_eq!(place_of(&mut server, fragment), fragment.as_ptr());
    }
    assert_eq!(server.buffered(), LARGE, "nothing behind the last fragment");

    let mut client = common::fresh(Role::Client);
    client.send(payload.clone()).expect("open");
    assert_ne!(place_of(&mut client, &payload), payload.as_ptr());
}

/// CT-07, CT-03: a Pong overtakes the large frames that wait, but not the one that is being written.
#[test]
fn a_pong_overtakes_large_frames_but_splits_none() {
    for role in BOTH {
        for written in [0, 1, 2, 5, 9, 100, 5_000] {
            let mut conn = common::fresh(role);
            for byte in 1..=2 {
                conn.send_binary(&[byte; 5_000]).expect("open");
                conn.send(owned(byte + 2, 5_000)).expect("open");
            }
            let mut bytes = vec![0; written];
            conn.outgoing().copy_to_slice(&mut bytes);
            hear_frames(&mut conn, role, "89 01 'p'");
            bytes.extend(take(&mut conn));
            let mut expected = vec![
                "binary 01*5000",
                "binary 03*5000",
                "binary 02*5000",
                "binary 04*5000",
            ];
            // Whoever asks for the bytes to write begins to write.
            expected.insert(1, r#"pong "p""#);
            assert_eq!(
                naive::describe(&bytes, role),
                expected,
                "{written} bytes written by a {role:?}"
            );
        }
    }
}

/// CT-07: nothing is overtaken that is not large, lest small messages come late.
#[test]
fn a_pong_waits_for_small_frames() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        conn.send_text("a").expect("open");
        hear_frames(&mut conn, role, "89 01 'p'");
        conn.send_text("b").expect("open");
        let sent = take_frames(&mut conn, role);
        assert_eq!(sent, [r#"text "a""#, r#"text "b""#, r#"pong "p""#]);
    }
}

/// CT-03, CT-07: a long message in fragments lets Pongs through between them.
#[test]
fn a_pong_goes_out_between_the_fragments_of_a_message() {
    check_pong_in_fragments_of(4_096);
}

/// CT-03, CT-07: whatever the size of a fragment.
#[test]
fn a_pong_goes_out_between_short_fragments() {
    check_pong_in_fragments_of(1_000);
}

fn check_pong_in_fragments_of(fragment_size: u32) {
    for role in BOTH {
        let config = Config::default().with_fragment_size(fragment_size);
        let mut conn = common::connection(role, &config);
        conn.send_binary(&vec![7; 100_000]).expect("open");
        let before = bytes_before_pong(&mut conn, role, 10);
        assert!(before <= 2 * LARGE + 10, "{before} bytes before it");
    }
}

/// Takes `written` bytes, hears a Ping, and returns how many bytes of frames go out before its answer.
fn bytes_before_pong(conn: &mut Connection, role: Role, written: usize) -> usize {
    let mut bytes = vec![0; written];
    conn.outgoing().copy_to_slice(&mut bytes);
    hear_frames(conn, role, "89 01 'p'");
    bytes.extend(take(conn));
    let frames = naive::parse(&bytes);
    let at = frames.iter().position(|frame| frame.opcode == 10);
    frames[..at.expect("a Pong")].iter().map(|f| f.size).sum()
}

/// CT-03: short messages do not keep it waiting either, also behind one that is not copied.
#[test]
fn a_pong_goes_out_between_short_messages() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        for _ in 0..400 {
            conn.send_binary(&[7; 100]).expect("open");
        }
        let before = bytes_before_pong(&mut conn, role, 10);
        assert!(before <= 2 * LARGE + 10, "{before} bytes before it");

        let mut conn = common::fresh(role);
        conn.send(owned(1, 1 << 20)).expect("open");
        for _ in 0..400 {
            conn.send_binary(&[7; 100]).expect("open");
        }
        let before = bytes_before_pong(&mut conn, role, 50);
        assert!(before <= (1 << 20) + 14, "{before} bytes before it");

        // What was written before makes room for what comes behind.
        let mut conn = common::fresh(role);
        for _ in 0..60 {
            conn.send_binary(&[7; 100]).expect("open");
        }
        let waiting = conn.buffered();
        conn.outgoing().advance(waiting - 500);
        for _ in 0..400 {
            conn.send_binary(&[7; 100]).expect("open");
        }
        conn.outgoing().advance(500);
        let before = bytes_before_pong(&mut conn, role, 0);
        assert!(before <= 2 * LARGE, "{before} bytes before it");
    }
}

/// CT-05, CT-08: ten Pings in one read are answered one by one, in order.
#[test]
fn ten_pings_in_one_read_are_all_answered_in_order() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        let pings: Vec<_> = (0..10)
            .flat_map(|i| naive::frame(0x89, &[b'0' + i]))
            .collect();
        common::hear(&mut conn, &common::towards(role, &pings));
        let expected: Vec<_> = (0..10).map(|i| format!("pong \"{i}\"")).collect();
        assert_eq!(take_frames(&mut conn, role), expected);
    }
}

/// CT-05, CT-08: so are two of the longest, also behind a message.
#[test]
fn two_long_pings_in_one_read_are_both_answered() {
    for role in BOTH {
        for behind_message in [false, true] {
            let mut conn = common::fresh(role);
            if behind_message {
                conn.send_text("Hello").expect("open");
            }
            let pings: Vec<_> = [b'1', b'2']
                .iter()
                .flat_map(|digit| naive::frame(0x89, &[*digit; 125]))
                .collect();
            common::hear(&mut conn, &common::towards(role, &pings));
            let frames = naive::parse(&take(&mut conn));
            let answers = frames.iter().filter(|frame| frame.opcode == 0xA);
            let answered: Vec<_> = answers.map(|pong| pong.payload[0]).collect();
            assert_eq!(answered, b"12", "{role:?}");
        }
    }
}

/// CT-08, S-10: Pings without end, while nothing is written, cost no more than a few Pongs; the latest is answered.
#[test]
fn a_flood_of_pings_is_answered_by_the_latest() {
    for role in BOTH {
        for len in [2, 30, 125] {
            let mut conn = common::fresh(role);
            for i in 0..10_000_u32 {
                let mut payload = vec![0; len];
                payload[..2].copy_from_slice(&i.to_be_bytes()[2..]);
                let ping = common::towards(role, &naive::frame(0x89, &payload));
                common::hear(&mut conn, &ping);
                assert!(conn.buffered() <= 262, "{} bytes", conn.buffered());
            }
            let frames = naive::parse(&take(&mut conn));
            let answered: Vec<_> = frames
                .iter()
                .map(|frame| frame.payload[..2].to_vec())
                .collect();
            assert!(answered.is_sorted(), "{answered:?}");
            assert_eq!(
                answered.last().expect("a Pong"),
                &9_999_u32.to_be_bytes()[2..]
            );
        }
    }
}

/// CT-08, S-10: the same while one Pong is partly written, which is neither torn nor dropped.
#[test]
fn a_flood_of_pings_does_not_tear_the_pong_that_is_being_written() {
    for role in BOTH {
        for written in 1..10 {
            let mut conn = common::fresh(role);
            hear_frames(&mut conn, role, "89 08 'original' 89 01 'x'");
            let mut bytes = vec![0; written];
            conn.outgoing().copy_to_slice(&mut bytes);
            for _ in 0..100 {
                hear_frames(&mut conn, role, "89 30 'p'*48");
            }
            assert!(conn.buffered() <= 262 + 14);
            hear_frames(&mut conn, role, "89 04 'last'");
            bytes.extend(take(&mut conn));
            let sent = naive::describe(&bytes, role);
            assert_eq!(sent.first().expect("a Pong"), r#"pong "original""#);
            assert_eq!(sent.last().expect("a Pong"), r#"pong "last""#);
        }
    }
}

/// CT-10, S-10: a flood of Pings drops none of the application's own.
#[test]
fn a_flood_of_pings_does_not_drop_our_own() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        let mut expected = Vec::new();
        for i in 0..60 {
            let payload = format!("ours {i}");
            conn.ping(payload.as_bytes()).expect("open");
            expected.push(format!("ping {payload:?}"));
            hear_frames(&mut conn, role, "89 06 'theirs' 89 14 'p'*20");
        }
        let sent = take_frames(&mut conn, role);
        let pings: Vec<_> = sent
            .iter()
            .filter(|frame| frame.starts_with("ping"))
            .cloned()
            .collect();
        assert_eq!(pings, expected);
        assert_eq!(
            sent.last().expect("a Pong"),
            r#"pong "pppppppppppppppppppp""#
        );
    }
}

/// CT-05, CT-10: nor does our own Ping drop the answer to theirs.
#[test]
fn our_own_pings_do_not_drop_an_answer() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        hear_frames(&mut conn, role, "89 7d 'p'*125");
        for _ in 0..10 {
            conn.ping(&[b'o'; 125]).expect("open");
        }
        let sent = take_frames(&mut conn, role);
        assert_eq!(sent.len(), 11);
        assert_eq!(sent[0], "pong 70*125");
    }
}

/// CT-05, CT-10: Pings of our own are refused where many wait for a peer that does not read, and only then.
#[test]
fn our_own_pings_do_not_pile_up() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        let pings = (0..5_000)
            .take_while(|_| conn.ping(&[7; 100]).is_ok())
            .count();
        let waiting = conn.buffered();
        assert!((4 << 10..(4 << 10) + 106).contains(&waiting), "{waiting}");
        assert_eq!(conn.ping(b""), Err(SendError::QueueFull));
        conn.send_text("Hello").expect("a message is no Ping");
        assert_eq!(take_frames(&mut conn, role).len(), pings + 1);
        conn.ping(b"").expect("all is written");
    }
}

/// CT-10: what is written of them makes room for more, also while some wait.
#[test]
fn our_own_pings_are_taken_once_others_are_written() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        conn.send_text("Hello").expect("open");
        while conn.ping(&[7; 100]).is_ok() {}
        while conn.buffered() > 150 {
            let some = conn.outgoing().chunk().len();
            conn.outgoing().advance(some);
        }
        conn.ping(b"").expect("little waits");
    }
}

/// CT-05, CT-08: behind many Pings of our own, Pings are answered one by one as long as the answers are few, and few answers
/// are kept of many.
#[test]
fn answers_wait_behind_our_own_pings() {
    for role in BOTH {
        for (pings, few) in [(10, 10..=10), (1_000, 1..=262 / 6)] {
            let mut conn = common::fresh(role);
            conn.send_text("Hello").expect("open");
            let ours = (0..500).take_while(|_| conn.ping(b"ours").is_ok()).count();
            let theirs: Vec<_> = (0..pings)
                .flat_map(|i: u32| naive::frame(0x89, &i.to_be_bytes()))
                .collect();
            common::hear(&mut conn, &common::towards(role, &theirs));
            let frames = naive::parse(&take(&mut conn));
            let answers = frames.iter().filter(|frame| frame.opcode == 0xA);
            let answered: Vec<_> = answers.map(|answer| &answer.payload[..]).collect();
            assert_eq!(frames.len(), 1 + ours + answered.len());
            assert!(few.contains(&answered.len()), "{} answers", answered.len());
            let latest = (0..pings).rev().map(u32::to_be_bytes);
            let mut both = latest.zip(answered.iter().rev());
            assert!(both.all(|(i, answer)| i == **answer));
        }
    }
}

/// CT-05, CT-08: answers that are written no longer count among those that wait, though Pings of our own do.
#[test]
fn answers_that_are_written_make_room() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        conn.send_text("Hello").expect("open");
        let mut bytes = Vec::new();
        for _ in 0..200 {
            hear_frames(&mut conn, role, "89 04 'one ' 89 04 'two '");
            conn.ping(&[7; 100]).expect("little waits");
            let some = conn.buffered().saturating_sub(1_000);
            bytes.extend_from_slice(&conn.outgoing().copy_to_bytes(some));
        }
        bytes.extend(take(&mut conn));
        let count = |opcode| {
            let frames = naive::parse(&bytes).into_iter();
            frames.filter(|frame| frame.opcode == opcode).count()
        };
        assert_eq!((count(0x9), count(0xA)), (200, 400), "{role:?}");
    }
}

/// What `chunk` shows is what the transport must be able to offer again: it stays in front until it is written, whatever
/// is queued meanwhile.
#[test]
fn bytes_that_were_shown_stay_in_front() {
    for role in BOTH {
        for skip in [0, 1, 7, 11, 2_000, 5_014, 5_020, 10_000] {
            let mut conn = common::fresh(role);
            conn.send_text("Hello").expect("open");
            conn.send_binary(&[1; 5_000]).expect("open");
            conn.send(owned(2, 5_000)).expect("open");
            let out = conn.outgoing();
            out.advance(skip);
            let shown = out.chunk().to_vec();
            for _ in 0..20 {
                hear_frames(&mut conn, role, "89 14 'p'*20");
            }
            conn.ping(b"ping").expect("open");
            conn.send_text("more").expect("open");
            conn.send(owned(3, 5_000)).expect("open");
            conn.close(None).expect("open");
            assert!(
                conn.outgoing().chunk().starts_with(&shown),
                "{role:?} behind {skip}: {} became {}",
                show(&shown),
                show(conn.outgoing().chunk())
            );
        }
    }
}

/// The same with only Pongs in the queue, behind one that was written to its last byte.
#[test]
fn a_pong_that_was_shown_stays_in_front() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        hear_frames(&mut conn, role, "89 01 'p' 89 01 'q'");
        let out = conn.outgoing();
        out.advance(out.chunk().len());
        let shown = out.chunk().to_vec();
        conn.send_text("Hello").expect("open");
        for _ in 0..20 {
            hear_frames(&mut conn, role, "89 14 'p'*20");
        }
        assert!(conn.outgoing().chunk().starts_with(&shown), "{role:?}");
    }
}

/// The application is told to stop from the high watermark up, and to go on from the low one down.
#[test]
fn congestion_lasts_from_the_high_to_the_low_watermark() {
    let config = Config::default()
        .with_high_watermark(1_000)
        .with_low_watermark(100);
    let mut conn = common::connection(Role::Server, &config);
    assert!(!conn.is_congested());
    conn.send_binary(&[0; 995]).expect("open");
    assert_eq!(conn.buffered(), 999);
    assert!(!conn.is_congested(), "below the high watermark");
    conn.outgoing().advance(999);
    conn.send_binary(&[0; 996]).expect("open");
    assert!(conn.is_congested(), "at the high watermark");
    conn.outgoing().advance(899);
    assert!(conn.is_congested(), "above the low watermark");
    conn.outgoing().advance(1);
    assert!(!conn.is_congested(), "at the low watermark");
    conn.send_binary(&[0; 500]).expect("open");
    assert!(!conn.is_congested(), "between them again");
}

/// Data beyond the limit is refused and handed back, and so is a Pong that nobody asked for; a message is taken whole if the
/// queue was below it, and other control frames are taken always.
#[test]
fn data_beyond_the_limit_is_handed_back() {
    for role in BOTH {
        let config = Config::default().with_outgoing_limit(100);
        let mut conn = common::connection(role, &config);
        let header = if role == Role::Client { 6 } else { 2 };
        conn.send_binary(&vec![1; 99 - header]).expect("room");
        assert_eq!(conn.buffered(), 99);
        conn.send_binary(&[2; 300]).expect("below the limit");
        let full = conn.buffered();
        assert_eq!(conn.send_text("a"), Err(SendError::QueueFull));
        assert_eq!(conn.send_binary(b""), Err(SendError::QueueFull));
        assert_eq!(conn.pong(b""), Err(SendError::QueueFull));
        let fragment = conn.send_fragment(MessageKind::Text, b"a", Fin::More);
        assert_eq!(fragment, Err(SendError::QueueFull));
        let payload = Bytes::from(vec![3; 5_000]);
        let refused = conn.send(payload.clone()).expect_err("the queue is full");
        assert_eq!(refused.error, SendError::QueueFull);
        let Message::Binary(back) = refused.message else {
            panic!("another message");
        };
        assert_eq!(back.as_ptr(), payload.as_ptr(), "the very same bytes");
        assert_eq!(conn.buffered(), full, "nothing was queued");

        conn.ping(b"ping").expect("control frames are taken");
        hear_frames(&mut conn, role, "89 01 'p'");
        conn.close(None).expect("control frames are taken");
        let sent = take_frames(&mut conn, role);
        let data = format!("binary {}", show(&vec![1; 99 - header]));
        assert_eq!(
            sent,
            [
                &*data,
                "binary 02*300",
                r#"ping "ping""#,
                r#"pong "p""#,
                "close"
            ]
        );
    }
}

/// A queue exactly at its limit is full, and takes data again one byte below.
#[test]
fn the_limit_is_exact() {
    let config = Config::default().with_outgoing_limit(100);
    let mut conn = common::connection(Role::Server, &config);
    conn.send_binary(&[0; 98]).expect("room");
    assert_eq!(conn.buffered(), 100);
    assert_eq!(conn.send_text("a"), Err(SendError::QueueFull));
    conn.outgoing().advance(1);
    conn.send_text("a").expect("room again");
}

/// D8: Pings and Pongs that wait count towards the limit, wherever they wait and whatever was queued before them.
#[test]
fn the_limit_counts_pings_and_pongs() {
    let queue: [fn(&mut Connection, Role); 2] = [
        |conn, _| conn.ping(&[7; 125]).expect("little waits"),
        |conn, role| drop(hear_frames(conn, role, "89 7d 'p'*125")),
    ];
    for role in BOTH {
        for queue in queue {
            for limit in 10..300 {
                let config = Config::default().with_outgoing_limit(limit);
                let mut conn = common::connection(role, &config);
                conn.send_text("a").expect("room");
                queue(&mut conn, role);
                while conn.buffered() < limit {
                    conn.send_text("b").expect("room");
                }
                let full = conn.buffered();
                assert_eq!(conn.send_text("c"), Err(SendError::QueueFull));
                assert_eq!(conn.buffered(), full, "limit {limit} of a {role:?}");
            }
        }
    }
}

/// CL-10: the end is clean where nothing but replies is dropped, and only there, however much was written before and moved
/// over since.
#[test]
fn data_that_is_dropped_behind_a_reply_is_lost() {
    for role in BOTH {
        for (reply, len) in [(0, 0), (0, 9_000), (125, 0), (125, 9_000), (125, 20_000)] {
            for left in [0, 1, 5, 50, 200] {
                let mut conn = common::fresh(role);
                let ping = common::towards(role, &naive::frame(0x89, &vec![b'p'; reply]));
                common::hear(&mut conn, &ping);
                conn.send_binary(&vec![1; len]).expect("open");
                let written = conn.buffered().saturating_sub(left);
                conn.outgoing().advance(written);
                // This moves the rest over what was written.
                conn.send_binary(&[2; 30]).expect("open");
                conn.drop_outgoing();
                assert_eq!(conn.buffered(), 0);
                conn.close(None).expect("open");
                take(&mut conn);
                hear_frames(&mut conn, role, "88 00");
                let outcome = conn.outcome().expect("closed");
                assert!(!outcome.clean, "{left} bytes of {len} from a {role:?}");
            }
        }
    }
}

/// S-03: Pings and Pongs that were written hold no memory, whether data goes on waiting or nothing does: the thread uses it
/// for what it gathers next.
#[test]
#[cfg(feature = "std")]
fn memory_of_written_pings_is_used_again() {
    let asked = |role, is_last: bool| {
        let mut conn = common::fresh(role);
        conn.send_text("Hello").expect("open");
        while conn.ping(&[7; 100]).is_ok() {}
        let pings = conn.buffered();
        if !is_last {
            conn.send(owned(1, LARGE)).expect("open");
        }
        conn.outgoing().advance(pings);
        let mut other = common::fresh(role);
        allocations(|| other.send_binary(&[7; 3_000]).expect("open"))
    };
    for role in BOTH {
        for is_last in [true, false] {
            // In a thread of its own, which has no other memory to use again.
            let asked = std::thread::spawn(move || asked(role, is_last));
            let asked = asked.join().expect("no panic");
            assert_eq!(asked, 0, "{role:?}, nothing waits: {is_last}");
        }
    }
}

/// A message in fragments that meets a full queue goes on when there is room again.
#[test]
fn a_fragment_that_was_refused_can_be_sent_later() {
    let config = Config::default().with_outgoing_limit(10);
    let mut conn = common::connection(Role::Server, &config);
    conn.send_fragment(MessageKind::Text, b"0123456789\xe2", Fin::More)
        .expect("room");
    let refused = conn.send_fragment(MessageKind::Text, b"\x82\xac", Fin::Last);
    assert_eq!(refused, Err(SendError::QueueFull));
    take(&mut conn);
    conn.send_fragment(MessageKind::Text, b"\x82\xac", Fin::Last)
        .expect("room again");
    assert_eq!(take_frames(&mut conn, Role::Server), ["continuation 82 ac"]);
}

/// CL-07, CL-09, CL-10: a Close frame goes behind all data and replies that were queued before it; a Pong may still go
/// before it while it waits, and behind it once it is being written.
#[test]
fn a_close_goes_behind_what_was_queued_before() {
    for role in BOTH {
        let mut conn = common::fresh(role);
        conn.send(owned(1, 5_000)).expect("open");
        conn.send_text("a").expect("open");
        conn.ping(b"1").expect("open");
        conn.close(Some(closing(1001, ""))).expect("open");
        hear_frames(&mut conn, role, "89 01 '2'");
        let sent = take_frames(&mut conn, role);
        assert_eq!(
            sent,
            [
                r#"ping "1""#,
                r#"pong "2""#,
                "binary 01*5000",
                r#"text "a""#,
                "close 1001"
            ]
        );

        let mut conn = common::fresh(role);
        conn.close(Some(closing(1001, ""))).expect("open");
        hear_frames(&mut conn, role, "89 01 '1'");
        conn.outgoing();
        hear_frames(&mut conn, role, "89 01 '2'");
        assert_eq!(
            take_frames(&mut conn, role),
            [r#"pong "1""#, r#"pong "2""#, "close 1001"]
        );

        let mut conn = common::fresh(role);
        conn.close(Some(closing(1001, ""))).expect("open");
        conn.outgoing();
        hear_frames(&mut conn, role, "89 01 '1'");
        assert_eq!(take_frames(&mut conn, role), ["close 1001", r#"pong "1""#]);
    }
}

/// What may happen to a queue.
#[derive(Clone, Debug)]
enum Step {
    Text(usize),
    Binary(usize),
    Owned(usize),
    /// A message is written at once, of which the transport takes up to so many bytes.
    AtOnce(usize, usize),
    Fragment(usize, Fin),
    Ping(usize),
    Pong(usize),
    /// The peer sends a Ping.
    Asked(usize),
    /// The transport takes up to so many bytes, and is then offered more that it does not take.
    Write(usize),
    /// The transport takes up to so many bytes of a vectored write.
    WriteVectored(usize),
    /// The transport is offered bytes and takes none.
    Look,
    /// The bytes that wait are written but for so many.
    Drain(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![
        3 => 0_usize..10,
        2 => 0_usize..300,
        2 => LARGE - 2..LARGE + 2,
        1 => 0_usize..20_000,
    ];
    let short = prop_oneof![3 => 0_usize..10, 1 => 0_usize..=125];
    let fin = prop_oneof![2 => Just(Fin::More), 1 => Just(Fin::Last)];
    let count = prop_oneof![3 => 0_usize..20, 2 => 0_usize..2_000, 1 => 0_usize..30_000];
    prop_oneof![
        2 => len.clone().prop_map(Step::Text),
        2 => len.clone().prop_map(Step::Binary),
        3 => len.clone().prop_map(Step::Owned),
        3 => (len.clone(), count.clone()).prop_map(|(len, count)| Step::AtOnce(len, count)),
        2 => (len, fin).prop_map(|(len, fin)| Step::Fragment(len, fin)),
        2 => short.clone().prop_map(Step::Ping),
        1 => short.clone().prop_map(Step::Pong),
        3 => short.prop_map(Step::Asked),
        4 => count.clone().prop_map(Step::Write),
        3 => count.prop_map(Step::WriteVectored),
        2 => Just(Step::Look),
        1 => (0_usize..40).prop_map(Step::Drain),
    ]
}

/// How many bytes wait when the connections of the model are congested, and when they are no more.
const HIGH: u32 = 3_000;
const LOW: u32 = 400;

/// A connection, and what must have been written in the end.
struct Model {
    role: Role,
    conn: Connection,
    written: Vec<u8>,
    /// What the transport was offered last.
    shown: Vec<u8>,
    messages: Vec<Vec<u8>>,
    /// The message in fragments that is in progress.
    fragments: Option<Vec<u8>>,
    pings: Vec<Vec<u8>>,
    pongs: Vec<Vec<u8>>,
    asked: Vec<Vec<u8>>,
    congested: bool,
    count: u8,
}

impl Model {
    fn new(role: Role, fragment_size: u32) -> Self {
        let config = Config::default()
            .with_fragment_size(fragment_size)
            .with_high_watermark(HIGH)
            .with_low_watermark(LOW);
        Self {
            role,
            conn: common::connection(role, &config),
            written: Vec::new(),
            shown: Vec::new(),
            messages: Vec::new(),
            fragments: None,
            pings: Vec::new(),
            pongs: Vec::new(),
            asked: Vec::new(),
            congested: false,
            count: 0,
        }
    }

    /// Returns a payload unlike the others, of ASCII so that it may be text.
    fn payload(&mut self, len: usize) -> Vec<u8> {
        self.count = (self.count + 1) % 96;
        (0..len)
            .map(|i| b' ' + (self.count + i.to_le_bytes()[0] % 31) % 95)
            .collect()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Text(len) => {
                let payload = self.payload(len);
                let text = str::from_utf8(&payload).expect("ASCII");
                let sent = self.conn.send_text(text);
                self.note(sent, payload);
            }
            Step::Binary(len) => {
                let payload = self.payload(len);
                let sent = self.conn.send_binary(&payload);
                self.note(sent, payload);
            }
            Step::Owned(len) => {
                let payload = self.payload(len);
                let sent = self.conn.send(Bytes::from(payload.clone()));
                self.note(sent.map_err(SendError::from), payload);
            }
            Step::AtOnce(len, count) => self.write_at_once(len, count),
            Step::Fragment(len, fin) => {
                let payload = self.payload(len);
                self.conn
                    .send_fragment(MessageKind::Binary, &payload, fin)
                    .expect("open");
                self.fragments.get_or_insert_default().extend(payload);
                if fin == Fin::Last {
                    self.messages.extend(self.fragments.take());
                }
            }
            Step::Ping(len) => {
                let payload = self.payload(len);
                self.conn.ping(&payload).expect("open");
                self.pings.push(payload);
            }
            Step::Pong(len) => {
                let mut payload = self.payload(len.min(124));
                payload.insert(0, 0);
                self.conn.pong(&payload).expect("open");
                self.pongs.push(payload);
            }
            Step::Asked(len) => {
                let payload = self.payload(len);
                let ping = common::towards(self.role, &naive::frame(0x89, &payload));
                common::hear(&mut self.conn, &ping);
                self.asked.push(payload);
            }
            Step::Write(count) => self.write(count),
            Step::WriteVectored(count) => self.write_vectored(count),
            Step::Look => self.shown = self.conn.outgoing().chunk().to_vec(),
            Step::Drain(but) => {
                let count = self.conn.buffered().saturating_sub(but);
                let mut bytes = vec![0; count];
                self.conn.outgoing().copy_to_slice(&mut bytes);
                self.wrote(&bytes);
            }
        }
        let buffered = self.conn.buffered();
        let stays = self.congested && buffered > LOW as usize;
        self.congested = buffered >= HIGH as usize || stays;
        assert_eq!(self.conn.is_congested(), self.congested, "{buffered} wait");
        if matches!(step, Step::Write(_)) {
            return; // what is queued next must meet the queue as the write has left it
        }
        assert_eq!(self.conn.outgoing().remaining(), self.conn.buffered());
        assert!(
            self.conn.outgoing().chunk().starts_with(&self.shown),
            "what was shown has changed"
        );
    }

    /// Notes a message, which must have been taken unless one in fragments was in progress.
    fn note(&mut self, sent: Result<(), SendError>, payload: Vec<u8>) {
        if self.fragments.is_some() {
            assert_eq!(sent, Err(SendError::MessageInProgress));
        } else {
            sent.expect("open");
            self.messages.push(payload);
        }
    }

    fn write(&mut self, count: usize) {
        let out = self.conn.outgoing();
        let bytes = out.chunk()[..count.min(out.chunk().len())].to_vec();
        out.advance(bytes.len());
        let shown = out.chunk().to_vec();
        self.wrote(&bytes);
        self.shown = shown;
    }

    #[cfg(feature = "std")]
    fn write_at_once(&mut self, len: usize, count: usize) {
        let payload = self.payload(len);
        let waiting = self.conn.buffered();
        let (mut written, mut shown) = (Vec::new(), Vec::new());
        let sent = self.conn.write_binary(&payload, |slices| {
            assert_eq!(waiting, 0, "written before what waits");
            assert!(shown.is_empty(), "offered more than was taken");
            let mut offered = common::join(slices);
            shown = offered.split_off(offered.len().min(count - written.len()));
            written.extend(&offered);
            offered.len()
        });
        self.wrote(&written);
        if waiting == 0 {
            self.shown = shown;
        }
        self.note(sent, payload);
    }

    #[cfg(not(feature = "std"))]
    fn write_at_once(&mut self, len: usize, _: usize) {
        self.step(&Step::Binary(len));
    }

    #[cfg(feature = "std")]
    fn write_vectored(&mut self, count: usize) {
        let offered = vectored(&mut self.conn, 4);
        let bytes = &offered[..count.min(offered.len())];
        self.conn.outgoing().advance(bytes.len());
        self.wrote(bytes);
    }

    #[cfg(not(feature = "std"))]
    fn write_vectored(&mut self, count: usize) {
        self.write(count);
    }

    /// Notes bytes that were written, which must be those that were shown.
    fn wrote(&mut self, bytes: &[u8]) {
        let shown = bytes.len().min(self.shown.len());
        assert_eq!(bytes[..shown], self.shown[..shown], "not what was shown");
        self.shown.drain(..shown);
        self.written.extend(bytes);
    }

    /// Writes the rest and compares.
    fn finish(mut self) {
        if self.fragments.is_some() {
            self.step(&Step::Fragment(0, Fin::Last));
        }
        self.conn.close(None).expect("open");
        #[cfg(feature = "std")]
        let offered = vectored(&mut self.conn, 10_000);
        let rest = take(&mut self.conn);
        #[cfg(feature = "std")]
        assert_eq!(offered, rest, "vectored and sequential bytes differ");
        self.wrote(&rest);

        let (mut messages, mut pings) = (Vec::new(), Vec::new());
        let (mut others, mut answers) = (Vec::new(), Vec::new());
        let (mut open, mut closed) = (false, false);
        for frame in naive::parse(&self.written) {
            assert_eq!(frame.rsv, 0);
            assert!(!closed || frame.opcode >= 9, "data behind a Close");
            match frame.opcode {
                0..=2 => {
                    assert_eq!(frame.opcode == 0, open, "a fragment out of order");
                    if !open {
                        messages.push(Vec::new());
                    }
                    open = !frame.fin;
                    let message: &mut Vec<u8> = messages.last_mut().expect("one has begun");
                    message.extend(frame.payload);
                }
                8 => closed = true,
                9 => pings.push(frame.payload),
                _ if frame.payload.first() == Some(&0) => others.push(frame.payload),
                _ => answers.push(frame.payload),
            }
        }
        assert_eq!(messages, self.messages);
        assert_eq!(pings, self.pings);
        assert_eq!(others, self.pongs);
        assert!(closed && !open);
        assert_eq!(
            answers.last(),
            self.asked.last(),
            "the latest Ping is answered"
        );
        let mut asked = self.asked.iter();
        for answer in &answers {
            assert!(asked.any(|asked| asked == answer), "an answer out of order");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// T-06, CT-03, CT-06, CT-07, CT-08, CL-09, M-04: whatever is queued and however it is written, what is written are
    /// whole frames, all messages in order, all our own Pings and Pongs, the answer to the latest Ping, and one Close.
    #[test]
    fn nothing_is_lost_doubled_or_torn(
        server: bool,
        fragment_size in prop_oneof![Just(u32::MAX), Just(100), Just(5_000)],
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let mut model = Model::new(role, fragment_size);
        for step in &steps {
            model.step(step);
        }
        model.finish();
    }
}

/// T-06: the same over a long life, in which the memory of what was written is used again and again while something
/// always waits.
#[test]
fn nothing_is_lost_over_a_long_life() {
    for role in BOTH {
        let mut random = 1_u32;
        let mut next = |below: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) as usize % below
        };
        let mut model = Model::new(role, u32::MAX);
        model.step(&Step::Text(100));
        for _ in 0..3_000 {
            let len = [next(200), next(200), next(6_000), LARGE][next(4)];
            model.step(&match next(9) {
                0 => Step::Text(len),
                1 => Step::Binary(len),
                2 => Step::Owned(len),
                3 => Step::Fragment(len, [Fin::More, Fin::Last][next(2)]),
                4 => Step::Ping(len % 125),
                5 => Step::Asked(len % 125),
                6 => Step::AtOnce(len, next(6_000)),
                _ => Step::Look,
            });
            let most = model.conn.buffered().saturating_sub(50).min(next(6_000));
            model.step(&Step::Write(most));
        }
        model.finish();
    }
}
