//! A stream that ends before the peer's Close frame: an error that says where it was cut, at each of its bytes.

mod common;

use common::{BOTH, connection, fresh, hear, hear_frames, hex, naive, towards};
use sansocket::{Config, Connection, Delivery, Role, UnexpectedEof};

/// Every kind of frame: messages in one frame and in many, with an empty fragment, in each form of the length; control
/// frames between messages and between fragments; a Close frame, and bytes behind it that nobody hears.
const ALL_KINDS: &str = "\
    81 01 'a' 89 01 'p' 01 02 'bc' 89 00 00 00 8a 02 'no' 80 01 'd' 82 7e 0080 62*128 \
    02 01 'e' 80 00 82 7f 0000000000010000 63*65536 8a 00 82 00 88 03 03e8 'x' 81 05 'late'";

/// Returns for each cut of `frames`, which stand without masks, where that cuts them as they come to `role`: the number of
/// bytes before the cut, and the error, if it is one.
fn cuts(role: Role, frames: &[u8]) -> Vec<(usize, Option<UnexpectedEof>)> {
    let mut cuts = Vec::new();
    let (mut end, mut in_message, mut closed) = (0, false, false);
    let mut rest = frames;
    while !rest.is_empty() && !closed {
        let size = naive::first_len(rest);
        let (frame, behind) = rest.split_at(size);
        let masked = size + if role == Role::Server { 4 } else { 0 };
        let between = if in_message {
            UnexpectedEof::InMessage
        } else {
            UnexpectedEof::BetweenMessages
        };
        cuts.push((end, Some(between)));
        // Of a long payload, the ends are enough.
        let inner = (1..masked).filter(|inner| *inner < 20 || masked - inner < 3);
        cuts.extend(inner.map(|inner| (end + inner, Some(UnexpectedEof::InFrame))));
        if frame[0] & 0x8 == 0 {
            in_message = frame[0] & 0x80 == 0;
        }
        closed = frame[0] & 0xF == 8;
        end += masked;
        rest = behind;
    }
    let all = towards(role, frames).len();
    cuts.extend((end..=all).map(|cut| (cut, None)));
    cuts
}

/// Returns what the end of the stream behind `read` is to a receiving half of `role`, in one read and in many: of a single
/// byte while there are few.
fn eof_of_half(role: Role, config: &Config, read: &[u8]) -> [Option<UnexpectedEof>; 2] {
    let many = if read.len() < 1_000 { 1 } else { 997 };
    [usize::MAX, many].map(|step| {
        let mut receiver = connection(role, config).split().0;
        for piece in read.to_vec().chunks_mut(step) {
            let mut input = piece;
            while receiver.receive(&mut input).expect("legal").is_some() {}
        }
        let eof = receiver.receive_eof().err();
        assert_eq!(receiver.receive_eof(), Ok(()), "it is told once");
        eof
    })
}

/// Does what [`eof_of_half`] does with a connection.
fn eof_of(mut conn: Connection, read: &[u8]) -> Option<UnexpectedEof> {
    hear(&mut conn, read);
    let eof = conn.receive_eof().err();
    assert_eq!(conn.receive_eof(), Ok(()), "it is told once");
    eof
}

/// CL-32, FA-06: at each cut, the end of the stream is an error until the peer's Close frame has come whole, and says
/// whether it lies within a frame, within a message or between messages; before and after our own Close frame.
#[test]
fn an_end_before_the_peers_close_is_an_error_that_says_where() {
    let frames = hex(ALL_KINDS);
    for role in BOTH {
        let bytes = towards(role, &frames);
        for (cut, expected) in cuts(role, &frames) {
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                let config = Config::default().with_delivery(delivery);
                let case = format!("{cut} bytes to a {role:?}, {delivery:?}");
                let conn = connection(role, &config);
                assert_eq!(eof_of(conn, &bytes[..cut]), expected, "{case}");
                let mut closing = connection(role, &config);
                closing.close(None).expect("open");
                assert_eq!(eof_of(closing, &bytes[..cut]), expected, "{case}");
                let of_halves = eof_of_half(role, &config, &bytes[..cut]);
                assert_eq!(of_halves, [expected; 2], "{case}");
            }
        }
    }
}

/// CL-32, FA-06: the same with compressed messages.
#[cfg(feature = "deflate")]
#[test]
fn an_end_within_a_compressed_message_is_an_error_that_says_where() {
    let params = sansocket::deflate::Params::default();
    let config = Config::default();
    let frames = hex("c1 07 f248cdc9c90700 41 03 f248cd 89 00 80 04 c9c90700 82 01 'a' 88 00");
    for role in BOTH {
        let bytes = towards(role, &frames);
        for (cut, expected) in cuts(role, &frames) {
            let conn = connection(role, &config.with_deflate(params));
            assert_eq!(eof_of(conn, &bytes[..cut]), expected, "{cut} to {role:?}");
        }
    }
}

/// CL-32, FA-01: a connection that has failed, by the peer's fault or by the application's will, is not torn off as well.
#[test]
fn the_end_of_a_failed_connection_is_no_error() {
    for role in BOTH {
        for input in ["83", "81 01 ff", "01 01 'a' 81", "88 02 03ed"] {
            let mut conn = fresh(role);
            hear_frames(&mut conn, role, input);
            assert_eq!(conn.receive_eof(), Ok(()), "{input} to a {role:?}");
        }
        for input in ["", "81", "01 01 'a'"] {
            let mut conn = fresh(role);
            hear_frames(&mut conn, role, input);
            conn.fail(common::closing(1011, "")).expect("open");
            assert_eq!(conn.receive_eof(), Ok(()), "{input} to a {role:?}");
        }
    }
}

/// A log shows the error as text.
#[test]
fn each_end_has_a_text_of_its_own() {
    let texts = [
        UnexpectedEof::BeforeHead,
        UnexpectedEof::InHead,
        UnexpectedEof::InFrame,
        UnexpectedEof::InMessage,
        UnexpectedEof::BetweenMessages,
    ]
    .map(|eof| eof.to_string());
    for (i, text) in texts.iter().enumerate() {
        assert!(text.starts_with("the stream ended "), "{text}");
        assert!(!texts[..i].contains(text), "{text}");
    }
}
