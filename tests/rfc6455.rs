//! RFC 6455, section by section: what each rule asks of a connection behind its opening handshake.

mod common;

use common::vectors::{self, Case};
use common::{BOTH, Heard, explained, hear, hear_frames, hex, naive, run, show, take, take_frames};
use sansocket::{Config, Connection, Role};

/// Checks each case in each role that it is for.
fn check(cases: &[Case]) {
    for case in cases {
        for role in BOTH {
            let bytes = match case.role {
                Some(only) if only != role => continue,
                Some(_) => hex(case.bytes),
                None => common::towards(role, &hex(case.bytes)),
            };
            let Heard { events, wrote } = run(
                role,
                Config::default(),
                common::Feed::Slice,
                [bytes.as_slice()],
            );
            assert_eq!(events, case.heard, "{} to a {role:?}", case.name);
            assert_eq!(
                naive::describe(&wrote, role),
                explained(case.heard, case.answers),
                "{} to a {role:?}",
                case.name
            );
        }
    }
}

/// Feeds a transcript to both roles byte by byte, behind the frames `before`: it must fail with `error` at the byte with
/// the number `at`, the first one being 1. A server's mask comes behind what these transcripts show.
fn check_fails_at(before: &str, transcript: &str, error: &str, at: usize) {
    for role in BOTH {
        let mut conn = common::fresh(role);
        assert!(hear_frames(&mut conn, role, before).is_empty());
        let bytes = common::towards(role, &hex(transcript));
        assert!(bytes.len() >= at, "{transcript} is too short");
        for (i, &byte) in (1..at).zip(&bytes) {
            let heard = hear(&mut conn, &[byte]);
            assert!(
                heard.is_empty(),
                "{transcript} to a {role:?} at {i}: {heard:?}"
            );
        }
        let heard = hear(&mut conn, &[bytes[at - 1]]);
        assert_eq!(heard, [error], "{transcript} to a {role:?} at {at}");
    }
}

mod s5_1_masking_direction {
    use super::*;

    /// F-07, F-08, SC-01: a frame masked the wrong way fails the connection with 1002.
    #[test]
    fn a_frame_masked_the_wrong_way_fails_the_connection() {
        check(vectors::WRONG_MASK);
    }

    /// F-07, F-08, F-15: it does so at the second byte, which holds the bit.
    #[test]
    fn a_wrong_mask_is_reported_at_the_second_byte() {
        for (role, bytes, error) in [
            (Role::Server, [0x81, 0x05], "fails UnmaskedFrame 1002"),
            (Role::Client, [0x81, 0x85], "fails MaskedFrame 1002"),
        ] {
            let mut conn = common::fresh(role);
            assert!(hear(&mut conn, &bytes[..1]).is_empty());
            assert_eq!(hear(&mut conn, &bytes[1..]), [error]);
        }
    }

    /// F-05, F-06, CT-11, CL-26: whatever a client sends is masked, whatever a server sends is not.
    #[test]
    fn clients_mask_every_frame_and_servers_none() {
        for role in BOTH {
            let config = Config::default().with_fragment_size(4);
            let mut conn = common::connection(role, &config);
            conn.send_text("Hello").expect("open");
            conn.send_binary(b"").expect("open");
            conn.send(bytes::Bytes::from(vec![7; 9])).expect("open");
            conn.ping(b"").expect("open");
            conn.pong(b"x").expect("open");
            hear_frames(&mut conn, role, "89 01 'p' 88 00");
            let frames = naive::parse(&take(&mut conn));
            assert_eq!(frames.len(), 10);
            for frame in frames {
                assert_eq!(frame.key.is_some(), role == Role::Client, "{frame:?}");
            }
        }
    }
}

mod s5_2_framing {
    use super::*;

    /// F-02, CT-12, SC-02, SC-06, X-10: no extension is in use, so no reserved bit may be set on any frame.
    #[test]
    fn a_reserved_bit_fails_the_connection() {
        check(vectors::RESERVED_BITS);
    }

    /// F-04, SC-02: opcodes 3 to 7 and 11 to 15 have no meaning.
    #[test]
    fn a_reserved_opcode_fails_the_connection() {
        check(vectors::RESERVED_OPCODES);
    }

    /// F-01, F-12: the three forms of a length, at both ends of each.
    #[test]
    fn each_form_of_the_length_is_understood() {
        check(vectors::LENGTH_FORMS);
    }

