//! The closing handshake: every input in every state, at both ends.

mod common;

use common::{
    BOTH, Pair, closing, connection, explained, fresh, hear, hear_frames, take, take_frames,
};
use sansocket::{
    CloseCode, CloseFrame, Config, Connection, EndedBy, Event, Fin, MessageKind, Outcome,
    ProtocolError, ReceiveHalf, Reply, Role, SendError, SendHalf, TransportAction, UnexpectedEof,
};

/// How a connection came to where it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    /// Our Close frame has been sent, with 1001.
    Closing,
    /// Then the peer's has come, with 4000.
    ClosedByUs,
    /// The peer's Close frame was first, with 4000.
    ClosedByPeer,
    /// The peer broke a rule.
    FailedByPeer,
    /// The application failed the connection with 1011.
    FailedByUs,
    /// The peer broke a rule when our Close frame had been sent.
    FailedInClosing,
    /// The stream has ended.
    Lost,
}

impl State {
    const ALL: [Self; 8] = [
        Self::Open,
        Self::Closing,
        Self::ClosedByUs,
        Self::ClosedByPeer,
        Self::FailedByPeer,
        Self::FailedByUs,
        Self::FailedInClosing,
        Self::Lost,
    ];

    /// Returns a connection in this state, with all bytes written, and the frames that led there.
    fn enter(self, role: Role) -> (Connection, Vec<String>) {
        let (mut conn, sent) = self.enter_unwritten(role);
        assert_eq!(take_frames(&mut conn, role), sent, "{self:?}");
        (conn, sent)
    }

