//! Every call to a stream fails once, in every way, in every scene of a connection's life, with both adapters: nothing
//! hangs or panics, no byte is lost or doubled, and the application hears of the error once.
#![cfg(all(feature = "deflate", feature = "handshake", feature = "getrandom"))]

mod adapter_support;
mod common;
mod faults_support;

use core::fmt::Debug;
use std::io::ErrorKind;

use adapter_support::{REQUEST, RESPONSE, binary, client, describe_outcome, pattern, text};
use common::{EXAMPLE_KEY, closing, describe, describe_error, naive, take};
use faults_support::{Adapter, Call, End, Fault, Nth};
use sansocket::deflate::Offer;
use sansocket::handshake::{HeadLimits, RequestReader, ResponseReader, Server};
use sansocket::{Config, Connection, Error, Fin, MessageKind, Role};

/// What is played, by which role.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scene {
    /// Each message goes back, until the peer closes.
    Echo(Role),
    /// The same with permessage-deflate.
    CompressedEcho(Role),
    /// We say something and close, while the peer has more to say.
    Close(Role),
    /// The peer breaks a rule.
    Failure(Role),
    /// We fail the connection.
    OwnFailure(Role),
    /// The peer is gone without a Close frame, while we only listen.
    Loss(Role),
    /// The client is refused.
    Refusal,
    /// What comes is no HTTP.
    Nonsense,
    /// The server refuses us.
    Rejection,
}

const SCENES: [Scene; 15] = [
    Scene::Echo(Role::Client),
    Scene::Echo(Role::Server),
    Scene::CompressedEcho(Role::Client),
    Scene::CompressedEcho(Role::Server),
    Scene::Close(Role::Client),
    Scene::Close(Role::Server),
    Scene::Failure(Role::Client),
    Scene::Failure(Role::Server),
    Scene::OwnFailure(Role::Client),
    Scene::OwnFailure(Role::Server),
    Scene::Loss(Role::Client),
    Scene::Loss(Role::Server),
    Scene::Refusal,
    Scene::Nonsense,
    Scene::Rejection,
];

impl Scene {
    const fn role(self) -> Role {
        match self {
            Self::Echo(role)
            | Self::CompressedEcho(role)
            | Self::Close(role)
            | Self::Failure(role)
            | Self::OwnFailure(role)
            | Self::Loss(role) => role,
            Self::Refusal | Self::Nonsense => Role::Server,
            Self::Rejection => Role::Client,
        }
    }

    /// Returns how the scene is played, by which adapters and with how many bytes a call, where that makes a difference.
    fn ways(self) -> Vec<(Adapter, usize)> {
        let pieces = match self {
            Self::Echo(_) => &[usize::MAX, 5_000][..],
            _ => &[usize::MAX],
        };
        Adapter::ALL
            .iter()
            .flat_map(|adapter| pieces.iter().map(|piece| (*adapter, *piece)))
            .collect()
    }

    /// Returns all that the peer sends.
    fn input(self) -> Vec<u8> {
        let frames = |transcript: &str| adapter_support::frames(self.role(), transcript);
        let last = match self {
            Self::Echo(_) | Self::CompressedEcho(_) => return self.peers_echo(),
            Self::Refusal => return b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nmore".to_vec(),
            Self::Nonsense => return b"\x16\x03\x01 no HTTP\r\n\r\n".to_vec(),
            Self::Rejection => return b"HTTP/1.1 404 Not Found\r\n\r\nbody".to_vec(),
            Self::Close(_) => "8a 04 'ping' 81 04 'late' 89 01 '?' 01 01 'a' 80 01 'b' 88 02 03e8",
            Self::Failure(_) => "81 02 'hi' 89 01 '?' 83 00 81 04 'more' 82 04 'more'",
            Self::Loss(_) => "89 01 '?' 81 02 'hi'",
            Self::OwnFailure(_) => "81 02 'hi' 89 01 '?' 82 7d 00*125 88 00",
        };
        let head = match self.role() {
            Role::Client => RESPONSE,
            Role::Server => REQUEST,
        };
        [head.as_bytes(), &frames(last)].concat()
    }

    /// Returns how many bytes are written behind our Close frame: a Pong, without which the closing handshake is complete.
    fn behind_close(self) -> usize {
        match self {
            Self::Close(Role::Client) => 7,
            Self::Close(Role::Server) => 3,
            _ => 0,
        }
    }