    /// F-10, SC-02: a length must stand in its shortest form.
    #[test]
    fn a_length_in_a_longer_form_fails_the_connection() {
        check(vectors::LENGTHS_NOT_MINIMAL);
    }

    /// F-11, SC-02: the most significant bit of a 64-bit length must be 0.
    #[test]
    fn a_length_with_its_top_bit_set_fails_the_connection() {
        check(vectors::LENGTHS_OUT_OF_RANGE);
    }

    /// F-13: a frame of any kind may be empty, and an empty message is one.
    #[test]
    fn any_frame_may_be_empty() {
        check(vectors::EMPTY_PAYLOADS);
    }

    /// F-15: where a header breaks several rules, its first bad byte decides.
    #[test]
    fn the_first_bad_byte_decides() {
        check(vectors::FIRST_BROKEN_RULE);
    }

    /// F-15, CT-01: each error of a header is reported at the byte that makes it certain, without the payload.
    #[test]
    fn header_errors_are_reported_at_the_byte_that_shows_them() {
        check_fails_at("", "c1", "fails ReservedBits 1002", 1);
        check_fails_at("", "83", "fails ReservedOpcode 1002", 1);
        check_fails_at("", "8f", "fails ReservedOpcode 1002", 1);
        check_fails_at("", "80", "fails UnexpectedContinuation 1002", 1);
        check_fails_at("", "00", "fails UnexpectedContinuation 1002", 1);
        check_fails_at("01 00", "01", "fails ExpectedContinuation 1002", 1);
        check_fails_at("", "09", "fails FragmentedControlFrame 1002", 1);
        check_fails_at("", "89 7e", "fails OversizedControlFrame 1002", 2);
        check_fails_at("", "88 7f", "fails OversizedControlFrame 1002", 2);
        check_fails_at("", "88 01", "fails TruncatedCloseCode 1002", 2);
        check_fails_at("01 01 'a'", "88 01", "fails TruncatedCloseCode 1002", 2);
        check_fails_at("", "82 7f 80", "fails LengthOutOfRange 1002", 3);
        // 16 bits must hold 126, which only the second byte decides; 64 bits must hold 65,536, and six bytes of zero
        // are enough to see that they do not.
        check_fails_at("", "82 7e 00 7d", "fails LengthNotMinimal 1002", 4);
        check_fails_at("", "82 7f 00*6", "fails LengthNotMinimal 1002", 8);
    }

    /// F-16, SC-08: a length over the limit is reported where the header ends.
    #[test]
    fn a_length_over_the_limit_is_reported_at_the_end_of_the_header() {
        let mut client = common::fresh(Role::Client);
        assert!(hear(&mut client, &hex("82 7f 00 00 00 00 04 00 00")).is_empty());
        assert_eq!(hear(&mut client, &[1]), ["fails FrameTooLarge 1009"]);
    }

    /// F-14, F-15: an unfinished frame is waited for, wherever it is cut.
    #[test]
    fn an_unfinished_frame_is_waited_for() {
        check(vectors::UNFINISHED);
    }

    /// F-14, T-05: many frames in one read are heard one by one, in order.
    #[test]
    fn many_frames_in_one_read_are_heard_in_order() {
        check(vectors::MANY_FRAMES);
    }

    /// F-03, F-09: a length is sent in its shortest form, and with reserved bits clear, as the naive reader checks of all
    /// that is sent in these tests.
    #[test]
    fn lengths_are_sent_in_their_shortest_form() {
        for (len, header) in [
            (0, "82 00"),
            (125, "82 7d"),
            (126, "82 7e 00 7e"),
            (127, "82 7e 00 7f"),
            (65_535, "82 7e ff ff"),
            (65_536, "82 7f 00 00 00 00 00 01 00 00"),
        ] {
            let mut server = common::fresh(Role::Server);
            let payload = vec![b'a'; len];
            server.send_binary(&payload).expect("open");
            let bytes = take(&mut server);
            assert!(bytes.starts_with(&hex(header)), "{len}");
            let described = format!("binary {}", show(&payload));
            assert_eq!(naive::describe(&bytes, Role::Server), [described]);
        }
    }
}

mod s5_3_masking {
    use super::*;

    /// M-01, M-05, M-06: a server unmasks with whatever key comes, zero among them, a new one with each frame.
    #[test]
    fn a_server_takes_any_key() {
        check(vectors::ANY_KEY);
    }

