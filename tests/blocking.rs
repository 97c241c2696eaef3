//! The blocking adapter: over TCP, over a stream in memory, and over streams that fail.
#![cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]

mod adapter_support;
mod common;
mod memory;

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use adapter_support::wire::{Fault, Wire};
use adapter_support::{
    LENGTHS, PATIENCE, REQUEST, RESPONSE, URI, binary, client, conversation, describe,
    describe_outcome, echoed, frames, heard, pattern, read_head, read_to_end, sockets, text,
};
use bytes::BytesMut;
use common::{BOTH, closing, fresh, naive, towards};
use memory::{held, held_since};
use sansocket::blocking::{self, Closer, Incoming, Stream, Unbounded, WebSocket};
use sansocket::handshake::{HandshakeError, HeadLimits, Server, reject};
use sansocket::{
    Config, Error, Event, Fin, MessageKind, ProtocolError, Role, SendError, UnexpectedEof,
};

/// Runs the other end of a connection in a thread of its own.
fn beside<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(run)
}

/// Returns what the thread returned, or its panic.
fn end<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("the other end is content")
}

/// Returns both ends of an open connection over TCP, the client first.
fn pair() -> (WebSocket<TcpStream>, WebSocket<TcpStream>) {
    let (near, far) = sockets();
    let server = beside(|| blocking::accept(far).expect("a client"));
    let client = blocking::connect(near, URI).expect("a server");
    (client, end(server))
}

/// Returns an end behind its opening handshake.
fn open<S: Stream>(role: Role, stream: S) -> WebSocket<S> {
    WebSocket::new(stream, fresh(role), BytesMut::new())
}

/// Echoes until the connection ends; returns how.
fn echo<S: Stream>(mut socket: WebSocket<S>) -> String {
    while let Some(message) = socket.read().expect("no error") {
        socket.send(message).expect("open");
    }
    describe_outcome(socket.outcome())
}

fn protocol_error<T: core::fmt::Debug>(result: Result<T, Error>) -> ProtocolError {
    match result.expect_err("a failure") {
        Error::Protocol(error) => error,
        error => panic!("another error: {error:?}"),
    }
}

/// Returns where the stream was cut.
fn cut<T: core::fmt::Debug>(result: Result<T, Error>) -> UnexpectedEof {
    match result.expect_err("an error") {
        Error::UnexpectedEof(cut) => cut,
        error => panic!("another error: {error:?}"),
    }
}

fn io_error<T: core::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    match result.expect_err("an error") {
        Error::Io(error) => error.kind(),
        error => panic!("another error: {error:?}"),
    }
}

/// CL-14, CL-15, CL-19: messages of every length go there and back; then the client closes, and both ends agree about it.
#[test]
fn messages_of_every_length_come_back() {
    let (mut client, server) = pair();
    let server = beside(|| echo(server));
    for len in LENGTHS {
        for message in [text(len), binary(len)] {
            client.send(message.clone()).expect("open");
            let answer = client.read().expect("no error").expect("an echo");
            assert!(answer == message, "{}", describe(&answer));
        }
    }
    let outcome = client
        .close(Some(closing(1000, "done")), PATIENCE)
        .expect("an end");
    assert_eq!(describe_outcome(outcome), "by us, clean, 1000, sent 1000");
    assert_eq!(end(server), "by the peer, clean, 1000 \"done\", sent 1000");
}

/// Several messages that are queued at once arrive as they were queued.
#[test]
fn what_is_queued_goes_out_with_a_flush() {
    let (mut client, mut server) = pair();
    let connection = client.connection_mut();
    connection.send_text("one").expect("open");
    connection
        .send_fragment(MessageKind::Text, b"t", Fin::More)
        .expect("open");
    connection.ping(b"ping").expect("open");
    connection
        .send_fragment(MessageKind::Text, b"wo", Fin::Last)
        .expect("open");
    client.flush().expect("open");
    let heard: Vec<_> = (0..3)
        .map(|_| server.read_event().expect("no error").expect("an event"))
        .map(|event| common::describe(&event))
        .collect();
    // A Ping may go before what is not large.
    assert_eq!(
        heard
            .iter()
            .filter(|event| *event == "ping \"ping\"")
            .count(),
        1
    );
    let messages = heard.iter().filter(|event| event.starts_with("text"));
    assert!(messages.eq(["text \"one\"", "text \"two\""]));
    let pong = client.read_event().expect("no error").expect("a pong");
    assert_eq!(common::describe(&pong), "pong \"ping\"");
}

/// HS-22: frames that come with the client's handshake are not lost.
#[test]
fn frames_right_behind_the_request_are_received() {
    let (mut near, far) = sockets();
    let early = frames(Role::Server, "81 05 'early' 02 03 'in ' 80 05 'parts'");
    near.write_all(&[REQUEST.as_bytes(), &early].concat())
        .expect("open");
    let mut server = blocking::accept(far).expect("a client");
    assert_eq!(server.read().expect("no error"), Some("early".into()));
    let message = server.read().expect("no error").expect("a message");
    assert_eq!(describe(&message), "binary \"in parts\"");
}

/// HR-16: frames that come with the server's handshake are not lost.
#[test]
fn frames_right_behind_the_response_are_received() {
    let (near, mut far) = sockets();
    let early = frames(Role::Client, "81 05 'early' 89 01 '?' 81 05 'again'");
    let server = beside(move || {
        assert_eq!(read_head(&mut far), REQUEST);
        far.write_all(&[RESPONSE.as_bytes(), &early].concat())
            .expect("open");
        let mut pong = [0; 7];
        far.read_exact(&mut pong).expect("a pong");
        naive::describe(&pong, Role::Client)
    });
    let config = Config::default();
    let (mut socket, _) =
        blocking::connect_with(near, &client(), &config, PATIENCE).expect("a server");
    assert_eq!(socket.read().expect("no error"), Some("early".into()));
    assert_eq!(socket.read().expect("no error"), Some("again".into()));
    assert_eq!(end(server), ["pong \"?\""]);
}

/// HS-22, HR-16: however the handshake and the frames behind it are cut, nothing is lost.
#[test]
fn a_handshake_may_come_in_pieces() {
    let early = "81 05 'early' 88 00";
    for piece in (1..40).chain([100, 150, 200, 300]) {
        let input = [REQUEST.as_bytes(), &frames(Role::Server, early)].concat();
        let mut wire = Wire::new(input);
        wire.piece = piece;
        let mut server = blocking::accept(wire).expect("a client");
        assert_eq!(server.read().expect("no error"), Some("early".into()));
        assert_eq!(server.read().expect("no error"), None);
        let written = &server.stream().written;
        assert_eq!(&written[..RESPONSE.len()], RESPONSE.as_bytes());
        assert_eq!(
            naive::describe(&written[RESPONSE.len()..], Role::Server),
            ["close"]
        );

        let input = [RESPONSE.as_bytes(), &frames(Role::Client, early)].concat();
        let mut wire = Wire::new(input);
        wire.piece = piece;
        let config = Config::default();
        let (mut socket, _) =
            blocking::connect_with(wire, &client(), &config, PATIENCE).expect("a server");
        assert_eq!(socket.read().expect("no error"), Some("early".into()));
        assert_eq!(socket.read().expect("no error"), None);
        let written = &socket.stream().written;
        assert_eq!(&written[..REQUEST.len()], REQUEST.as_bytes());
        assert_eq!(
            naive::describe(&written[REQUEST.len()..], Role::Client),
            ["close"]
        );
    }
}