    /// Returns the handshake and the messages of a peer that sends every kind of frame.
    fn peers_echo(self) -> Vec<u8> {
        let (head, mut peer) = self.peer();
        peer.send_text("Hello").expect("open");
        peer.ping(b"ping").expect("open");
        peer.send_binary(b"").expect("open");
        for (data, fin) in [
            (&b"in "[..], Fin::More),
            (b"", Fin::More),
            (b"parts", Fin::Last),
        ] {
            peer.send_fragment(MessageKind::Text, data, fin)
                .expect("open");
        }
        peer.send_binary(&pattern(300)).expect("open");
        peer.pong(b"pong").expect("open");
        if self == Self::Echo(self.role()) {
            // It comes in several reads, some of them into its own memory.
            peer.send_binary(&pattern(12_000)).expect("open");
        }
        peer.send(text(4_000)).expect("open");
        peer.close(Some(closing(1000, "bye"))).expect("open");
        [head, take(&mut peer)].concat()
    }

    /// Returns the peer behind its handshake, and its part of that.
    fn peer(self) -> (Vec<u8>, Connection) {
        let config = Config::default();
        let request = self.client().request();
        let mut reader = RequestReader::new(HeadLimits::default());
        let (read, _) = reader.receive(&request).expect("valid").expect("whole");
        let accepted = self.server().accept(&read).expect("valid");
        let response = accepted.response();
        let mut reader = ResponseReader::new(HeadLimits::default());
        let (read, _) = reader.receive(&response).expect("valid").expect("whole");
        let established = self.client().verify(&read).expect("valid");
        match self.role() {
            Role::Client => (response, accepted.connection(&config)),
            Role::Server => {
                let peer = established.connection_with_keys(&config, EXAMPLE_KEY);
                (request, peer)
            }
        }
    }

    fn client(self) -> sansocket::handshake::Client {
        let mut client = client();
        if matches!(self, Self::CompressedEcho(_)) {
            client = client.with_deflate(Offer::default());
        }
        client
    }

    fn server(self) -> Server {
        match self {
            Self::CompressedEcho(_) => Server::new().with_deflate(Offer::default()),
            _ => Server::new(),
        }
    }

    /// Plays the scene over `stream`.
    fn play(self, adapter: Adapter, stream: &mut Nth) -> Played {
        let config = Config::default().with_fragment_size(3_000);
        let opened = match self.role() {
            Role::Client => adapter.connect(stream, &self.client(), &config),
            Role::Server => adapter.accept(stream, &self.server(), &config),
        };
        let mut played = Played {
            can_send: true,
            ..Played::default()
        };
        match played.note(opened) {
            Some(mut end) => {
                self.act(&mut played, &mut *end);
                played.outcome = describe_outcome(end.outcome());
            }
            None => played.outcome = "not open".into(),
        }
        played
    }

    /// Does the application's part, to the end.
    fn act(self, played: &mut Played, end: &mut dyn End) {
        match self {
            Self::Close(_) => {
                played.say(end);
                while let Err(error) = end.close(Some(closing(1000, "done"))) {
                    played.note::<()>(Err(error));
                }
            }
            Self::OwnFailure(_) => {
                while played.heard.is_empty() && !played.next(end, false) {}
                // It is refused where the connection has ended.
                let _ = end.connection_mut().fail(closing(1011, "oops"));
            }
            _ => {}
        }
        let echo = matches!(self, Self::Echo(_) | Self::CompressedEcho(_));
        while !played.next(end, echo) {}
        for _ in 0..2 {
            let again = end.read_event();
            assert!(matches!(again, Ok(None)), "behind the end: {again:?}");
        }
    }
}

/// What the application made of a scene.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Played {
    heard: Vec<String>,
    errors: Vec<ErrorKind>,
    outcome: String,
    /// Whether no error has said that sending is over.
    can_send: bool,
}

impl Played {
    /// Writes an error down as one hears it.
    fn note<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(Error::Io(error)) => {
                self.can_send &= error.kind() == ErrorKind::WouldBlock;
                self.errors.push(error.kind());
            }
            Err(Error::Protocol(error)) => self.heard.push(describe_error(error)),
            Err(Error::UnexpectedEof(cut)) => self.heard.push(format!("cut {cut:?}")),
            Err(Error::Handshake(error)) => self.heard.push(format!("refused {error:?}")),
            Err(Error::Rejected(rejection)) => self.heard.push(format!(
                "rejected {:?} {:?} {:?}",
                rejection.error,
                rejection.response.status(),
                rejection.body
            )),
            Err(error) => panic!("{error:?}"),
        }
        assert!(self.errors.len() < 5, "errors without end: {self:?}");
        None
    }

    /// Sends every kind of frame.
    fn say(&mut self, end: &mut dyn End) {
        let connection = end.connection_mut();
        connection.ping(b"ping").expect("open");
        connection.send(binary(5_000)).expect("open");
        for (data, fin) in [(&b"in "[..], Fin::More), (b"parts", Fin::Last)] {
            connection
                .send_fragment(MessageKind::Text, data, fin)
                .expect("open");
        }
        while self.can_send
            && let Err(error) = end.flush()
        {
            self.note::<()>(Err(error));
        }
        if self.can_send {
            let sent = end.send(text(10));
            self.note(sent);
        }
    }

    /// Hears the next event, and sends it back if `echo`; tells whether that was the end.
    fn next(&mut self, end: &mut dyn End, echo: bool) -> bool {
        let event = end.read_event();
        let Some(event) = self.note(event) else {
            return false;
        };
        let Some(event) = event else {
            return true;
        };
        self.heard.push(describe(&event));
        if echo
            && self.can_send
            && let Some(message) = event.into_message()
        {
            let sent = end.send(message);
            self.note(sent);
        }
        false
    }
}