    /// M-01, F-12: what a client masks is the example of RFC 6455 §5.7 to the byte.
    #[test]
    fn a_client_masks_as_in_the_example() {
        let mut client = Connection::client_with_keys(&Config::default(), common::EXAMPLE_KEY);
        client.send_text("Hello").expect("open");
        assert_eq!(take(&mut client), hex("81 85 37fa213d 7f9f4d5158"));
    }

    /// M-02, S-07: each frame takes the next key: data, fragments, Ping, Pong and Close alike.
    #[test]
    fn each_frame_takes_a_new_key() {
        use core::cell::Cell;

        std::thread_local! {
            static NEXT: Cell<u8> = const { Cell::new(0) };
        }
        let config = Config::default().with_fragment_size(3);
        let mut client = Connection::client_with_keys(&config, || {
            NEXT.set(NEXT.get() + 1);
            [NEXT.get(); 4]
        });
        client.send_text("Hello").expect("open");
        client.send_binary(b"").expect("open");
        client.send("owned").expect("open");
        client.ping(b"ping").expect("open");
        client.pong(b"pong").expect("open");
        hear(&mut client, &hex("89 01 'p' 88 00"));
        let frames = naive::parse(&take(&mut client));
        let mut keys: Vec<_> = frames.iter().filter_map(|frame| frame.key).collect();
        keys.sort_unstable();
        let expected: Vec<_> = (1..=9).map(|n| [n; 4]).collect();
        assert_eq!(keys, expected);
    }