/// CL-14, CL-31: the server closes first, as soon as both Close frames are written, whoever began.
#[test]
fn a_server_does_not_wait_for_the_end_of_the_stream() {
    let wire = Wire::silent(frames(Role::Server, "88 05 03e8 'bye'"));
    let mut server = open(Role::Server, wire);
    let event = server.read_event().expect("no error").expect("an event");
    assert_eq!(event, Event::Close(Some(closing(1000, "bye"))));
    assert_eq!(server.read_event().expect("no error"), None);
    assert_eq!(
        describe_outcome(server.outcome()),
        "by the peer, clean, 1000 \"bye\", sent 1000"
    );

    let wire = Wire::silent(frames(Role::Server, "81 03 'old' 88 02 03e9"));
    let mut server = open(Role::Server, wire);
    let outcome = server
        .close(Some(closing(1001, "")), PATIENCE)
        .expect("an end");
    assert_eq!(describe_outcome(outcome), "by us, clean, 1001, sent 1001");
    assert!(!server.stream().ended);
}

/// CL-15, CL-28, CL-31: a client waits for the server to close the transport, and ignores what comes before that.
#[test]
fn a_client_waits_for_the_end_of_the_stream() {
    let mut client = open(
        Role::Client,
        Wire::new(frames(Role::Client, "88 02 03e8 'this is no frame'")),
    );
    let outcome = client
        .close(Some(closing(1000, "")), PATIENCE)
        .expect("an end");
    assert_eq!(describe_outcome(outcome), "by us, clean, 1000, sent 1000");
    let wire = client.stream();
    assert!(wire.ended, "the end has been read");
    assert_eq!(naive::describe(&wire.written, Role::Client), ["close 1000"]);
}

/// CL-17: over TCP, a server that closes without a code hears the client's answer, which has none either.
#[test]
fn a_server_can_close_first() {
    let (mut client, mut server) = pair();
    let client = beside(move || {
        assert_eq!(client.read().expect("no error"), Some("last".into()));
        assert_eq!(client.read().expect("no error"), None);
        assert_eq!(client.read().expect("no error"), None);
        describe_outcome(client.outcome())
    });
    server.send("last").expect("open");
    let outcome = server.close(None, PATIENCE).expect("an end");
    assert_eq!(
        describe_outcome(outcome),
        "by us, clean, 1005, sent nothing"
    );
    drop(server);
    assert_eq!(end(client), "by the peer, clean, 1005, sent nothing");
}

/// CL-10, CL-16: both may close at once, and each sends one Close frame.
#[test]
fn both_ends_can_close_at_once() {
    let (mut client, mut server) = pair();
    for (socket, code) in [(&mut client, 3000), (&mut server, 4000)] {
        socket
            .connection_mut()
            .close(Some(closing(code, "")))
            .expect("open");
        socket.flush().expect("open");
    }
    assert_eq!(
        describe_outcome(server.close(None, PATIENCE).expect("an end")),
        "by us, clean, 3000, sent 4000"
    );
    drop(server);
    assert_eq!(
        describe_outcome(client.close(None, PATIENCE).expect("an end")),
        "by us, clean, 4000, sent 3000"
    );
}

/// CL-09, CL-22: what must not be sent is refused, and the connection is as it was.
#[test]
fn what_must_not_be_sent_is_refused() {
    let (mut client, server) = pair();
    let server = beside(|| echo(server));
    let refused = client.close(Some(closing(1006, "")), PATIENCE);
    assert!(matches!(
        refused,
        Err(Error::Send(SendError::InvalidCloseCode))
    ));
    client.send("still open").expect("open");
    assert_eq!(client.read().expect("no error"), Some("still open".into()));
    client.close(None, PATIENCE).expect("an end");
    let Err(Error::Unsent(refused)) = client.send("too late") else {
        panic!("not refused");
    };
    assert_eq!(refused.error, SendError::Closed);
    assert_eq!(refused.message, "too late".into());
    assert_eq!(end(server), "by the peer, clean, 1005, sent nothing");
}

/// CL-13: messages that come behind our own Close frame are dropped; Pings among them are answered.
#[test]
fn closing_drops_messages_until_the_answer() {
    for role in BOTH {
        let late = frames(role, "81 04 'late' 89 01 '?' 82 01 00 88 02 03e8");
        let mut socket = open(role, Wire::new(late));
        let outcome = socket
            .close(Some(closing(1000, "")), PATIENCE)
            .expect("an end");
        assert_eq!(describe_outcome(outcome), "by us, clean, 1000, sent 1000");
        assert_eq!(
            naive::describe(&socket.stream().written, role),
            ["close 1000", "pong \"?\""]
        );
    }
}