/// A scene that was played, and what is left of its stream.
struct Take {
    scene: Scene,
    adapter: Adapter,
    fault: Option<(usize, Fault)>,
    played: Played,
    stream: Nth,
}

impl Take {
    fn new(
        scene: Scene,
        adapter: Adapter,
        input: &[u8],
        piece: usize,
        fault: Option<(usize, Fault)>,
    ) -> Self {
        let mut stream = Nth::new(input, piece, fault);
        let played = scene.play(adapter, &mut stream);
        Self {
            scene,
            adapter,
            fault,
            played,
            stream,
        }
    }

    /// Describes the case.
    fn case(&self) -> String {
        format!(
            "{:?}, {:?}, {:?} in a {:?}: {:?}",
            self.scene, self.adapter, self.fault, self.stream.hit, self.played
        )
    }

    /// Returns the frames that were written: those that keep their order, and the Pings and Pongs, which may overtake.
    fn lanes(&self) -> [Vec<naive::Frame>; 2] {
        let written = &self.stream.written;
        let head = written.windows(4).position(|four| four == b"\r\n\r\n");
        let head = head.expect("a head") + 4;
        let frames = naive::parse(&written[head..]);
        let (data, control) = frames.into_iter().partition(|frame| frame.opcode < 9);
        [data, control]
    }
}

/// Plays every scene with `fault` in each call in turn, until there is none left that it could hit; `check` compares it
/// with what happens without.
fn with_each_call(fault: Fault, check: impl Fn(&Take, &Take)) {
    #[cfg(feature = "tokio")]
    let runtime = ::tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    #[cfg(feature = "tokio")]
    let _entered = runtime.enter(); // nothing runs in it: no time passes
    for scene in SCENES {
        let input = scene.input();
        for (adapter, piece) in scene.ways() {
            let whole = Take::new(scene, adapter, &input, piece, None);
            assert_eq!(whole.played.errors, [], "{}", whole.case());
            for at in 0.. {
                let take = Take::new(scene, adapter, &input, piece, Some((at, fault)));
                if take.stream.hit.is_none() {
                    assert_eq!(at, whole.stream.calls, "{}", take.case());
                    break;
                }
                check(&take, &whole);
            }
        }
    }
}

/// Nothing shows that there was a fault.
fn check_unharmed(take: &Take, whole: &Take) {
    let case = take.case();
    assert_eq!(take.played, whole.played, "{case}");
    assert!(take.stream.written == whole.stream.written, "{case}");
    assert_eq!(take.stream.flushed, take.stream.written.len(), "{case}");
}

/// What was heard and written until then stands, once and in order; the error is heard of once, unless nothing that matters
/// is missing; and one knows how it ended.
fn check_ended(take: &Take, whole: &Take, kind: ErrorKind) {
    let case = take.case();
    let (played, full) = (&take.played, &whole.played);
    assert!(full.heard.starts_with(&played.heard), "{case}");
    let written = &take.stream.written;
    assert!(whole.stream.written.starts_with(written), "{case}");
    // Where both directions fail, one may hear of each.
    let dead = matches!(take.fault, Some((_, Fault::Dead(_))));
    let most = if dead && take.stream.hit != Some(Call::Read) {
        2
    } else {
        1
    };
    assert!(played.errors.len() <= most, "{case}");
    assert!(played.errors.iter().all(|error| *error == kind), "{case}");
    if played.errors.is_empty() {
        assert_eq!(played.heard, full.heard, "{case}");
        // Where no Close frame tells why something is missing, the error does.
        let missing =
            take.stream.hit == Some(Call::Read) || take.stream.flushed < whole.stream.flushed;
        let lost = missing && matches!(take.scene, Scene::Loss(_));
        assert!(!lost, "{case}");
    }
    assert_ne!(played.outcome, "goes on", "{case}");
    if written.len() < whole.stream.written.len() - take.scene.behind_close() {
        assert!(!played.outcome.contains(", clean"), "{case}");
    }
}