    /// M-03, M-08: without a source named for tests, keys come from a seeded generator and do not repeat.
    #[test]
    #[cfg(feature = "getrandom")]
    fn keys_are_random_by_default() {
        let mut client = Connection::client(&Config::default());
        let frames = 1_000;
        for _ in 0..frames {
            client.send_binary(b"").expect("open");
        }
        let mut keys: Vec<_> = naive::parse(&take(&mut client))
            .iter()
            .filter_map(|frame| frame.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        // Two of a thousand are the same once in ten thousand runs; three pairs are not chance.
        assert!(keys.len() > frames - 3, "{} keys", keys.len());
    }

    /// M-03: no two threads have the same keys.
    #[test]
    #[cfg(feature = "getrandom")]
    fn each_thread_has_keys_of_its_own() {
        let keys = || {
            let thread = std::thread::spawn(|| [(); 4].map(|()| sansocket::random::mask_key()));
            thread.join().expect("keys")
        };
        assert_ne!(keys(), keys());
    }

    /// M-03: nor do keys run out or repeat where the thread ends, and its generator is gone already.
    #[test]
    #[cfg(feature = "getrandom")]
    fn keys_are_random_to_the_end_of_a_thread() {
        use std::cell::RefCell;
        use std::collections::HashSet;
        use std::sync::mpsc;

        struct AtEnd(mpsc::Sender<[u8; 4]>);

        impl Drop for AtEnd {
            fn drop(&mut self) {
                for _ in 0..200 {
                    let key = sansocket::random::mask_key();
                    self.0.send(key).expect("someone listens");
                }
            }
        }

        std::thread_local! {
            static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
        }

        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(|| {
            // What is used first is dropped last.
            AT_END.set(Some(AtEnd(sender)));
            sansocket::random::mask_key()
        });
        let first = thread.join().expect("a key");
        let keys: HashSet<_> = receiver.iter().chain([first]).collect();
        assert!(keys.len() > 201 - 2, "{} keys", keys.len());
    }

    /// M-04: what has been queued stays as it was, whatever becomes of the application's buffer.
    #[test]
    fn a_queued_payload_cannot_be_changed() {
        for role in BOTH {
            let mut conn = common::fresh(role);
            let mut payload = *b"before";
            conn.send_binary(&payload).expect("open");
            payload.copy_from_slice(b"behind");
            assert_eq!(take_frames(&mut conn, role), [r#"binary "before""#]);
        }
    }
}

mod s5_4_fragmentation {
    use super::*;
    use sansocket::{Fin, MessageKind, SendError};

    /// FR-01, FR-04, FR-05, FR-10: fragments of any number and size make one message of the first one's kind.
    #[test]
    fn fragments_are_joined_in_order() {
        check(vectors::FRAGMENTS);
    }

    /// FR-02, SC-03: there must be a message to continue.
    #[test]
    fn a_lone_continuation_fails_the_connection() {
        check(vectors::LONE_CONTINUATIONS);
    }

    /// FR-03, SC-03: messages must not be interleaved.
    #[test]
    fn a_message_inside_a_message_fails_the_connection() {
        check(vectors::INTERLEAVED);
    }

    /// CT-04: control frames between fragments are heard at once and disturb nothing.
    #[test]
    fn control_frames_may_interrupt_a_message() {
        check(vectors::CONTROL_IN_MESSAGES);
    }

    /// FR-07: however a message is cut into frames, it is the same message.
    #[test]
    fn frame_boundaries_carry_no_meaning() {
        let message = "a message of some words, with a € in it".as_bytes();
        for size in 1..=message.len() {
            let mut frames = Vec::new();
            let pieces: Vec<_> = message.chunks(size).collect();
            for (i, piece) in pieces.iter().enumerate() {
                let fin = if i + 1 == pieces.len() { 0x80 } else { 0 };
                frames.extend(naive::frame(fin | u8::from(i == 0), piece));
            }
            for role in BOTH {
                let mut conn = common::fresh(role);
                let heard = hear(&mut conn, &common::towards(role, &frames));
                assert_eq!(
                    heard,
                    [format!("text {}", show(message))],
                    "{size} to a {role:?}"
                );
            }
        }
    }

    /// FR-06, F-13, T-02, T-03: messages longer than the frame size go out in fragments, cut at any byte.
    #[test]
    fn long_messages_are_fragmented() {
        for role in BOTH {
            let config = Config::default().with_fragment_size(4);
            let mut conn = common::connection(role, &config);
            conn.send_text("Hel€lo").expect("open");
            conn.send_binary(b"1234").expect("open");
            conn.send_binary(b"").expect("open");
            assert_eq!(
                take_frames(&mut conn, role),
                [
                    "text 48 65 6c e2...",
                    "continuation 82 ac 6c 6f",
                    r#"binary "1234""#,
                    r#"binary """#,
                ]
            );
        }
    }

    /// CT-03, FR-06, UT-08: an application sends a message in pieces, with a Ping between them, cut inside a character.
    #[test]
    fn a_message_can_be_sent_in_pieces() {
        for role in BOTH {
            let mut conn = common::fresh(role);
            conn.send_fragment(MessageKind::Text, b"\xe2\x82", Fin::More)
                .expect("the first");
            assert_eq!(take_frames(&mut conn, role), ["text e2 82..."]);
            conn.ping(b"p").expect("open");
            assert_eq!(take_frames(&mut conn, role), [r#"ping "p""#]);
            conn.send_fragment(MessageKind::Text, b"", Fin::More)
                .expect("an empty one");
            conn.send_fragment(MessageKind::Text, b"\xac", Fin::Last)
                .expect("the last");
            conn.send_text("next").expect("the message has ended");
            assert_eq!(
                take_frames(&mut conn, role),
                [r#"continuation ""..."#, "continuation ac", r#"text "next""#]
            );
        }
    }

    /// FR-03: no message can be sent inside another one, nor can a fragment be of another kind.
    #[test]
    fn messages_are_not_interleaved_by_the_sender() {
        let mut conn = common::fresh(Role::Server);
        conn.send_fragment(MessageKind::Binary, b"a", Fin::More)
            .expect("the first");
        let busy = Err(SendError::MessageInProgress);
        assert_eq!(conn.send_text("b"), busy);
        assert_eq!(conn.send_binary(b"b"), busy);
        assert_eq!(conn.send_fragment(MessageKind::Text, b"b", Fin::Last), busy);
        let refused = conn.send("b").expect_err("a message is in progress");
        assert_eq!(refused.error, SendError::MessageInProgress);
        assert_eq!(refused.message, "b".into());
        conn.send_fragment(MessageKind::Binary, b"c", Fin::Last)
            .expect("the last");
        assert_eq!(
            take_frames(&mut conn, Role::Server),
            [r#"binary "a"..."#, r#"continuation "c""#]
        );
    }

    /// FR-06: no frame that is sent holds more than the frame size, a fragment of the application's among them.
    #[test]
    fn a_long_fragment_is_fragmented_too() {
        for role in BOTH {
            let config = Config::default().with_fragment_size(3);
            let mut conn = common::connection(role, &config);
            conn.send_fragment(MessageKind::Binary, b"abcdefg", Fin::More)
                .expect("the first");
            conn.send_fragment(MessageKind::Binary, b"hijk", Fin::Last)
                .expect("the last");
            assert_eq!(
                take_frames(&mut conn, role),
                [
                    r#"binary "abc"..."#,
                    r#"continuation "def"..."#,
                    r#"continuation "g"..."#,
                    r#"continuation "hij"..."#,
                    r#"continuation "k""#,
                ]
            );
        }
    }

    /// FR-09: parts of a message are delivered before it ends, if the application wants them.
    #[test]
    fn chunks_are_delivered_as_they_arrive() {
        let config = Config::default().with_delivery(sansocket::Delivery::Chunks);
        let mut client = common::connection(Role::Client, &config);
        for (bytes, heard) in [
            ("01", &[][..]),
            ("05 'He'", &[r#"chunk of text "He""#]),
            ("e2", &["chunk of text e2"]),
            ("82 ac", &["chunk of text 82 ac"]),
            ("89 00", &[r#"ping """#]),
            ("00 00", &[r#"chunk of text """#]),
            ("80 01 '!'", &[r#"last chunk of text "!""#]),
            ("82 02 'x'", &[r#"chunk of binary "x""#]),
            (
                "'y' 82 00",
                &[r#"last chunk of binary "y""#, r#"last chunk of binary """#],
            ),
            ("02 01 'z'", &[r#"chunk of binary "z""#]),
            ("80 00", &[r#"last chunk of binary """#]),
        ] {
            assert_eq!(hear(&mut client, &hex(bytes)), heard, "{bytes}");
        }
    }
}

mod s5_5_control_frames {
    use super::*;

    /// CT-01, SC-03: 125 bytes and no more.
    #[test]
    fn a_control_frame_of_more_than_125_bytes_fails_the_connection() {
        check(vectors::LONG_CONTROL_FRAMES);
    }

    /// CT-02, SC-03: a control frame has FIN set.
    #[test]
    fn a_fragmented_control_frame_fails_the_connection() {
        check(vectors::CUT_CONTROL_FRAMES);
    }

    /// CT-05, CT-06: a Ping is answered by a Pong with the same payload, whatever bytes that is.
    #[test]
    fn a_ping_is_answered_with_its_own_payload() {
        check(vectors::PINGS);
    }

    /// CT-09: a Pong that nobody asked for is heard and needs no answer.
    #[test]
    fn an_unsolicited_pong_is_no_error() {
        check(vectors::PONGS);
    }

    /// CT-09, CT-10, F-17: either end may send Pings and Pongs at any time while the connection is open.
    #[test]
    fn pings_and_pongs_can_be_sent_at_any_time() {
        for role in BOTH {
            let mut conn = common::fresh(role);
            conn.ping(b"?").expect("open");
            conn.pong(b"!").expect("open");
            conn.ping(&[0; 125]).expect("125 bytes");
            let mut sent = take_frames(&mut conn, role);
            sent.sort_unstable();
            assert_eq!(sent, [r#"ping "?""#, "ping 00*125", r#"pong "!""#]);
        }
    }

    /// CT-01: a payload of 126 bytes is refused, and nothing is sent.
    #[test]
    fn an_oversized_control_frame_is_not_sent() {
        let mut conn = common::fresh(Role::Client);
        let too_long = Err(sansocket::SendError::ControlTooLong);
        assert_eq!(conn.ping(&[0; 126]), too_long);
        assert_eq!(conn.pong(&[0; 126]), too_long);
        assert_eq!(conn.buffered(), 0);
    }
}

mod s5_5_1_close {
    use super::*;

    /// CL-02, CL-06, CL-08, CL-18: a Close frame is answered by one with the same code, an empty one by an empty one.
    #[test]
    fn a_close_is_answered_with_the_same_code() {
        check(vectors::CLOSES);
    }

    /// CL-24, CL-25, SC-14: every assigned code and those of libraries and applications are taken and echoed.
    #[test]
    fn every_code_that_may_be_sent_is_taken() {
        check(vectors::CLOSE_CODES);
    }

    /// CL-23, CL-24, SC-04, SC-15: any other code fails the connection.
    #[test]
    fn any_other_code_fails_the_connection() {
        check(vectors::BAD_CLOSE_CODES);
    }

    /// CL-23, CL-24, CL-25: the same for all 65,536 codes, against the list of RFC 6455 §7.4 and of the IANA registry.
    #[test]
    fn the_codes_are_those_of_the_registry() {
        for code in 0..=u16::MAX {
            let assigned = [
                1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
            ];
            let allowed = assigned.contains(&code) || (3000..5000).contains(&code);
            let parsed = sansocket::CloseFrame::parse(&code.to_be_bytes());
            assert_eq!(parsed.is_ok(), allowed, "{code}");
            let code = sansocket::CloseCode(code);
            assert_eq!(code.is_receivable(), allowed, "{code}");
            assert_eq!(code.is_sendable(Role::Client), allowed, "{code}");
            let by_server = allowed && code.0 != 1010;
            assert_eq!(code.is_sendable(Role::Server), by_server, "{code}");
        }
    }

    /// CL-03, SC-04: one byte is half a code.
    #[test]
    fn half_a_code_fails_the_connection() {
        check(vectors::HALF_CODES);
    }

    /// CL-05, UT-07, SC-05: the reason is UTF-8.
    #[test]
    fn a_reason_that_is_not_utf8_fails_the_connection() {
        check(vectors::BAD_REASONS);
    }

    /// CL-27: a Close frame between fragments drops the unfinished message and closes as usual.
    #[test]
    fn a_close_inside_a_message_is_a_close() {
        check(vectors::CLOSE_IN_MESSAGE);
    }

    /// CL-12, CL-10: what follows the peer's Close frame is ignored, whatever it is.
    #[test]
    fn nothing_is_heard_after_a_close() {
        check(vectors::AFTER_CLOSE);
    }
}

mod s5_7_examples {
    use super::*;

    /// F-18: every example of RFC 6455 §5.7 is heard as it says.
    #[test]
    fn every_example_is_understood() {
        check(vectors::EXAMPLES);
    }

    /// F-18: and sent as it stands there.
    #[test]
    fn every_example_is_sent() {
        use sansocket::{Fin, MessageKind};

        let mut server = common::fresh(Role::Server);
        server.send_text("Hello").expect("open");
        assert_eq!(take(&mut server), hex("81 05 'Hello'"));
        server
            .send_fragment(MessageKind::Text, b"Hel", Fin::More)
            .expect("open");
        server
            .send_fragment(MessageKind::Text, b"lo", Fin::Last)
            .expect("open");
        assert_eq!(take(&mut server), hex("01 03 'Hel' 80 02 'lo'"));
        server.ping(b"Hello").expect("open");
        assert_eq!(take(&mut server), hex("89 05 'Hello'"));
        server.send_binary(&[7; 256]).expect("open");
        assert_eq!(take(&mut server), hex("82 7e 0100 07*256"));
        server.send_binary(&vec![7; 65_536]).expect("open");
        assert_eq!(take(&mut server), hex("82 7f 0000000000010000 07*65536"));

        let mut client = Connection::client_with_keys(&Config::default(), common::EXAMPLE_KEY);
        hear(&mut client, &hex("89 05 'Hello'"));
        assert_eq!(take(&mut client), hex("8a 85 37fa213d 7f9f4d5158"));
    }
}

mod s6_sending_and_receiving {
    use super::*;
    use common::Pair;
    use sansocket::{Fin, MessageKind, SendError};

    /// T-02, T-03, T-05, T-06, M-01: what one end sends, the other one hears, for all sizes around the forms of a length.
    #[test]
    fn what_one_end_sends_the_other_hears() {
        for fragment_size in [u32::MAX, 1_000, 100] {
            let config = Config::default().with_fragment_size(fragment_size);
            let mut pair = Pair::new(&config);
            let mut expected = Vec::new();
            for len in [
                0, 1, 3, 4, 7, 31, 125, 126, 127, 4_095, 4_096, 65_535, 65_536, 70_001,
            ] {
                let text = "aé€𝄞".repeat(len / 10 + 1);
                let data: Vec<_> = (0..len).map(|i| i.to_le_bytes()[0]).collect();
                for conn in [&mut pair.client, &mut pair.server] {
                    conn.send_text(&text).expect("open");
                    conn.send_binary(&data).expect("open");
                    conn.send(bytes::Bytes::from(data.clone())).expect("open");
                }
                expected.push(format!("text {}", show(text.as_bytes())));
                expected.push(format!("binary {}", show(&data)));
                expected.push(format!("binary {}", show(&data)));
                pair.drive();
            }
            assert_eq!(pair.heard_by_server, expected);
            assert_eq!(pair.heard_by_client, expected);
        }
    }

    /// T-01, T-07, CL-09: after our own Close frame data is refused, with the message handed back.
    #[test]
    fn data_is_refused_after_our_close() {
        for role in BOTH {
            let mut conn = common::fresh(role);
            conn.close(None).expect("open");
            let sent = take(&mut conn);
            let closed = Err(SendError::Closed);
            assert_eq!(conn.send_text("a"), closed);
            assert_eq!(conn.send_binary(b"a"), closed);
            assert_eq!(
                conn.send_fragment(MessageKind::Text, b"a", Fin::Last),
                closed
            );
            let refused = conn.send("a").expect_err("closed");
            assert_eq!(
                (refused.error, refused.message),
                (SendError::Closed, "a".into())
            );
            assert_eq!(conn.buffered(), 0);
            assert_eq!(naive::describe(&sent, role), ["close"]);
        }
    }

    /// CL-09, T-01: nor can a message in fragments go on.
    #[test]
    fn a_message_is_not_continued_after_our_close() {
        let mut conn = common::fresh(Role::Server);
        conn.send_fragment(MessageKind::Text, b"a", Fin::More)
            .expect("open");
        conn.close(None).expect("open");
        let last = conn.send_fragment(MessageKind::Text, b"b", Fin::Last);
        assert_eq!(last, Err(SendError::Closed));
        let sent = take_frames(&mut conn, Role::Server);
        assert_eq!(sent, [r#"text "a"..."#, "close"]);
    }
}

mod s7_4_status_codes {
    use super::*;
    use common::closing;
    use sansocket::{CloseCode, ProtocolError, SendError};

    /// CL-21, CL-22, SC-09, SC-10, SC-11, SC-12, SC-13, SC-14, SC-15: what an application may close with.
    #[test]
    fn only_codes_that_may_be_sent_are_sent() {
        for role in BOTH {
            for code in (0..=6_000).chain([u16::MAX]) {
                let mut conn = common::fresh(role);
                let closed = conn.close(Some(closing(code, "")));
                let allowed = match code {
                    1010 => role == Role::Client,
                    1000..=1003 | 1007..=1014 | 3000..=4999 => true,
                    _ => false,
                };
                if allowed {
                    assert_eq!(closed, Ok(()), "{code}");
                    let sent = take_frames(&mut conn, role);
                    assert_eq!(sent, [format!("close {code}")]);
                } else {
                    assert_eq!(closed, Err(SendError::InvalidCloseCode), "{code}");
                    let failed = conn.fail(closing(code, ""));
                    assert_eq!(failed, Err(SendError::InvalidCloseCode), "{code}");
                    assert_eq!(conn.buffered(), 0, "{code}");
                    assert!(conn.is_open(), "{code}");
                }
            }
        }
    }

    /// CL-01, CL-04, UT-08: a reason of 123 bytes is sent, one more is refused, and nothing is cut.
    #[test]
    fn a_reason_has_at_most_123_bytes() {
        for role in BOTH {
            let mut conn = common::fresh(role);
            let too_long = closing(1000, &"€".repeat(42));
            assert_eq!(too_long.reason.len(), 126);
            assert_eq!(
                conn.close(Some(too_long.clone())),
                Err(SendError::ReasonTooLong)
            );
            assert_eq!(conn.fail(too_long), Err(SendError::ReasonTooLong));
            let by_one = closing(1000, &"a".repeat(124));
            assert_eq!(conn.close(Some(by_one)), Err(SendError::ReasonTooLong));
            assert!(conn.is_open());
            let reason = "€".repeat(41);
            conn.close(Some(closing(1000, &reason))).expect("123 bytes");
            let sent = take_frames(&mut conn, role);
            assert_eq!(sent, [format!("close 1000 {reason:?}")]);
        }
    }

    /// SC-01, SC-02, SC-03, SC-04, SC-05, SC-08: each violation is answered with the code that fits it.
    #[test]
    fn each_error_has_its_code() {
        use ProtocolError as E;

        for (code, errors) in [
            (
                CloseCode::PROTOCOL_ERROR,
                &[
                    E::UnmaskedFrame,
                    E::MaskedFrame,
                    E::ReservedBits,
                    E::ReservedOpcode,
                    E::LengthNotMinimal,
                    E::LengthOutOfRange,
                    E::UnexpectedContinuation,
                    E::ExpectedContinuation,
                    E::OversizedControlFrame,
                    E::FragmentedControlFrame,
                    E::TruncatedCloseCode,
                    E::InvalidCloseCode,
                ][..],
            ),
            (
                CloseCode::INVALID_FRAME_PAYLOAD_DATA,
                &[E::InvalidUtf8, E::InvalidCloseReason],
            ),
            (
                CloseCode::POLICY_VIOLATION,
                &[
                    E::TooManyFragments,
                    E::TooManyEmptyFragments,
                    E::TooManyControlFrames,
                ],
            ),
            (
                CloseCode::MESSAGE_TOO_BIG,
                &[E::FrameTooLarge, E::MessageTooLarge],
            ),
        ] {
            for error in errors {
                assert_eq!(error.close_code(), code, "{error:?}");
                let text = error.to_string();
                assert!(
                    !text.ends_with('.') && text.starts_with(char::is_lowercase),
                    "{text}"
                );
            }
        }
    }
}

mod s7_failing {
    use super::*;

    /// FA-01, FA-02, FA-04, FA-08: what came before the bad byte is heard, nothing behind it is, and a Close says why.
    #[test]
    fn nothing_behind_the_bad_byte_is_heard() {
        check(vectors::BEFORE_FAILURE);
    }

    /// FA-04: once failed, every call fails the same way, and sends nothing more.
    #[test]
    fn a_failure_is_for_good() {
        for role in BOTH {
            let mut conn = common::fresh(role);
            let failure = ["fails ReservedOpcode 1002"];
            assert_eq!(hear_frames(&mut conn, role, "83 00"), failure);
            let close = explained(&failure, &["close 1002"]);
            assert_eq!(take_frames(&mut conn, role), close);
            for input in ["", "81 01 'a'", "89 00", "88 00"] {
                assert_eq!(hear_frames(&mut conn, role, input), failure);
            }
            assert_eq!(conn.buffered(), 0);
        }
    }
}

mod s8_utf8 {
    use super::*;

    /// UT-01, UT-09: valid text of all lengths, with the characters that are often refused by mistake.
    #[test]
    fn valid_text_is_heard_as_it_is() {
        check(vectors::GOOD_TEXT);
    }

    /// UT-03, UT-04, SC-05: any sequence that is not UTF-8 fails the connection with 1007.
    #[test]
    fn invalid_text_fails_the_connection() {
        check(vectors::BAD_TEXT);
    }

    /// UT-05: a text must end with a whole character.
    #[test]
    fn a_text_that_ends_inside_a_character_fails_the_connection() {
        check(vectors::CUT_TEXT);
    }

    /// UT-02, FR-06: but fragments may end inside a character.
    #[test]
    fn a_character_may_straddle_fragments() {
        check(vectors::STRADDLING_TEXT);
    }

    /// UT-06: text fails at its first bad byte, not at the end of the frame or message.
    #[test]
    fn invalid_text_fails_at_its_first_bad_byte() {
        for (good, bad) in [
            ("", "ff"),
            ("'abc'", "80"),
            ("e2 82", "'a'"),
            ("ed", "a0"),
            ("f4", "90"),
            ("c3 a9 f0", "80"),
        ] {
            for role in BOTH {
                for first in [0x81, 0x01] {
                    let payload = [hex(good), hex(bad), vec![b'a'; 50]].concat();
                    let bytes = common::towards(role, &naive::frame(first, &payload));
                    let at = bytes.len() - payload.len() + hex(good).len();
                    let mut conn = common::fresh(role);
                    for byte in &bytes[..at] {
                        assert!(hear(&mut conn, &[*byte]).is_empty());
                    }
                    let heard = hear(&mut conn, &bytes[at..=at]);
                    assert_eq!(heard, ["fails InvalidUtf8 1007"], "{good} {bad}");
                }
            }
        }
    }

    /// UT-08: text sent in fragments is checked, too, and nothing is sent of what is not UTF-8.
    #[test]
    fn invalid_text_is_not_sent() {
        use sansocket::{Fin, MessageKind, SendError};

        let invalid = Err(SendError::InvalidUtf8);
        let mut conn = common::fresh(Role::Server);
        assert_eq!(
            conn.send_fragment(MessageKind::Text, b"\xff", Fin::More),
            invalid
        );
        assert_eq!(
            conn.send_fragment(MessageKind::Text, b"\xe2", Fin::Last),
            invalid
        );
        conn.send_fragment(MessageKind::Text, b"\xe2", Fin::More)
            .expect("a character that may go on");
        assert_eq!(
            conn.send_fragment(MessageKind::Text, b"a", Fin::More),
            invalid
        );
        assert_eq!(
            conn.send_fragment(MessageKind::Text, b"", Fin::Last),
            invalid
        );
        conn.send_fragment(MessageKind::Text, b"\x82\xac", Fin::Last)
            .expect("the rest of the character");
        let sent = take_frames(&mut conn, Role::Server);
        assert_eq!(sent, ["text e2...", "continuation 82 ac"]);
        conn.send_fragment(MessageKind::Binary, b"\xff", Fin::Last)
            .expect("binary data is not text");
    }
}