/// FA-01, FA-02, FA-08, CL-28: what comes before the broken rule is heard, the rule is reported once, and the Close frame
/// that says so arrives although the peer goes on sending megabytes.
#[test]
fn a_failure_is_told_to_a_peer_that_goes_on_sending() {
    for role in BOTH {
        let (near, mut far) = sockets();
        let peer = beside(move || {
            let mut writer = far.try_clone().expect("a socket");
            let bytes = frames(role, "81 04 'good' 83 03 'bad'");
            let writing = beside(move || {
                // That the other end stops reading some day is no surprise.
                let _ = writer
                    .write_all(&bytes)
                    .and_then(|()| writer.write_all(&vec![0xFF; 4 << 20]));
                let _ = writer.shutdown(Shutdown::Write);
            });
            let heard = read_to_end(&mut far);
            end(writing);
            naive::describe(&heard, role)
        });
        let mut socket = open(role, near);
        assert_eq!(socket.read().expect("no error"), Some("good".into()));
        assert_eq!(protocol_error(socket.read()), ProtocolError::ReservedOpcode);
        assert_eq!(socket.read().expect("no error"), None);
        assert_eq!(socket.read_event().expect("no error"), None);
        let outcome = socket.outcome().expect("an end");
        assert_eq!(outcome.error, Some(ProtocolError::ReservedOpcode));
        assert_eq!(
            describe_outcome(Some(outcome)),
            "by the peer, not clean, 1006, sent 1002"
        );
        drop(socket);
        assert_eq!(end(peer), [r#"close 1002 "the opcode is reserved""#]);
    }
}

/// CL-29: a peer that neither closes nor stops sending keeps a failed connection for a second or so, no longer.
#[test]
fn a_failed_connection_does_not_stay_for_ever() {
    let (near, mut far) = sockets();
    far.set_write_timeout(Some(Duration::from_millis(50)))
        .expect("a socket");
    let peer = beside(move || while far.write_all(&[0xFF; 1_000]).is_ok() {});
    let mut server = open(Role::Server, near);
    let begun = Instant::now();
    protocol_error(server.read());
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    drop(server);
    end(peer);
}

/// FA-01: a stream that has failed is emptied before it is dropped; one that could block for ever is not.
#[test]
fn a_failed_connection_is_emptied() {
    let input = vec![0xFF; 100_010];
    let mut server = open(Role::Server, Wire::silent(&*input));
    protocol_error(server.read());
    assert!(server.stream().input.is_empty() && server.stream().shut);
    assert_eq!(server.read().expect("no error"), None);

    let mut server = open(Role::Server, Unbounded(Wire::silent(input)));
    protocol_error(server.read());
    assert!(!server.stream().0.input.is_empty());
    let written = naive::describe(&server.stream().0.written, Role::Server);
    assert!(written[0].starts_with("close 1002"), "{written:?}");
    assert_eq!(server.read().expect("no error"), None);
}

/// [`Unbounded`] passes reads and writes on as they are, has no timeout, and says that it can set none and not be shut down.
#[test]
fn any_stream_can_be_taken_unbounded() {
    let mut stream = Unbounded(Wire::new(*b"input"));
    let mut input = [0; 8];
    assert_eq!(stream.read(&mut input).expect("no error"), 5);
    assert_eq!(&input[..5], b"input");
    assert_eq!(stream.write(b"one ").expect("no error"), 4);
    let slices = [IoSlice::new(b"two "), IoSlice::new(b"three")];
    assert_eq!(stream.write_vectored(&slices).expect("no error"), 9);
    stream.flush().expect("no error");
    let Unbounded(wire) = &stream;
    assert_eq!(wire.written, b"one two three");
    assert_eq!((wire.flushed, wire.slices), (13, 2));

    assert_eq!(stream.read_timeout().expect("no error"), None);
    assert_eq!(stream.write_timeout().expect("no error"), None);
    for refused in [
        stream.shutdown_write(),
        stream.set_read_timeout(Some(PATIENCE)),
        stream.set_write_timeout(Some(PATIENCE)),
    ] {
        assert_eq!(
            io_error(refused.map_err(Error::from)),
            ErrorKind::Unsupported
        );
    }
    assert!(!stream.0.shut);
}

/// CL-32, FA-06: a stream that ends without a Close frame is an error, once, that says where, and an end that is not clean.
#[test]
fn a_stream_that_ends_without_a_close_frame_is_not_clean() {
    for role in BOTH {
        for (last, place) in [
            ("", UnexpectedEof::BetweenMessages),
            ("81", UnexpectedEof::InFrame),
            ("82 7e 01 00 00", UnexpectedEof::InFrame),
            ("02 01 00", UnexpectedEof::InMessage),
            ("88 02 03", UnexpectedEof::InFrame),
        ] {
            let input = [frames(role, "81 02 'ok'"), frames(role, last)].concat();
            let (near, mut far) = sockets();
            far.write_all(&input).expect("open");
            drop(far);
            let mut socket = open(role, near);
            assert_eq!(
                socket.read().expect("no error"),
                Some("ok".into()),
                "{last}"
            );
            assert_eq!(cut(socket.read()), place, "{last}");
            assert_eq!(socket.read().expect("once"), None, "{last}");
            assert_eq!(
                describe_outcome(socket.outcome()),
                "by the stream, not clean, 1006, sent nothing"
            );
        }
    }
}

/// CL-32: a peer that does not answer our Close frame leaves the end not clean.
#[test]
fn a_stream_that_ends_while_closing_is_not_clean() {
    for role in BOTH {
        let mut socket = open(role, Wire::new(frames(role, "81 02 'ok'")));
        let outcome = socket
            .close(Some(closing(1000, "")), PATIENCE)
            .expect("an end");
        assert_eq!(
            describe_outcome(outcome),
            "by us, not clean, 1006, sent 1000"
        );
    }
}

/// HR-01, HR-20, HA-16: a response that is no 101 comes with its status, headers and the start of its body.
#[test]
fn a_refused_client_gets_the_response() {
    let (near, mut far) = sockets();
    let server = beside(move || {
        read_head(&mut far);
        let response = reject(401, &[("WWW-Authenticate", "Basic")], b"who are you?");
        far.write_all(&response.expect("a response")).expect("open");
        // The client has closed, and has not sent a frame.
        assert_eq!(read_to_end(&mut far), b"");
    });
    let Err(Error::Rejected(rejection)) = blocking::connect(near, URI) else {
        panic!("not rejected");
    };
    end(server);
    assert_eq!(rejection.error, HandshakeError::Rejected(401));
    assert_eq!(rejection.response.status(), 401);
    assert_eq!(
        rejection.response.headers().first("www-authenticate"),
        Some(&b"Basic"[..])
    );
    assert_eq!(&rejection.body[..], b"who are you?");
}

/// HR-04, HR-20: a 101 that does not prove that the request was read is refused, and so is one that is no HTTP.
#[test]
fn a_wrong_response_is_refused() {
    let wrong = RESPONSE.replace("s3pP", "S3pP");
    let Err(Error::Rejected(rejection)) =
        blocking::connect_with(Wire::new(wrong), &client(), &Config::default(), PATIENCE)
    else {
        panic!("not rejected");
    };
    assert_eq!(
        rejection.error,
        HandshakeError::Invalid("Sec-WebSocket-Accept")
    );
    assert_eq!(rejection.response.status(), 101);
    let result = blocking::connect(Wire::new("SSH-2.0-OpenSSH\r\n\r\n"), URI);
    assert!(matches!(result, Err(Error::Handshake(_))), "{result:?}");
}

/// A URI that is not one of a WebSocket is refused before a byte is written.
#[test]
fn a_wrong_uri_is_refused() {
    let mut wire = Wire::new("");
    let result = blocking::connect(&mut wire, "https://server.example.com/");
    assert!(matches!(result, Err(Error::Uri(_))));
    assert_eq!(wire.calls, 0);
}

/// HS-01, HS-10, HS-24, HA-12, HA-14: a client that is refused gets a response that says why, and then the end.
#[test]
fn a_client_is_refused_with_a_response() {
    let cases = [
        (REQUEST.replace("Sec-WebSocket-Key", "X"), 400),
        (REQUEST.replace(": 13", ": 12"), 426),
        (REQUEST.replace("GET", "POST"), 405),
        (
            REQUEST.replace("\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n"),
            403,
        ),
        (format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(70_000)), 431),
        ("\u{16}\u{3}\u{1} this is TLS\r\n\r\n".into(), 400),
    ];
    for (request, status) in cases {
        let (mut near, far) = sockets();
        let server = beside(|| blocking::accept(far).map(drop));
        near.write_all(request.as_bytes()).expect("open");
        let head = read_head(&mut near);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head} instead of {status}"
        );
        let result = end(server);
        assert!(matches!(result, Err(Error::Handshake(_))), "{result:?}");
    }
}

/// HA-18, CL-32: a client that goes away during its handshake is an error of the transport.
#[test]
fn a_handshake_that_breaks_off_is_an_error() {
    for len in [0, 1, REQUEST.len() - 1] {
        let mut wire = Wire::new(&REQUEST.as_bytes()[..len]);
        let result = blocking::accept(&mut wire);
        let place = if len == 0 {
            UnexpectedEof::BeforeHead
        } else {
            UnexpectedEof::InHead
        };
        assert_eq!(cut(result), place);
        assert_eq!(wire.written, b"");
        let wire = Wire::new(&RESPONSE.as_bytes()[..len.min(RESPONSE.len() - 1)]);
        let result = blocking::connect_with(wire, &client(), &Config::default(), PATIENCE);
        assert_eq!(cut(result), place);
    }
}