/// FA-01, CL-14: without a fault, each scene goes as it is meant to.
#[test]
fn scenes_end_as_they_should() {
    let echo = "by the peer, clean, 1000 \"bye\", sent 1000";
    for scene in SCENES {
        let input = scene.input();
        let take = Take::new(scene, Adapter::Blocking, &input, usize::MAX, None);
        let (last, outcome) = match scene {
            Scene::Echo(_) | Scene::CompressedEcho(_) => ("close 1000 \"bye\"", echo),
            Scene::Close(_) => ("", "by us, clean, 1000, sent 1000"),
            Scene::Failure(_) => (
                "fails ReservedOpcode 1002",
                "by the peer, not clean, 1006, sent 1002",
            ),
            Scene::OwnFailure(_) => ("cut BetweenMessages", "by us, not clean, 1006, sent 1011"),
            Scene::Loss(_) => (
                "cut BetweenMessages",
                "by the stream, not clean, 1006, sent nothing",
            ),
            Scene::Refusal => ("refused NotUpgrade", "not open"),
            Scene::Nonsense => ("refused Tls", "not open"),
            Scene::Rejection => ("rejected Rejected(404) 404 b\"body\"", "not open"),
        };
        let heard = take.played.heard.last().map_or("", |last| last);
        assert_eq!(heard, last, "{}", take.case());
        assert_eq!(take.played.outcome, outcome, "{}", take.case());
    }
}

/// A call that moves one byte changes nothing.
#[test]
fn one_byte_at_a_time_changes_nothing() {
    with_each_call(Fault::One, check_unharmed);
}

/// A blocking call that is interrupted by a signal is repeated. Tokio's streams have no such error; where it comes all the
/// same, it is one like any other, or is repeated by tokio itself.
#[test]
fn an_interruption_changes_nothing() {
    with_each_call(Fault::Once(ErrorKind::Interrupted), |take, whole| {
        if take.adapter.blocks() {
            check_unharmed(take, whole);
        } else {
            check_ended(take, whole, ErrorKind::Interrupted);
        }
    });
}

/// A call that has to wait is repeated: by tokio when it is woken, by the application of a blocking stream when it wants,
/// unless it is still in the opening handshake.
#[test]
fn waiting_loses_nothing() {
    let kind = ErrorKind::WouldBlock;
    with_each_call(Fault::Once(kind), |take, whole| {
        if !take.adapter.blocks() {
            return check_unharmed(take, whole);
        }
        if take.played.outcome == "not open" {
            return check_ended(take, whole, kind);
        }
        let case = take.case();
        assert_eq!(take.played.heard, whole.played.heard, "{case}");
        assert_eq!(take.played.outcome, whole.played.outcome, "{case}");
        assert!(take.lanes() == whole.lanes(), "{case}");
        assert_eq!(take.stream.flushed, take.stream.written.len(), "{case}");
        assert!([&[][..], &[kind]].contains(&&*take.played.errors), "{case}");
    });
}

/// FA-06, CL-32, HR-20: an error ends the connection, whether the stream works again, works in the other direction only, or
/// not any more.
#[test]
fn an_error_ends_the_connection() {
    for (fault, kind) in [
        (Fault::Once as fn(_) -> _, ErrorKind::ConnectionReset),
        (Fault::Half, ErrorKind::BrokenPipe),
        (Fault::Dead, ErrorKind::ConnectionReset),
    ] {
        with_each_call(fault(kind), |take, whole| {
            check_ended(take, whole, kind);
        });
    }
}

/// CL-32: so does a stream that brings nothing, which is its end, or takes nothing.
#[test]
fn nothing_ends_the_connection() {
    with_each_call(Fault::Zero, |take, whole| match take.stream.hit {
        Some(Call::Flush | Call::Shut) => check_unharmed(take, whole),
        Some(Call::Write) => check_ended(take, whole, ErrorKind::WriteZero),
        _ => {
            let case = take.case();
            assert_eq!(take.played.errors, [], "{case}");
            let heard = &*take.played.heard;
            let before = match heard {
                [before @ .., last] if last.starts_with("cut ") => before,
                _ => heard,
            };
            assert!(whole.played.heard.starts_with(before), "{case}");
            assert!(
                whole.stream.written.starts_with(&take.stream.written),
                "{case}"
            );
            assert_ne!(take.played.outcome, "goes on", "{case}");
            let less = take.played.heard.len() < whole.played.heard.len();
            assert!(!less || !take.played.outcome.contains(", clean"), "{case}");
        }
    });
}