    /// Returns a connection in this state, with no byte written yet.
    fn enter_unwritten(self, role: Role) -> (Connection, Vec<String>) {
        let mut conn = fresh(role);
        let going_away = Some(closing(1001, "bye"));
        let ours = r#"close 1001 "bye""#;
        let sent = match self {
            Self::Open => None,
            Self::Closing => {
                conn.close(going_away).expect("open");
                Some(ours)
            }
            Self::ClosedByUs => {
                conn.close(going_away).expect("open");
                let heard = hear_frames(&mut conn, role, "88 05 0fa0 'ok!'");
                assert_eq!(heard, [r#"close 4000 "ok!""#]);
                Some(ours)
            }
            Self::ClosedByPeer => {
                let heard = hear_frames(&mut conn, role, "88 05 0fa0 'ok!'");
                assert_eq!(heard, [r#"close 4000 "ok!""#]);
                Some("close 4000")
            }
            Self::FailedByPeer => {
                let heard = hear_frames(&mut conn, role, "81 01 ff");
                assert_eq!(heard, ["fails InvalidUtf8 1007"]);
                Some(r#"close 1007 "a text message is not UTF-8""#)
            }
            Self::FailedByUs => {
                conn.fail(closing(1011, "oops")).expect("open");
                Some(r#"close 1011 "oops""#)
            }
            Self::FailedInClosing => {
                conn.close(going_away).expect("open");
                let heard = hear_frames(&mut conn, role, "81 01 ff");
                assert_eq!(heard, ["fails InvalidUtf8 1007"]);
                Some(ours)
            }
            Self::Lost => {
                conn.receive_eof().expect_err("no Close frame has come");
                None
            }
        };
        (conn, sent.into_iter().map(String::from).collect())
    }

    const fn is_over(self) -> bool {
        !matches!(self, Self::Open | Self::Closing)
    }

    /// Returns what is to be done with the transport in this state, all bytes being written.
    fn transport_action(self, role: Role) -> TransportAction {
        match self {
            Self::Open => TransportAction::Keep,
            Self::Closing => TransportAction::AwaitClose,
            Self::ClosedByUs | Self::ClosedByPeer => match role {
                Role::Client => TransportAction::AwaitEof,
                Role::Server => TransportAction::Close,
            },
            Self::FailedByPeer | Self::FailedByUs | Self::FailedInClosing => {
                TransportAction::HalfClose
            }
            Self::Lost => TransportAction::Close,
        }
    }

    /// Returns how the connection has ended in this state, all bytes being written.
    fn outcome(self) -> Option<Ended<'static>> {
        let invalid = Some(ProtocolError::InvalidUtf8);
        Some(match self {
            Self::Open | Self::Closing => return None,
            Self::ClosedByUs => (EndedBy::Us, 4000, "ok!", true, Some(1001), None),
            Self::ClosedByPeer => (EndedBy::Peer, 4000, "ok!", true, Some(4000), None),
            Self::FailedByPeer => (EndedBy::Peer, 1006, "", false, Some(1007), invalid),
            Self::FailedByUs => (EndedBy::Us, 1006, "", false, Some(1011), None),
            Self::FailedInClosing => (EndedBy::Peer, 1006, "", false, Some(1001), invalid),
            Self::Lost => (EndedBy::StreamEnd, 1006, "", false, None, None),
        })
    }
}

/// How a connection ended: the fields of [`Outcome`], in their order.
type Ended<'a> = (
    EndedBy,
    u16,
    &'a str,
    bool,
    Option<u16>,
    Option<ProtocolError>,
);

fn ended(outcome: &Outcome) -> Ended<'_> {
    let Outcome {
        by, clean, error, ..
    } = *outcome;
    let sent = outcome.sent.map(|code| code.0);
    (by, outcome.code.0, &outcome.reason, clean, sent, error)
}

/// Checks one input in the states `Open` and `Closing`: what is heard and sent, and the state that it leads to.
fn check(input: &str, open: (&[&str], &[&str], State), closing: (&[&str], &[&str], State)) {
    for role in BOTH {
        for (state, (heard, answers, next)) in [(State::Open, open), (State::Closing, closing)] {
            let (mut conn, _) = state.enter(role);
            let case = format!("{input} to a {role:?} in {state:?}");
            assert_eq!(hear_frames(&mut conn, role, input), heard, "{case}");
            assert_eq!(take_frames(&mut conn, role), answers, "{case}");
            assert_eq!(
                conn.transport_action(),
                next.transport_action(role),
                "{case}"
            );
            assert_eq!(conn.is_open(), next == State::Open, "{case}");
            assert_eq!(conn.outcome().is_some(), next.is_over(), "{case}");
        }
    }
}

/// CL-11, CL-13, CL-09: after our Close frame messages are delivered as before, and the state is as it was.
#[test]
fn messages_are_delivered_after_our_close() {
    for (input, heard) in [
        ("81 01 'a'", &[r#"text "a""#][..]),
        ("82 00", &[r#"binary """#]),
        ("01 01 'a' 80 01 'b'", &[r#"text "ab""#]),
        ("81 01 'a' 8a 00", &[r#"text "a""#, r#"pong """#]),
        ("01 01 'a'", &[]),
    ] {
        check(
            input,
            (heard, &[], State::Open),
            (heard, &[], State::Closing),
        );
    }
}

/// CL-13: what comes after our Close frame is checked as before.
#[test]
fn bad_data_after_our_close_fails_the_connection() {
    for (input, error) in [
        ("81 01 ff", "fails InvalidUtf8 1007"),
        ("01 01 e2 80 01 'a'", "fails InvalidUtf8 1007"),
        ("80 00", "fails UnexpectedContinuation 1002"),
        ("c1 00", "fails ReservedBits 1002"),
        ("83 00", "fails ReservedOpcode 1002"),
        ("88 01 03", "fails TruncatedCloseCode 1002"),
        ("88 02 03ed", "fails InvalidCloseCode 1002"),
        ("82 7f 00000000 04000001", "fails FrameTooLarge 1009"),
    ] {
        let code = &error[error.len() - 4..];
        let close = &explained(&[error], &[&format!("close {code}")])[0];
        check(
            input,
            (&[error], &[close], State::FailedByPeer),
            (&[error], &[], State::FailedInClosing),
        );
    }
}

/// CL-13, FR-09: chunks are delivered as well, also those of a message that had begun before.
#[test]
fn chunks_are_delivered_after_our_close() {
    let config = Config::default().with_delivery(sansocket::Delivery::Chunks);
    for role in BOTH {
        let mut conn = connection(role, &config);
        assert_eq!(
            hear_frames(&mut conn, role, "01 01 'a'"),
            [r#"chunk of text "a""#]
        );
        conn.close(None).expect("open");
        assert_eq!(
            hear_frames(&mut conn, role, "00 01 'b' 80 01 'c' 82 01 'd'"),
            [
                r#"chunk of text "b""#,
                r#"last chunk of text "c""#,
                r#"last chunk of binary "d""#
            ]
        );
        let heard = hear_frames(&mut conn, role, "81 01 ff");
        assert_eq!(heard, ["fails InvalidUtf8 1007"]);
    }
}

/// CL-13: compressed messages are delivered as well, with what they refer to in those before.
#[cfg(feature = "deflate")]
#[test]
fn compressed_messages_are_delivered_after_our_close() {
    let config = Config::default();
    for role in BOTH {
        let params = sansocket::deflate::Params::default();
        let mut conn = connection(role, &config.with_deflate(params));
        let heard = hear_frames(&mut conn, role, "c1 07 f248cdc9c90700");
        assert_eq!(heard, [r#"text "Hello""#]);
        conn.close(None).expect("open");
        // RFC 7692 §7.2.3.2: the second one refers to the first.
        let heard = hear_frames(&mut conn, role, "c1 05 f200110000 88 00");
        assert_eq!(heard, [r#"text "Hello""#, "close"]);
    }
}

/// CT-05, CT-13: a Ping is answered before and after our Close frame, and disturbs nothing; a Pong changes nothing.
#[test]
fn pings_are_answered_until_the_peer_closes() {
    check(
        "89 01 'p'",
        (&[r#"ping "p""#], &[r#"pong "p""#], State::Open),
        (&[r#"ping "p""#], &[r#"pong "p""#], State::Closing),
    );
    check(
        "8a 01 'p'",
        (&[r#"pong "p""#], &[], State::Open),
        (&[r#"pong "p""#], &[], State::Closing),
    );
}

/// CL-06, CL-10, CL-11, CL-16: a Close frame is answered if ours was not sent before.
#[test]
fn a_close_completes_the_handshake() {
    for (input, heard, answer) in [
        ("88 00", "close", "close"),
        ("88 02 03e8", "close 1000", "close 1000"),
        ("88 03 03e8 'x'", r#"close 1000 "x""#, "close 1000"),
        ("01 01 'a' 88 00 80 01 'b'", "close", "close"),
    ] {
        check(
            input,
            (&[heard], &[answer], State::ClosedByPeer),
            (&[heard], &[], State::ClosedByUs),
        );
    }
}

/// CL-12, FA-04, FA-05, CL-10: in each state that is an end nothing is heard any more, nothing is sent, and nothing
/// changes, whatever comes.
#[test]
fn nothing_is_heard_or_answered_at_the_end() {
    for role in BOTH {
        for state in State::ALL.into_iter().filter(|state| state.is_over()) {
            for input in [
                "81 01 'a'",
                "01 01 'a'",
                "89 01 'p'",
                "8a 00",
                "88 00",
                "88 02 03e8",
                "83 00",
                "81 01 ff",
                "00",
                "ff*100",
                "",
            ] {
                let (mut conn, _) = state.enter(role);
                let heard = hear_frames(&mut conn, role, input);
                match state {
                    State::FailedByPeer | State::FailedInClosing => {
                        assert_eq!(heard, ["fails InvalidUtf8 1007"]);
                    }
                    _ => assert!(heard.is_empty(), "{input} in {state:?}: {heard:?}"),
                }
                check_unchanged(&mut conn, role, state);
            }
        }
    }
}

fn check_unchanged(conn: &mut Connection, role: Role, state: State) {
    assert_eq!(conn.buffered(), 0, "{state:?}");
    assert_eq!(
        conn.transport_action(),
        state.transport_action(role),
        "{state:?}"
    );
    let outcome = conn.outcome();
    assert_eq!(outcome.as_ref().map(ended), state.outcome(), "{state:?}");
    assert_eq!(conn.is_open(), state == State::Open);
    assert!(conn.unfilled().is_none());
}

/// T-01, T-07, CL-09, CL-10, FA-05: nothing can be sent, and no second Close, once a Close frame is out or the
/// connection has ended; an attempt changes nothing.
#[test]
fn nothing_can_be_sent_behind_a_close() {
    type Command = fn(&mut Connection) -> Result<(), SendError>;

    let commands: [Command; 8] = [
        |conn| conn.send_text("a"),
        |conn| conn.send_binary(b"a"),
        |conn| conn.send("a").map_err(SendError::from),
        |conn| conn.send_fragment(MessageKind::Text, b"a", Fin::More),
        |conn| conn.send_fragment(MessageKind::Text, b"a", Fin::Last),
        |conn| conn.ping(b""),
        |conn| conn.pong(b""),
        |conn| conn.close(Some(closing(1000, ""))),
    ];
    for role in BOTH {
        for state in State::ALL.into_iter().filter(|state| *state != State::Open) {
            for command in commands {
                let (mut conn, _) = state.enter(role);
                assert_eq!(command(&mut conn), Err(SendError::Closed), "{state:?}");
                check_unchanged(&mut conn, role, state);
            }
            let (mut conn, _) = state.enter(role);
            let failed = conn.fail(closing(1011, ""));
            if state == State::Closing {
                assert_eq!(failed, Ok(()));
                assert_eq!(conn.buffered(), 0, "no second Close");
            } else {
                assert_eq!(failed, Err(SendError::Closed), "{state:?}");
                check_unchanged(&mut conn, role, state);
            }
        }
    }
}

/// CL-31, CL-14, CL-15, CL-32, CL-19, FA-01, FA-09: what to do with the transport and how the connection ended, in each
/// state once all bytes are written.
#[test]
fn each_state_says_what_to_do_and_how_it_ended() {
    for role in BOTH {
        for state in State::ALL {
            let (mut conn, _) = state.enter(role);
            check_unchanged(&mut conn, role, state);
        }
    }
}

/// CL-31: a transport is read and written as ever until the closing handshake is over or the connection fails.
#[test]
fn a_transport_is_in_use_until_the_end() {
    for role in BOTH {
        for state in State::ALL {
            let (conn, _) = state.enter(role);
            let goes_on = state.outcome().is_none();
            assert_eq!(conn.transport_action().is_in_use(), goes_on, "{state:?}");
        }
    }
}

/// CL-31, CL-32: while bytes wait, the transport is kept for writing, and how the connection ended is not known yet.
#[test]
fn the_end_is_told_when_all_is_written() {
    for role in BOTH {
        for state in State::ALL {
            let (mut conn, sent) = state.enter_unwritten(role);
            if sent.is_empty() {
                continue;
            }
            let transport = match state {
                State::ClosedByUs | State::ClosedByPeer => TransportAction::AwaitEof,
                _ => state.transport_action(role),
            };
            while conn.buffered() > 0 {
                assert_eq!(
                    conn.transport_action(),
                    transport,
                    "{state:?} of a {role:?}"
                );
                assert_eq!(conn.outcome(), None, "{state:?} of a {role:?}");
                bytes::Buf::advance(conn.outgoing(), 1);
            }
            check_unchanged(&mut conn, role, state);
        }
    }
}

/// CL-32, CL-19, FA-06: the end of the stream in each state, all bytes being written. It is told but once. Where our Close frame
/// waits for its answer, we have ended the connection, though not cleanly.
#[test]
fn the_end_of_the_stream_in_each_state() {
    for role in BOTH {
        for state in State::ALL {
            let (mut conn, sent) = state.enter(role);
            let torn = matches!(state, State::Open | State::Closing);
            let expected = if torn {
                Err(UnexpectedEof::BetweenMessages)
            } else {
                Ok(())
            };
            assert_eq!(conn.receive_eof(), expected, "{state:?} of a {role:?}");
            assert_eq!(conn.receive_eof(), Ok(()), "{state:?} of a {role:?}");
            let expected = state.outcome().unwrap_or(if sent.is_empty() {
                (EndedBy::StreamEnd, 1006, "", false, None, None)
            } else {
                (EndedBy::Us, 1006, "", false, Some(1001), None)
            });
            let outcome = conn.outcome().expect("an end");
            assert_eq!(ended(&outcome), expected, "{state:?} of a {role:?}");
            assert_eq!(
                conn.transport_action(),
                TransportAction::Close,
                "{state:?} of a {role:?}"
            );
            assert_eq!(conn.buffered(), 0, "nobody is left to be told");
            assert!(!conn.is_open());
        }
    }
}

/// CL-32, CL-19: the end of the stream before our bytes were written: the code of the peer is known, but nothing is
/// clean, and writing is over.
#[test]
fn the_end_of_the_stream_before_all_was_written_is_not_clean() {
    for role in BOTH {
        for state in State::ALL {
            let (mut conn, sent) = state.enter_unwritten(role);
            if sent.is_empty() {
                continue;
            }
            assert_eq!(conn.receive_eof().is_err(), state == State::Closing);
            let outcome = conn.outcome().expect("an end");
            assert!(!outcome.clean, "{state:?} of a {role:?}");
            let code = match state {
                State::ClosedByUs | State::ClosedByPeer => 4000,
                _ => 1006,
            };
            assert_eq!(outcome.code, CloseCode(code), "{state:?} of a {role:?}");
            assert_eq!(
                conn.transport_action(),
                TransportAction::Close,
                "{state:?} of a {role:?}"
            );
        }
    }
}

/// CL-32, CL-19, CT-13: both Close frames have been exchanged, so a Pong that was not written behind ours takes nothing away.
#[test]
fn the_end_of_the_stream_before_a_pong_was_written_is_clean() {
    for role in BOTH {
        let (mut conn, _) = State::Closing.enter(role);
        hear_frames(&mut conn, role, "89 02 'hi' 88 02 0fa0");
        assert!(conn.buffered() > 0, "the Pong waits");
        assert_eq!(conn.receive_eof(), Ok(()));
        let outcome = conn.outcome().expect("an end");
        assert!(outcome.clean, "{role:?}");
        assert_eq!(outcome.code, CloseCode(4000));
    }
}

/// CL-32, CL-19: where writing has failed, what was dropped makes the end unclean, whatever is dropped or written behind it; a
/// Pong behind our Close frame does not.
#[test]
fn an_end_without_what_was_dropped_is_not_clean() {
    for role in BOTH {
        let ended = |conn: &mut Connection| {
            hear_frames(conn, role, "88 02 0fa0");
            assert_eq!(conn.buffered(), 0, "the peer's Close frame needs no answer");
            let _ = conn.receive_eof();
            conn.outcome().expect("an end").clean
        };
        let close = |conn: &mut Connection| {
            conn.close(None).expect("open");
        };

        let mut conn = fresh(role);
        close(&mut conn);
        conn.drop_outgoing();
        assert_eq!(conn.buffered(), 0, "{role:?}");
        conn.drop_outgoing();
        assert!(!ended(&mut conn), "{role:?}: the Close frame");

        let mut conn = fresh(role);
        conn.send_text("Hello").expect("open");
        conn.drop_outgoing();
        close(&mut conn);
        take(&mut conn);
        assert!(!ended(&mut conn), "{role:?}: a message");

        let mut conn = fresh(role);
        close(&mut conn);
        take(&mut conn);
        hear_frames(&mut conn, role, "89 02 'hi'");
        conn.drop_outgoing();
        assert!(ended(&mut conn), "{role:?}: a Pong");
    }
}

/// CL-32, CL-19: what is written, or told again, when the stream has ended makes nothing clean afterwards.
#[test]
fn an_end_that_was_not_clean_stays_so() {
    for role in BOTH {
        let (mut conn, _) = State::ClosedByPeer.enter_unwritten(role);
        assert_eq!(conn.receive_eof(), Ok(()));
        take(&mut conn);
        assert_eq!(conn.receive_eof(), Ok(()));
        assert!(!conn.outcome().expect("an end").clean);
    }
}

/// CL-32, FA-06: the end of the stream inside a frame or a message: nothing of it is heard.
#[test]
fn the_end_of_the_stream_inside_a_message_loses_it() {
    for role in BOTH {
        for input in [
            "81",
            "81 05",
            "81 05 'Hel'",
            "01 01 'a'",
            "82 7e 20 00 61*5000",
            "88 02 03",
        ] {
            let (mut conn, _) = State::Open.enter(role);
            assert!(hear_frames(&mut conn, role, input).is_empty());
            conn.receive_eof().expect_err("no Close frame has come");
            check_unchanged(&mut conn, role, State::Lost);
            assert!(hear(&mut conn, b"lo").is_empty());
        }
    }
}

/// CL-17, CL-18: the close code is that of the peer's Close frame, 1005 if it has none.
#[test]
fn an_empty_close_has_the_code_1005() {
    for role in BOTH {
        let (mut conn, _) = State::Open.enter(role);
        hear_frames(&mut conn, role, "88 00");
        take(&mut conn);
        let outcome = conn.outcome().expect("an end");
        assert_eq!(outcome.code, CloseCode::NO_STATUS_RECEIVED);
        assert_eq!((outcome.sent, &*outcome.reason), (None, ""));
        assert!(outcome.clean);
    }
}

/// CL-16, CL-17: when both ends close at once, each takes the other's Close frame for the answer, and reports its code.
#[test]
fn simultaneous_closes_complete_the_handshake() {
    let mut pair = Pair::new(&Config::default());
    pair.client.close(Some(closing(3000, "c"))).expect("open");
    pair.server.close(Some(closing(3001, "s"))).expect("open");
    pair.drive();
    assert_eq!(pair.heard_by_client, [r#"close 3001 "s""#]);
    assert_eq!(pair.heard_by_server, [r#"close 3000 "c""#]);
    for (conn, code, sent) in [(&pair.client, 3001, 3000), (&pair.server, 3000, 3001)] {
        let outcome = conn.outcome().expect("an end");
        assert_eq!(outcome.by, EndedBy::Us);
        assert_eq!(
            (outcome.code, outcome.sent),
            (CloseCode(code), Some(CloseCode(sent)))
        );
        assert!(outcome.clean);
    }
    assert_eq!(pair.server.transport_action(), TransportAction::Close);
    assert_eq!(pair.client.transport_action(), TransportAction::AwaitEof);
}

/// CL-01, CL-06, CL-14, CL-15, CL-19, SC-13: a normal end, begun by either side, with data on its way.
#[test]
fn both_ends_close_cleanly() {
    for first in BOTH {
        let mut pair = Pair::new(&Config::default());
        pair.client.send_text("from the client").expect("open");
        pair.server.send_text("from the server").expect("open");
        let closer = match first {
            Role::Client => &mut pair.client,
            Role::Server => &mut pair.server,
        };
        closer.close(Some(closing(1000, "done"))).expect("open");
        pair.drive();
        let (asked, answered) = match first {
            Role::Client => (&pair.heard_by_server, &pair.heard_by_client),
            Role::Server => (&pair.heard_by_client, &pair.heard_by_server),
        };
        assert_eq!(asked.last().expect("a Close"), r#"close 1000 "done""#);
        assert_eq!(answered.last().expect("a Close"), "close 1000");
        assert_eq!(pair.server.transport_action(), TransportAction::Close);
        assert_eq!(pair.client.transport_action(), TransportAction::AwaitEof);
        assert_eq!(pair.client.receive_eof(), Ok(()));
        assert_eq!(pair.client.transport_action(), TransportAction::Close);
        for (conn, role) in [(&pair.client, Role::Client), (&pair.server, Role::Server)] {
            let outcome = conn.outcome().expect("an end");
            assert!(outcome.clean);
            assert_eq!(outcome.code, CloseCode::NORMAL_CLOSURE);
            let by = if role == first {
                EndedBy::Us
            } else {
                EndedBy::Peer
            };
            assert_eq!(outcome.by, by);
        }
    }
}

/// FA-07, CL-30, CT-10: nothing but a rule, the peer or the application ends a connection, however long it is used.
#[test]
fn a_connection_stays_open_until_someone_ends_it() {
    let mut pair = Pair::new(&Config::default());
    for _ in 0..100 {
        pair.client.send_text("a").expect("open");
        pair.server.ping(b"p").expect("open");
        pair.drive();
        assert_eq!(pair.client.transport_action(), TransportAction::Keep);
        assert_eq!(pair.server.transport_action(), TransportAction::Keep);
        assert_eq!(pair.client.outcome(), None);
        assert_eq!(pair.server.outcome(), None);
    }
    assert_eq!(
        pair.heard_by_server.len(),
        200,
        "100 messages and 100 Pongs"
    );
}

/// CL-07, CL-09: a Close from the peer while our message is under way: what was queued goes out before our answer, and
/// the message cannot be continued.
#[test]
fn a_close_interrupts_our_message() {
    for role in BOTH {
        let (mut conn, _) = State::Open.enter(role);
        conn.send_fragment(MessageKind::Text, b"a", Fin::More)
            .expect("open");
        hear_frames(&mut conn, role, "88 00");
        let last = conn.send_fragment(MessageKind::Text, b"b", Fin::Last);
        assert_eq!(last, Err(SendError::Closed));
        assert_eq!(take_frames(&mut conn, role), [r#"text "a"..."#, "close"]);
    }
}

/// FA-02, FA-08, SC-01: both ends of a failure agree: the one who failed reports 1006 and what it sent, the other one
/// hears a Close frame with the code.
#[test]
fn both_ends_know_of_a_failure() {
    let mut pair = Pair::new(&Config::default());
    pair.server.send_text("before").expect("open");
    let heard = hear(&mut pair.server, b"\x81\x00");
    assert_eq!(heard, ["fails UnmaskedFrame 1002"]);
    pair.drive();
    let close = r#"close 1002 "a client sent a frame without a mask""#;
    assert_eq!(pair.heard_by_client, [r#"text "before""#, close]);
    let outcome = pair.server.outcome().expect("an end");
    assert_eq!(outcome.code, CloseCode::ABNORMAL_CLOSURE);
    assert_eq!(outcome.sent, Some(CloseCode::PROTOCOL_ERROR));
    assert_eq!(outcome.error, Some(ProtocolError::UnmaskedFrame));
    let outcome = pair.client.outcome().expect("an end");
    assert_eq!(outcome.code, CloseCode::PROTOCOL_ERROR);
    assert_eq!(outcome.by, EndedBy::Peer);
    assert!(outcome.clean);
}

/// FA-02, FA-08, CL-05: the Close frame that answers an error says what the error does, in at most 123 bytes, unless a setting
/// turns that off; also where the sending half hears of it from the other one.
#[test]
fn each_error_is_told_in_its_own_words() {
    for role in BOTH {
        for error in common::PROTOCOL_ERRORS {
            let text = error.to_string();
            assert!(text.len() <= CloseFrame::MAX_REASON_LEN, "{text}");
            let code = error.close_code();
            for (error_reason, close) in [
                (true, format!("close {code} {text:?}")),
                (false, format!("close {code}")),
            ] {
                let config = Config::default().with_error_reason(error_reason);
                let (receiver, sender) = connection(role, &config).split();
                let mut halves = Halves { receiver, sender };
                halves.sender.reply(Reply::Fail(error));
                assert_eq!(halves.take_frames(role), [close], "{role:?}");
                let outcome = halves.sender.outcome().expect("an end");
                assert_eq!(outcome.sent, Some(code));
            }
        }
    }
}

/// FA-08: of a connection, too, the reason can be turned off.
#[test]
fn an_error_is_told_without_words_if_so_set() {
    let config = Config::default().with_error_reason(false);
    for role in BOTH {
        let mut conn = connection(role, &config);
        hear_frames(&mut conn, role, "81 01 ff");
        assert_eq!(take_frames(&mut conn, role), ["close 1007"]);
        let mut conn = connection(role, &config);
        conn.fail(closing(1011, "oops")).expect("open");
        let close = r#"close 1011 "oops""#;
        assert_eq!(take_frames(&mut conn, role), [close], "our own words");
    }
}

/// The two halves of a connection, joined by the values that the receiving one passes on.
struct Halves {
    receiver: ReceiveHalf,
    sender: SendHalf,
}

impl Halves {
    fn new(role: Role) -> Self {
        let (receiver, sender) = fresh(role).split();
        Self { receiver, sender }
    }

    fn hear(&mut self, role: Role, transcript: &str) -> Vec<String> {
        let mut read = common::towards(role, &common::hex(transcript));
        let mut input = &mut read[..];
        let mut heard = Vec::new();
        loop {
            match self.receiver.receive(&mut input) {
                Ok(Some(event)) => {
                    heard.push(common::describe(&event));
                    if let Some(reply) = Reply::for_event(&event) {
                        self.sender.reply(reply);
                    }
                }
                Ok(None) => return heard,
                Err(error) => {
                    heard.push(common::describe_error(error));
                    self.sender.reply(Reply::Fail(error));
                    return heard;
                }
            }
        }
    }

    fn take_frames(&mut self, role: Role) -> Vec<String> {
        let waiting = self.sender.buffered();
        let bytes = bytes::Buf::copy_to_bytes(self.sender.outgoing(), waiting);
        common::naive::describe(&bytes, role)
    }
}

/// CT-05, CL-06, CL-08, CL-10: two halves in two tasks keep the protocol as one connection does.
#[test]
fn two_halves_close_as_one() {
    for role in BOTH {
        let mut halves = Halves::new(role);
        let heard = halves.hear(role, "81 01 'a' 89 01 'p' 88 03 0fa0 'x' 89 00");
        assert_eq!(heard, [r#"text "a""#, r#"ping "p""#, r#"close 4000 "x""#]);
        assert_eq!(halves.sender.send_text("late"), Err(SendError::Closed));
        assert_eq!(halves.take_frames(role), [r#"pong "p""#, "close 4000"]);
        let outcome = halves.sender.outcome().expect("an end");
        assert_eq!((outcome.by, outcome.code), (EndedBy::Peer, CloseCode(4000)));
        assert!(outcome.clean);

        let mut halves = Halves::new(role);
        halves.sender.close(Some(closing(1001, ""))).expect("open");
        assert_eq!(halves.hear(role, "89 00 88 00"), [r#"ping """#, "close"]);
        assert_eq!(halves.take_frames(role), [r#"pong """#, "close 1001"]);
        assert_eq!(halves.sender.outcome().expect("an end").by, EndedBy::Us);
    }
}

/// FA-02, FA-04, FA-05: nor does it matter to a failure.
#[test]
fn two_halves_fail_as_one() {
    for role in BOTH {
        let mut halves = Halves::new(role);
        let failure = ["fails ReservedOpcode 1002"];
        assert_eq!(halves.hear(role, "83 00 81 01 'a'"), failure);
        assert_eq!(halves.hear(role, "88 00"), failure);
        let close = explained(&failure, &["close 1002"]);
        assert_eq!(halves.take_frames(role), close);
        assert_eq!(halves.sender.transport_action(), TransportAction::HalfClose);
        let outcome = halves.sender.outcome().expect("an end");
        assert_eq!(outcome.error, Some(ProtocolError::ReservedOpcode));
    }
}

/// CL-32, FA-06: nor to the end of the stream. Replies that come late change nothing.
#[test]
fn late_replies_change_nothing() {
    for role in BOTH {
        let mut halves = Halves::new(role);
        halves.sender.reply(Reply::Eof);
        for reply in [
            Reply::Pong(bytes::Bytes::from_static(b"p")),
            Reply::Close(None),
            Reply::Close(Some(closing(1000, ""))),
            Reply::Fail(ProtocolError::InvalidUtf8),
            Reply::Eof,
        ] {
            halves.sender.reply(reply);
        }
        assert_eq!(halves.sender.buffered(), 0);
        let outcome = halves.sender.outcome();
        assert_eq!(outcome.as_ref().map(ended), State::Lost.outcome());
        assert_eq!(halves.sender.transport_action(), TransportAction::Close);
    }
}

/// CT-06, CL-08: what asks for a reply, and what does not.
#[test]
fn pings_and_closes_ask_for_a_reply() {
    let mut receiver = ReceiveHalf::client(&Config::default());
    let mut read = common::hex("89 01 'p' 8a 01 'q' 81 01 'a' 88 03 03e8 'r'");
    let mut input = &mut read[..];
    let mut replies = Vec::new();
    while let Some(event) = receiver.receive(&mut input).expect("legal") {
        replies.push(Reply::for_event(&event));
        assert!(matches!(
            event,
            Event::Ping(_) | Event::Pong(_) | Event::Text(_) | Event::Close(_)
        ));
    }
    let ping = Reply::Pong(bytes::Bytes::from_static(b"p"));
    let close = Reply::Close(Some(CloseFrame::new(CloseCode(1000), "r")));
    assert_eq!(replies, [Some(ping), None, None, Some(close)]);
}

/// CL-21, CL-22: what the sending half is told comes from another task, and may be nonsense; no code goes out that must
/// not.
#[test]
fn a_reply_made_by_hand_sends_no_forbidden_code() {
    for role in BOTH {
        let mut halves = Halves::new(role);
        halves.sender.reply(Reply::Close(Some(closing(1006, ""))));
        assert_ne!(halves.take_frames(role), ["close 1006"]);
    }
}