/// HA-15, HA-16: a plain GET can be looked at and answered with a page.
#[test]
fn a_plain_request_can_be_answered() {
    let (mut near, far) = sockets();
    let server = beside(|| {
        let incoming = Incoming::read(far, HeadLimits::default(), PATIENCE).expect("a request");
        assert_eq!(incoming.request().target(), "/index.html");
        assert_eq!(
            Server::new().accept(incoming.request()).map(drop),
            Err(HandshakeError::NotUpgrade)
        );
        let page = reject(200, &[("Content-Type", "text/html")], b"<p>hello");
        incoming.reject(&page.expect("a response")).expect("open");
    });
    near.write_all(b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("open");
    let answer = String::from_utf8(read_to_end(&mut near)).expect("ASCII");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n<p>hello"), "{answer}");
    end(server);
}

/// HA-06: the pieces of the handshake that the short forms leave out can be chosen.
#[test]
fn a_handshake_can_be_configured() {
    let (near, far) = sockets();
    let config = Config::default().with_fragment_size(2);
    let server = beside(move || {
        let incoming = Incoming::read(far, HeadLimits::default(), PATIENCE).expect("a request");
        let server = Server::new().with_subprotocols(["soup", "chat"]);
        let accepted = server.accept(incoming.request()).expect("a handshake");
        incoming.accept(&accepted, &config).expect("open")
    });
    let client = client().with_subprotocol("chat").expect("a token");
    let (mut client, established) =
        blocking::connect_with(near, &client, &Config::default(), PATIENCE).expect("a server");
    assert_eq!(established.subprotocol(), Some("chat"));
    let mut server = end(server);
    server.send("fragments").expect("open");
    assert_eq!(client.read().expect("no error"), Some("fragments".into()));
}

/// A read that times out leaves the connection as it was: the next one goes on in the middle of the frame.
#[test]
fn a_read_can_time_out_and_be_repeated() {
    let (near, mut far) = sockets();
    let frame = naive::frame(0x82, &pattern(50_000));
    near.set_read_timeout(Some(Duration::from_millis(5)))
        .expect("a socket");
    let mut client = open(Role::Client, near);
    for piece in [0..1, 1..3, 3..10, 10..20_000, 20_000..49_999] {
        far.write_all(&frame[piece.clone()]).expect("open");
        let kind = io_error(client.read());
        assert!(
            matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{kind} behind {piece:?}"
        );
        assert_eq!(client.outcome(), None);
    }
    far.write_all(&frame[49_999..]).expect("open");
    client
        .stream()
        .set_read_timeout(Some(PATIENCE))
        .expect("a socket");
    let message = client.read().expect("no error").expect("a message");
    assert!(message == binary(50_000));
}

/// A message whose sending timed out is sent by the next calls, whatever they are.
#[test]
fn a_write_can_time_out_and_is_finished_by_the_next_call() {
    let finish: [fn(&mut WebSocket<Wire>); 4] = [
        |socket| socket.flush().expect("no error"),
        |socket| {
            let event = socket.read_event().expect("no error");
            assert_eq!(
                common::describe(&event.expect("an event")),
                "text \"hello\""
            );
        },
        |socket| socket.send("").expect("no error"),
        |socket| drop(socket.close(None, PATIENCE).expect("no error")),
    ];
    for finish in finish {
        for room in [0, 1, 3, 4_000, 10_003] {
            let mut wire = Wire::new(frames(Role::Client, "81 05 'hello' 88 00"));
            wire.room = room;
            let mut socket = open(Role::Client, wire);
            assert_eq!(io_error(socket.send(binary(10_000))), ErrorKind::WouldBlock);
            assert_eq!(socket.stream().written.len(), room);
            let (mut wire, connection, rest) = socket.into_parts();
            wire.room = usize::MAX;
            let mut socket = WebSocket::new(wire, connection, rest);
            finish(&mut socket);
            let written = naive::describe(&socket.stream().written, Role::Client);
            assert_eq!(written[0], describe(&binary(10_000)));
            assert_eq!(socket.stream().flushed, socket.stream().written.len());
        }
    }
}

/// A message that comes while nothing can be written is heard all the same, before the error.
#[test]
fn a_message_is_not_lost_because_nothing_can_be_written() {
    for role in BOTH {
        let mut wire = Wire::new(frames(role, "81 03 'one' 89 01 '?' 81 03 'two' 88 00"));
        wire.room = 0;
        let mut socket = open(role, wire);
        assert_eq!(io_error(socket.send("hello")), ErrorKind::WouldBlock);
        let heard: Vec<_> = (0..4)
            .map(|_| socket.read_event().expect("no error").expect("an event"))
            .map(|event| common::describe(&event))
            .collect();
        assert_eq!(
            heard,
            ["text \"one\"", "ping \"?\"", "text \"two\"", "close"]
        );
        assert_eq!(io_error(socket.read()), ErrorKind::WouldBlock);
        assert_eq!(io_error(socket.read()), ErrorKind::WouldBlock);
        assert_eq!(socket.outcome(), None, "the answer is not written");
        let (mut wire, connection, rest) = socket.into_parts();
        wire.room = usize::MAX;
        let mut socket = WebSocket::new(wire, connection, rest);
        assert_eq!(socket.read().expect("no error"), None);
        assert_eq!(
            describe_outcome(socket.outcome()),
            "by the peer, clean, 1005, sent nothing"
        );
        let written = naive::describe(&socket.stream().written, role);
        // The Pong may go before what is not large, but not before the one that was offered already.
        assert_eq!(written, ["text \"hello\"", "pong \"?\"", "close"]);
    }
}

/// FA-01: a failure is reported once, also if the Close frame that tells about it has to wait.
#[test]
fn a_failure_is_reported_once_though_its_close_frame_has_to_wait() {
    for role in BOTH {
        let mut wire = Wire::new(frames(role, "83 00"));
        wire.room = 1;
        let mut socket = open(role, wire);
        assert_eq!(protocol_error(socket.read()), ProtocolError::ReservedOpcode);
        assert_eq!(io_error(socket.read()), ErrorKind::WouldBlock);
        let (mut wire, connection, rest) = socket.into_parts();
        wire.room = usize::MAX;
        let mut socket = WebSocket::new(wire, connection, rest);
        assert_eq!(socket.read().expect("no error"), None);
        let written = naive::describe(&socket.stream().written, role);
        assert_eq!(written, [r#"close 1002 "the opcode is reserved""#]);
    }
}

/// What has been read and not received goes along with the stream.
#[test]
fn the_parts_hold_all_that_has_come() {
    let input = frames(Role::Server, "81 03 'one' 81 03 'two'");
    let mut server = open(Role::Server, Wire::silent(input));
    assert_eq!(server.read().expect("no error"), Some("one".into()));
    let (wire, connection, rest) = server.into_parts();
    assert_eq!(rest.len(), 9);
    let mut server = WebSocket::new(wire, connection, rest);
    assert_eq!(server.read().expect("no error"), Some("two".into()));
}

/// CL-32: what the peer has sent before it went away is heard, though nothing can be written to it any more.
#[test]
fn a_close_frame_is_heard_behind_a_write_that_fails() {
    let (near, mut far) = sockets();
    far.write_all(&frames(Role::Client, "81 02 'hi' 88 05 03e9 'bye'"))
        .expect("open");
    drop(far);
    let mut client = open(Role::Client, near);
    let refused = (0..100).find_map(|_| {
        thread::sleep(Duration::from_millis(10));
        client.send("anybody there?").err()
    });
    assert!(matches!(refused, Some(Error::Io(_))), "{refused:?}");
    assert!(matches!(client.send("hello?"), Err(Error::Io(_))));
    assert_eq!(client.read().expect("no error"), Some("hi".into()));
    assert_eq!(client.read().expect("no error"), None);
    assert_eq!(client.read().expect("no error"), None);
    assert_eq!(
        describe_outcome(client.outcome()),
        "by the peer, not clean, 1001 \"bye\", sent 1001"
    );
}

/// FA-06: an error in writing that nobody has heard of is reported once, at the end, unless a Close frame says why.
#[test]
fn an_error_in_writing_is_reported_at_the_end() {
    for role in BOTH {
        for (last, code) in [("", "1006"), ("88 05 03e9 'bye'", "1001 \"bye\"")] {
            let input = frames(role, &format!("89 01 '?' 81 02 'hi' {last}"));
            let mut wire = Wire::new(input);
            wire.fault = Some((1, Fault::Once(ErrorKind::BrokenPipe)));
            let mut socket = open(role, wire);
            assert_eq!(socket.read().expect("no error"), Some("hi".into()));
            if last.is_empty() {
                assert_eq!(io_error(socket.read()), ErrorKind::BrokenPipe);
            }
            assert_eq!(socket.read().expect("no error"), None);
            assert_eq!(socket.stream().written, b"", "nothing more is written");
            let outcome = describe_outcome(socket.outcome());
            assert!(
                outcome.contains(&format!("not clean, {code}, ")),
                "{outcome}"
            );
        }
    }
}

/// A stream that takes nothing is an error, as in `write_all`.
#[test]
fn a_write_of_nothing_is_an_error() {
    let mut wire = Wire::silent("");
    wire.fault = Some((0, Fault::Zero));
    let mut socket = open(Role::Server, wire);
    assert_eq!(io_error(socket.send("hello")), ErrorKind::WriteZero);
}

/// What is queued in answer to messages that came together is written together, or with the answer to a Ping.
#[test]
fn answers_are_written_together() {
    let role = Role::Server;
    let input = frames(role, "81 01 'a' 81 01 'b' 89 01 '?' 81 01 'c'");
    let mut server = open(role, Wire::silent(input));
    let mut written = Vec::new();
    for _ in 0..3 {
        let message = server.read().expect("open").expect("a message");
        server.connection_mut().send(message).expect("open");
        written.push(naive::describe(&server.stream().written, role).len());
    }
    assert_eq!(written, [0, 0, 3]);
    assert_eq!(io_error(server.read()), ErrorKind::WouldBlock);
    assert_eq!(naive::describe(&server.stream().written, role).len(), 4);
}

/// What waits is offered in several slices, so that a large payload needs no copy and no write of its own.
#[test]
fn large_messages_are_written_with_their_headers() {
    let mut server = open(Role::Server, Wire::silent(""));
    for len in [5, 5_000, 70_000] {
        server.connection_mut().send(binary(len)).expect("open");
    }
    server.flush().expect("open");
    let wire = server.stream();
    assert!(wire.slices > 3, "{} slices", wire.slices);
    assert_eq!(wire.calls, 2, "one write, one flush");
    let expected = [5, 5_000, 70_000].map(|len| describe(&binary(len)));
    assert_eq!(naive::describe(&wire.written, Role::Server), expected);
}

/// A write may take any part of what is offered.
#[test]
fn partial_writes_lose_nothing() {
    for piece in [1, 2, 3, 7, 100, 4_097, 20_000] {
        for role in BOTH {
            let mut wire = Wire::silent("");
            wire.piece = piece;
            let mut socket = open(role, wire);
            for len in [0, 200, 5_000, 20_000] {
                socket.send(binary(len)).expect("open");
            }
            let written = naive::describe(&socket.stream().written, role);
            assert_eq!(
                written,
                [0, 200, 5_000, 20_000].map(|len| describe(&binary(len)))
            );
        }
    }
}

/// Converses as an echo that goes on after errors; returns what was heard, the errors, and the end of it all.
fn converse(socket: &mut WebSocket<Wire>) -> (Vec<String>, Vec<ErrorKind>) {
    let mut heard = Vec::new();
    let mut errors = Vec::new();
    loop {
        let result = match socket.read_event() {
            Ok(None) => break,
            Ok(Some(event)) => {
                heard.push(common::describe(&event));
                let message = event.into_message();
                message.map_or(Ok(()), |message| socket.send(message))
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {}
            Err(Error::Io(error)) => errors.push(error.kind()),
            Err(Error::UnexpectedEof(_)) => heard.push("cut".into()),
            Err(error) => panic!("{error:?}"),
        }
        assert!(errors.len() < 20, "errors without end: {errors:?}");
    }
    (heard, errors)
}

/// What became of a conversation.
#[derive(Debug)]
struct Conversation {
    role: Role,
    heard: Vec<String>,
    errors: Vec<ErrorKind>,
    outcome: String,
}

/// Has the conversation with a fault in each call in turn, until there is none left that it could hit.
fn with_each_fault(fault: Fault, piece: usize, check: impl Fn(usize, &Wire, &Conversation)) {
    for role in BOTH {
        let input = conversation(role);
        for at in 0.. {
            let mut wire = Wire::new(&*input);
            wire.piece = piece;
            wire.fault = Some((at, fault));
            let mut socket = open(role, wire);
            let (heard, errors) = converse(&mut socket);
            assert_eq!(socket.read().expect("it has ended"), None);
            let conversation = Conversation {
                role,
                heard,
                errors,
                outcome: describe_outcome(socket.outcome()),
            };
            let (wire, _, rest) = socket.into_parts();
            assert!(rest.is_empty());
            check(at, &wire, &conversation);
            if wire.calls <= at {
                break;
            }
        }
    }
}

const CLEAN: &str = "by the peer, clean, 1000 \"bye\", sent 1000";

/// A call that is interrupted by a signal, or that moves one byte, changes nothing; one that times out is reported, and
/// changes nothing either.
#[test]
fn calls_that_can_be_repeated_lose_nothing() {
    let faults = [
        Fault::Once(ErrorKind::Interrupted),
        Fault::One,
        Fault::Once(ErrorKind::WouldBlock),
        Fault::Once(ErrorKind::TimedOut),
    ];
    let (heard, echoed) = (heard(), echoed());
    for fault in faults {
        for piece in [usize::MAX, 9_000] {
            with_each_fault(fault, piece, |at, wire, had| {
                assert_eq!(had.heard, heard, "{fault:?} {at}: {had:?}");
                let written = naive::describe(&wire.written, had.role);
                assert_eq!(written, echoed, "{fault:?} {at}: {had:?}");
                assert_eq!(wire.flushed, wire.written.len());
                assert_eq!(had.outcome, CLEAN, "{fault:?} {at}");
                match fault {
                    Fault::Once(kind) if kind != ErrorKind::Interrupted => {
                        assert!(had.errors.iter().all(|error| *error == kind));
                        assert!(had.errors.len() <= 1, "{fault:?} {at}: {had:?}");
                    }
                    _ => assert_eq!(had.errors, [], "{fault:?} {at}"),
                }
            });
        }
    }
}

/// Returns the bytes that an echo without faults writes.
fn whole_echo(role: Role) -> Vec<u8> {
    let mut socket = open(role, Wire::new(conversation(role)));
    converse(&mut socket);
    socket.into_parts().0.written
}

/// FA-06, CL-32: a call that fails for good ends the connection with that error; what was heard and written until then
/// stands, once and in order, and the outcome is known.
#[test]
fn calls_that_fail_for_good_end_the_connection() {
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    let whole = BOTH.map(whole_echo);
    let heard = heard();
    for kind in kinds {
        for fault in [Fault::Once(kind), Fault::Always(kind)] {
            with_each_fault(fault, usize::MAX, |at, wire, had| {
                assert!(heard.starts_with(&had.heard), "{fault:?} {at}: {had:?}");
                let whole = &whole[usize::from(had.role == Role::Server)];
                assert!(whole.starts_with(&wire.written), "{fault:?} {at}: {had:?}");
                assert!(had.errors.iter().all(|error| *error == kind));
                assert_ne!(had.outcome, "goes on", "{fault:?} {at}");
                if had.errors.is_empty() {
                    // What failed was the answer to the Close frame, or came behind it.
                    assert_eq!(had.heard, heard, "{fault:?} {at}");
                }
                if wire.written.len() < whole.len() {
                    assert_ne!(had.outcome, CLEAN, "{fault:?} {at}: {had:?}");
                }
            });
        }
    }
}

/// CL-32: a stream that brings or takes nothing has ended.
#[test]
fn calls_that_move_nothing_end_the_connection() {
    let whole = BOTH.map(whole_echo);
    let heard = heard();
    with_each_fault(Fault::Zero, usize::MAX, |at, wire, had| {
        let before = had.heard.strip_suffix(&["cut".into()]);
        let before = before.unwrap_or(&had.heard);
        assert!(heard.starts_with(before), "{at}: {had:?}");
        let whole = &whole[usize::from(had.role == Role::Server)];
        assert!(whole.starts_with(&wire.written), "{at}: {had:?}");
        assert_ne!(had.outcome, "goes on", "{at}");
        assert!(
            had.errors.iter().all(|kind| *kind == ErrorKind::WriteZero),
            "{at}: {had:?}"
        );
    });
}

/// HR-20, HA-18: no fault in an opening handshake does more than end it with that error.
#[test]
fn faults_in_a_handshake_end_it() {
    for kind in [
        ErrorKind::ConnectionReset,
        ErrorKind::BrokenPipe,
        ErrorKind::WouldBlock,
    ] {
        for at in 0..3 {
            let mut wire = Wire::new(REQUEST);
            wire.fault = Some((at, Fault::Always(kind)));
            assert_eq!(io_error(blocking::accept(&mut wire)), kind);
            assert!(RESPONSE.as_bytes().starts_with(&wire.written));

            let mut wire = Wire::new(RESPONSE);
            wire.fault = Some((at, Fault::Always(kind)));
            let result = blocking::connect_with(&mut wire, &client(), &Config::default(), PATIENCE);
            assert_eq!(io_error(result), kind);
            assert!(REQUEST.as_bytes().starts_with(&wire.written));
        }
    }
}

/// Nor does a signal, or a call that moves one byte, do anything at all.
#[test]
fn interruptions_of_a_handshake_do_nothing() {
    for fault in [Fault::Once(ErrorKind::Interrupted), Fault::One] {
        for at in 0..5 {
            let mut wire = Wire::new(REQUEST);
            wire.fault = Some((at, fault));
            let server = blocking::accept(wire).expect("a client");
            assert_eq!(server.stream().written, RESPONSE.as_bytes());

            let mut wire = Wire::new(RESPONSE);
            wire.fault = Some((at, fault));
            let (client, _) = blocking::connect_with(wire, &client(), &Config::default(), PATIENCE)
                .expect("a server");
            assert_eq!(client.stream().written, REQUEST.as_bytes());

            let mut wire = Wire::new("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            wire.fault = Some((at, fault));
            let result = blocking::accept(&mut wire);
            assert!(matches!(result, Err(Error::Handshake(_))), "{result:?}");
            assert!(wire.written.starts_with(b"HTTP/1.1 426"), "{wire:?}");
        }
    }
}

/// S-13: a connection that waits for a message holds no memory, whatever it has done before.
#[test]
fn an_idle_connection_holds_no_memory() {
    // Other tests take what the process keeps, and give back other memory.
    sansocket::pool::set_limit(0);
    for role in BOTH {
        let mut input = conversation(role);
        input.truncate(input.len() - if role == Role::Server { 11 } else { 7 });
        let mut all: Vec<_> = (0..50).map(|_| open(role, Wire::silent(&*input))).collect();
        // What a thread keeps for the next message does not count.
        let idle = |socket: &mut WebSocket<Wire>| {
            let (heard, errors) = converse_until_idle(socket);
            assert_eq!(heard, 6);
            assert_eq!(errors, ErrorKind::WouldBlock);
        };
        let (first, others) = all.split_at_mut(8);
        first.iter_mut().for_each(idle);
        for socket in others {
            let before = held();
            let owned = memory_of(socket.stream());
            idle(socket);
            let grown = memory_of(socket.stream()).wrapping_sub(owned);
            assert_eq!(held().wrapping_sub(before), grown, "{role:?}");
        }
    }
}

fn converse_until_idle(socket: &mut WebSocket<Wire>) -> (usize, ErrorKind) {
    let mut heard = 0;
    loop {
        match socket.read() {
            Ok(Some(message)) => socket.send(message).expect("open"),
            other => return (heard, io_error(other)),
        }
        heard += 1;
    }
}

/// The heap memory of a stream in memory.
fn memory_of(wire: &Wire) -> usize {
    wire.input.capacity() + wire.written.capacity()
}

/// CL-13: two ends that both have more to say than the stream holds get through, since each reads while it cannot write.
#[test]
fn reading_goes_on_while_writing_is_blocked() {
    const LEN: usize = 8 << 20;
    for timeout in [Some(Duration::from_millis(50)), None] {
        let (near, far) = sockets();
        let talk = move |role: Role, stream: TcpStream| {
            let mut socket = open(role, stream);
            socket.set_timeouts(None, timeout);
            let queue = socket.connection_mut();
            queue.send(binary(LEN)).expect("open");
            queue.ping(b"last").expect("open");
            let message = socket.read().expect("no error").expect("a message");
            assert!(message == binary(LEN), "{role:?}");
            while !matches!(socket.read_event().expect("no error"), Some(Event::Pong(_))) {}
            socket
        };
        let other = beside(move || talk(Role::Server, far));
        let client = talk(Role::Client, near);
        drop((client, end(other)));
    }
}

/// CT-05: a Pong that the peer does not take does not keep its messages from being heard.
#[test]
fn a_pong_that_cannot_be_written_deafens_nobody() {
    let (near, mut far) = sockets();
    let mut server = open(Role::Server, near);
    server.set_timeouts(Some(PATIENCE), Some(Duration::from_millis(50)));
    // More than both sockets hold: the peer reads none of it.
    let refused = server.send(binary(32 << 20));
    assert_eq!(io_error(refused), ErrorKind::WouldBlock);
    let peer = beside(move || {
        for _ in 0..500 {
            let input = frames(Role::Server, "89 01 '?' 81 02 'hi'");
            far.write_all(&input).expect("it is read");
        }
        far
    });
    for _ in 0..500 {
        assert_eq!(server.read().expect("no error"), Some("hi".into()));
    }
    end(peer);
}

/// CL-28, CL-31: a server that completes the closing handshake and keeps the stream open holds a client for a second, and
/// the Close frame is heard before that.
#[test]
fn a_server_that_keeps_the_stream_open_holds_nobody() {
    for begins in [true, false] {
        let (near, mut far) = sockets();
        far.write_all(&frames(Role::Client, "88 05 03e8 'bye'"))
            .expect("open");
        let mut client = open(Role::Client, near);
        client.set_timeouts(None, None);
        let begun = Instant::now();
        let outcome = if begins {
            client
                .close(Some(closing(1000, "")), PATIENCE)
                .expect("an end")
        } else {
            let event = client.read_event().expect("no error").expect("an event");
            assert_eq!(event, Event::Close(Some(closing(1000, "bye"))));
            assert!(begun.elapsed() < Duration::from_millis(500));
            assert_eq!(client.read_event().expect("no error"), None);
            client.outcome()
        };
        assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
        assert!(describe_outcome(outcome).contains(", clean, 1000 \"bye\""));
        drop(far);
    }
}

/// Sends a byte of a text message at a time and never closes, until nobody reads.
fn drip(mut far: TcpStream, role: Role) -> JoinHandle<()> {
    beside(move || {
        let bytes = frames(role, "01 01 'a'");
        let more = frames(role, "00 01 'a'");
        let mut next = &bytes;
        while far.write_all(next).is_ok() {
            next = &more;
            thread::sleep(Duration::from_millis(10));
        }
    })
}

/// CL-29: closing ends in time, whatever the peer does: it drips, keeps silent, does not read, or floods.
#[test]
fn closing_ends_in_time() {
    let timeout = Duration::from_millis(300);
    for role in BOTH {
        for peer in 0..4 {
            let (near, mut far) = sockets();
            let mut socket = open(role, near);
            socket.set_timeouts(None, None);
            let other = match peer {
                0 => drip(far, role),
                1 => beside(move || drop(read_to_end(&mut far))),
                2 => {
                    socket
                        .connection_mut()
                        .send(binary(32 << 20))
                        .expect("open");
                    beside(move || thread::sleep(timeout * 3))
                }
                _ => beside(move || {
                    let flood = frames(role, "89 01 '?' 81 02 'hi'").repeat(1_000);
                    while far.write_all(&flood).is_ok() {}
                }),
            };
            let begun = Instant::now();
            let outcome = socket.close(Some(closing(1001, "")), timeout);
            let elapsed = begun.elapsed();
            assert!(elapsed < PATIENCE / 2, "{role:?} {peer}: {elapsed:?}");
            assert!(elapsed >= timeout, "{role:?} {peer}: {elapsed:?}");
            let outcome = describe_outcome(outcome.expect("no error"));
            assert!(outcome.contains("not clean, 1006"), "{peer}: {outcome}");
            drop(socket);
            end(other);
        }
    }
}

/// CL-24: another thread ends connections that wait for a message or for the stream to take one, cleanly where the peer
/// answers, and in time where it does not; also one that gets the closer later.
#[test]
fn another_thread_can_close_connections() {
    let closer = Closer::new();
    assert_eq!(
        closer.close(Some(closing(1005, "")), PATIENCE),
        Err(SendError::InvalidCloseCode)
    );
    let (near, far) = sockets();
    let mut polite = open(Role::Server, far).with_closer(&closer);
    let reader = beside(move || {
        assert_eq!(polite.read().expect("no error"), None);
        describe_outcome(polite.outcome())
    });
    let (near2, far2) = sockets();
    let mut full = open(Role::Server, far2).with_closer(&closer);
    full.set_timeouts(None, None);
    let sender = beside(move || io_error(full.send(binary(32 << 20))));
    let (near3, far3) = sockets();
    let mut silent = open(Role::Server, far3).with_closer(&closer);
    silent.set_timeouts(None, None);
    let waiter = beside(move || cut(silent.read()));

    thread::sleep(Duration::from_millis(150));
    let begun = Instant::now();
    let order = closer.close(Some(closing(1001, "restart")), Duration::from_millis(500));
    assert_eq!(order, Ok(()));
    let mut client = open(Role::Client, near);
    let event = client.read_event().expect("no error").expect("an event");
    assert_eq!(event, Event::Close(Some(closing(1001, "restart"))));
    assert_eq!(client.read().expect("no error"), None);
    assert_eq!(end(reader), "by us, clean, 1001, sent 1001");
    assert_eq!(end(sender), ErrorKind::WouldBlock);
    assert_eq!(end(waiter), UnexpectedEof::BetweenMessages);
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    drop((near2, near3));

    let mut late = open(Role::Server, Wire::new("")).with_closer(&closer);
    assert_eq!(cut(late.read()), UnexpectedEof::BetweenMessages);
    let written = naive::describe(&late.stream().written, Role::Server);
    assert_eq!(written, ["close 1001 \"restart\""]);
}

/// HA-18: a client that is refused gets the response though it goes on sending a body.
#[test]
fn a_refusal_arrives_before_the_body_was_read() {
    for head in ["POST / HTTP/1.1", "GET / HTTP/1.1"] {
        for _ in 0..10 {
            let (mut near, far) = sockets();
            let server = beside(|| blocking::accept(far).map(drop));
            let head = format!("{head}\r\nHost: a\r\nContent-Length: 262144\r\n\r\n");
            near.write_all(head.as_bytes()).expect("open");
            near.write_all(&vec![b'x'; 256 << 10]).expect("it is read");
            near.shutdown(Shutdown::Write).expect("open");
            let answer = String::from_utf8(read_to_end(&mut near)).expect("ASCII");
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
            assert!(matches!(end(server), Err(Error::Handshake(_))));
        }
    }
}

/// HA-18: a peer that goes on for ever holds a refusal for a second, one that sends fast for 4 MiB.
#[test]
fn a_refusal_ends() {
    for pause in [Duration::from_millis(5), Duration::ZERO] {
        let (mut near, far) = sockets();
        let flood = beside(move || {
            let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            near.write_all(head.as_bytes()).expect("open");
            while near.write_all(&[b'x'; 1_000]).is_ok() {
                thread::sleep(pause);
            }
        });
        let begun = Instant::now();
        assert!(matches!(blocking::accept(far), Err(Error::Handshake(_))));
        assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
        end(flood);
    }
}

/// HA-18, HR-20: a handshake ends in time, also where a byte comes before each read runs out of time.
#[test]
fn a_handshake_ends_in_time() {
    let timeout = Duration::from_millis(300);
    for server in [true, false] {
        let (near, mut far) = sockets();
        near.set_read_timeout(Some(Duration::from_millis(100)))
            .expect("a socket");
        let peer = beside(move || {
            let head = if server { REQUEST } else { RESPONSE };
            for byte in head.bytes() {
                if far.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(40));
            }
        });
        let begun = Instant::now();
        let result = if server {
            Incoming::read(near, HeadLimits::default(), timeout).map(drop)
        } else {
            blocking::connect_with(near, &client(), &Config::default(), timeout).map(drop)
        };
        let kind = io_error(result);
        assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(begun.elapsed() >= timeout, "{:?}", begun.elapsed());
        assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
        end(peer);
    }
}

/// The stream's timeouts hold while a connection reads and sends, and are the stream's again in the end.
#[test]
fn the_streams_timeouts_hold() {
    let (near, far) = sockets();
    let short = Some(Duration::from_millis(80));
    near.set_read_timeout(short).expect("a socket");
    near.set_write_timeout(short).expect("a socket");
    let mut server = open(Role::Server, near).with_closer(&Closer::new());
    for blocked in [false, true] {
        if blocked {
            let begun = Instant::now();
            assert_eq!(
                io_error(server.send(binary(32 << 20))),
                ErrorKind::WouldBlock
            );
            assert!(begun.elapsed() >= Duration::from_millis(80));
        }
        let begun = Instant::now();
        assert_eq!(io_error(server.read()), ErrorKind::WouldBlock);
        let elapsed = begun.elapsed();
        assert!(
            elapsed >= Duration::from_millis(80) && elapsed < PATIENCE / 2,
            "{elapsed:?}"
        );
    }
    let (near, _, _) = server.into_parts();
    assert_eq!(near.read_timeout().expect("a socket"), short);
    assert_eq!(near.write_timeout().expect("a socket"), short);
    drop(far);
}

/// CL-13: messages that come behind our own Close frame are heard by those who go on reading.
#[test]
fn one_can_begin_to_close_and_read_on() {
    for role in BOTH {
        let late = frames(role, "81 04 'late' 82 01 00 88 02 03e8");
        let mut socket = open(role, Wire::new(late));
        let queue = socket.connection_mut();
        queue.close(Some(closing(1001, ""))).expect("open");
        let mut heard = Vec::new();
        while let Some(message) = socket.read().expect("no error") {
            heard.push(describe(&message));
        }
        assert_eq!(heard, ["text \"late\"", "binary 00"]);
        let outcome = describe_outcome(socket.outcome());
        assert_eq!(outcome, "by us, clean, 1000, sent 1001");
    }
}

/// CL-32: a stream that ends behind our own Close frame is an error of `read` and none of `close`.
#[test]
fn an_end_without_an_answer_is_an_error_of_reading() {
    for role in BOTH {
        let mut socket = open(role, Wire::new(frames(role, "81 02 'ok'")));
        socket.connection_mut().close(None).expect("open");
        assert_eq!(socket.read().expect("no error"), Some("ok".into()));
        assert_eq!(cut(socket.read()), UnexpectedEof::BetweenMessages);
        assert_eq!(socket.read().expect("once"), None);
        let mut socket = open(role, Wire::new(""));
        let outcome = socket.close(None, PATIENCE).expect("no error");
        assert!(!outcome.expect("an end").clean);
        assert_eq!(socket.read().expect("it is known"), None);
    }
}

/// Behind an error in writing, what is queued is dropped as it comes, and the error itself is told once.
#[test]
fn behind_an_error_in_writing_all_is_dropped() {
    for role in BOTH {
        let mut wire = Wire::new(frames(role, "81 02 'hi'"));
        wire.fault = Some((0, Fault::Once(ErrorKind::BrokenPipe)));
        let mut socket = open(role, wire);
        let Err(Error::Io(first)) = socket.send("lost") else {
            panic!("no error");
        };
        for _ in 0..2 {
            assert_eq!(io_error(socket.send(binary(100_000))), first.kind());
            assert_eq!(socket.connection_mut().buffered(), 0);
        }
        assert_eq!(socket.read().expect("no error"), Some("hi".into()));
        assert_eq!(cut(socket.read()), UnexpectedEof::BetweenMessages);
        assert_eq!(socket.read().expect("once"), None);
        assert_eq!(socket.stream().written, b"", "the stream is left alone");
    }
}

/// CL-28: a connection ends once: reading on does nothing to the stream, be it emptied, lingered on, or cut.
#[test]
fn an_end_is_an_end() {
    for role in BOTH {
        for last in ["88 02 03e8 'more'", "83 00 'more'", "81"] {
            let mut socket = open(role, Wire::new(frames(role, last)));
            let events = (0..10).map(|_| socket.read_event());
            let events = events.take_while(|event| !matches!(event, Ok(None)));
            assert_eq!(events.count(), 1, "{last}");
            let calls = socket.stream().calls;
            for _ in 0..3 {
                assert_eq!(socket.read_event().expect("the end"), None);
                assert_eq!(
                    socket.close(None, PATIENCE).expect("the end"),
                    socket.outcome()
                );
            }
            assert_eq!(socket.stream().calls, calls, "{last}");
        }
    }
}

/// S-13: a message that is kept holds at most twice its length and 256 bytes, however much came along with it.
#[test]
fn a_kept_message_holds_little_more_than_its_length() {
    const COUNT: usize = 200;
    for role in BOTH {
        for (kept, other) in [(22, 9_000), (300, 300), (5_000, 14_000), (9_000, 10)] {
            let pair = [
                naive::frame(0x82, &pattern(kept)),
                naive::frame(0x82, &vec![1; other]),
            ];
            let input = towards(role, &pair.concat()).repeat(COUNT);
            for events in [false, true] {
                let mut socket = open(role, Wire::silent(&*input));
                let (mut messages, mut payloads) = (Vec::new(), Vec::new());
                messages.reserve(COUNT);
                payloads.reserve(COUNT);
                let before = held();
                for _ in 0..COUNT {
                    if events {
                        payloads.push(socket.read_event().expect("no error"));
                        drop(socket.read_event().expect("no error"));
                    } else {
                        messages.push(socket.read().expect("no error"));
                        drop(socket.read().expect("no error"));
                    }
                }
                // The read that is at work may be held as well.
                let most = COUNT * (2 * kept + 256) + (64 << 10);
                let grown = held_since(before);
                assert!(grown <= most.cast_signed(), "{grown} bytes for {kept}");
            }
        }
    }
}

/// A stream that brings one piece a read, and remembers how much each was asked for.
#[derive(Debug)]
struct Pieces {
    reads: VecDeque<Vec<u8>>,
    asked: Vec<usize>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked.push(buffer.len());
        let piece = self.reads.pop_front().unwrap_or_default();
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A read asks for 20 KiB if more than 1 KiB came with the read before, and for 2 KiB else, as all that it asks for has to be
/// zeroed.
#[test]
fn little_is_asked_for_while_little_comes() {
    let reads = [1_024, 1_025, 10, 10].map(|len| {
        let header = if len > 100 { 8 } else { 6 };
        let frame = towards(Role::Server, &naive::frame(0x82, &vec![7; len - header]));
        assert_eq!(frame.len(), len);
        frame
    });
    let pieces = Pieces {
        reads: reads.into(),
        asked: Vec::new(),
    };
    let mut server = open(Role::Server, Unbounded(pieces));
    for _ in 0..4 {
        assert!(server.read().expect("no error").is_some());
    }
    let asked = &server.stream().0.asked;
    assert_eq!(asked, &[2 << 10, 2 << 10, 20 << 10, 2 << 10]);
}
