//! The tokio adapter: over TCP, over streams in memory that are pending wherever they can be, and over streams that fail.

mod adapter_support;
mod common;
mod memory;

use core::future::poll_fn;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::thread;

use ::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use ::tokio::net::TcpStream;
use ::tokio::time::{Instant, sleep, timeout};
use adapter_support::polled::{Stutter, now, poll_once, settle};
use adapter_support::wire::{Fault, Wire};
use adapter_support::{
    LENGTHS, PATIENCE, REQUEST, RESPONSE, URI, binary, client, conversation, describe,
    describe_outcome, echoed, frames, heard, pattern, read_head, read_to_end, sockets, text,
};
use bytes::BytesMut;
use common::{BOTH, closing, connection, fresh, naive};
use futures_core::Stream;
use futures_sink::Sink;
use memory::{held, held_since};
#[cfg(feature = "deflate")]
use sansocket::deflate::Params;
use sansocket::handshake::{HandshakeError, HeadLimits, Server, reject};
use sansocket::tokio::{self as adapter, Incoming, WebSocket};
use sansocket::{
    Config, Error, Event, Fin, Message, MessageKind, ProtocolError, Role, SendError, UnexpectedEof,
};

/// Returns both ends of a TCP connection: one for the adapter, and one that blocks.
fn streams() -> (TcpStream, StdStream) {
    let (near, far) = sockets();
    (asynchronous(near), far)
}

fn asynchronous(stream: StdStream) -> TcpStream {
    stream.set_nonblocking(true).expect("a socket");
    TcpStream::from_std(stream).expect("a runtime")
}

/// Returns both ends of an open connection over TCP, the client first.
async fn pair() -> (WebSocket<TcpStream>, WebSocket<TcpStream>) {
    let (near, far) = sockets();
    let (client, server) = in_time(async {
        ::tokio::join!(
            adapter::connect(asynchronous(near), URI),
            adapter::accept(asynchronous(far))
        )
    })
    .await;
    (client.expect("a server"), server.expect("a client"))
}

/// Returns an end behind its opening handshake.
fn open<S: AsyncRead + AsyncWrite + Unpin>(role: Role, stream: S) -> WebSocket<S> {
    WebSocket::new(stream, fresh(role), BytesMut::new())
}

/// Polls a future as long as it wakes itself; it is ready then.
fn settled<T>(future: impl Future<Output = T>) -> T {
    match settle(future) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

/// Awaits a future that must not take long.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it does not hang")
}

/// Runs what blocks beside the runtime.
async fn beside<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    in_time(::tokio::task::spawn_blocking(run))
        .await
        .expect("the other end is content")
}

/// Polls until something is ready, with a fresh future each time; all but the last are dropped unfinished.
fn until_done<T>(mut step: impl FnMut() -> Poll<T>) -> T {
    for _ in 0..2_000_000 {
        if let Poll::Ready(value) = step() {
            return value;
        }
    }
    panic!("pending for ever");
}

/// Echoes until the connection ends; returns how.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> String {
    while let Some(message) = socket.read().await.expect("no error") {
        socket.send(message).await.expect("open");
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
#[::tokio::test]
async fn messages_of_every_length_come_back() {
    let (mut client, server) = pair().await;
    let server = ::tokio::spawn(echo(server));
    for len in LENGTHS {
        for message in [text(len), binary(len)] {
            in_time(client.send(message.clone())).await.expect("open");
            let answer = in_time(client.read()).await.expect("no error");
            assert!(answer == Some(message), "{len} bytes");
        }
    }
    let closing = closing(1000, "done");
    let outcome = client.close(Some(closing), PATIENCE).await.expect("an end");
    assert_eq!(describe_outcome(outcome), "by us, clean, 1000, sent 1000");
    let outcome = in_time(server).await.expect("no panic");
    assert_eq!(outcome, "by the peer, clean, 1000 \"done\", sent 1000");
}

/// The same over a pipe in memory that holds less than a header.
#[::tokio::test]
async fn a_narrow_pipe_will_do() {
    let (near, far) = duplex(3);
    let server =
        ::tokio::spawn(async { echo(adapter::accept(far).await.expect("a client")).await });
    let mut client = adapter::connect(near, URI).await.expect("a server");
    for len in LENGTHS.into_iter().filter(|len| *len < 100_000) {
        client.send(binary(len)).await.expect("open");
        let answer = client.read().await.expect("no error");
        assert!(answer == Some(binary(len)), "{len} bytes");
    }
    let outcome = client.close(None, PATIENCE).await.expect("an end");
    assert_eq!(
        describe_outcome(outcome),
        "by us, clean, 1005, sent nothing"
    );
    let outcome = server.await.expect("no panic");
    assert_eq!(outcome, "by the peer, clean, 1005, sent nothing");
}

/// What is queued goes out with a flush; fragments arrive as one message.
#[::tokio::test]
async fn what_is_queued_goes_out_with_a_flush() {
    let (mut client, mut server) = pair().await;
    let connection = client.connection_mut();
    for (data, fin) in [(b"H\xC3", Fin::More), (b"\xA9!", Fin::Last)] {
        connection
            .send_fragment(MessageKind::Text, data, fin)
            .expect("open");
    }
    client.flush().await.expect("open");
    assert_eq!(server.read().await.expect("no error"), Some("Hé!".into()));
    server.connection_mut().ping(b"?").expect("open");
    server.flush().await.expect("open");
    let event = client.read_event().await.expect("no error");
    assert_eq!(common::describe(&event.expect("an event")), "ping \"?\"");
    let event = server.read_event().await.expect("no error");
    assert_eq!(common::describe(&event.expect("an event")), "pong \"?\"");
}

/// HS-22: frames that come with the client's handshake are not lost.
#[::tokio::test]
async fn frames_right_behind_the_request_are_received() {
    let (near, mut far) = streams();
    let early = frames(Role::Server, "81 05 'early' 02 03 'in ' 80 05 'parts'");
    far.write_all(&[REQUEST.as_bytes(), &early].concat())
        .expect("open");
    let mut server = adapter::accept(near).await.expect("a client");
    assert_eq!(server.read().await.expect("no error"), Some("early".into()));
    let message = server.read().await.expect("no error").expect("a message");
    assert_eq!(describe(&message), "binary \"in parts\"");
}

/// HR-16: frames that come with the server's handshake are not lost.
#[::tokio::test]
async fn frames_right_behind_the_response_are_received() {
    let (near, mut far) = streams();
    let early = frames(Role::Client, "81 05 'early' 89 01 '?' 81 05 'again' 88 00");
    let server = beside(move || {
        assert_eq!(read_head(&mut far), REQUEST);
        far.write_all(&[RESPONSE.as_bytes(), &early].concat())
            .expect("open");
        far.shutdown(Shutdown::Write).expect("open");
        naive::describe(&read_to_end(&mut far), Role::Client)
    });
    let talk = async {
        let config = Config::default();
        let (mut socket, _) = adapter::connect_with(near, &client(), &config, PATIENCE)
            .await
            .expect("a server");
        for text in ["early", "again"] {
            assert_eq!(socket.read().await.expect("no error"), Some(text.into()));
        }
        assert_eq!(socket.read().await.expect("no error"), None);
    };
    let (heard, ()) = ::tokio::join!(server, talk);
    assert_eq!(heard, ["pong \"?\"", "close"]);
}

/// HS-22, HR-16: however the handshake and the frames behind it come, nothing is lost.
#[::tokio::test]
async fn a_handshake_may_come_byte_by_byte() {
    let early = "81 05 'early' 88 00";
    let input = [REQUEST.as_bytes(), &frames(Role::Server, early)].concat();
    let mut server = adapter::accept(Stutter::new(Wire::new(input)))
        .await
        .expect("a client");
    assert_eq!(server.read().await.expect("no error"), Some("early".into()));
    assert_eq!(server.read().await.expect("no error"), None);
    let written = &server.stream().wire.written;
    assert_eq!(&written[..RESPONSE.len()], RESPONSE.as_bytes());
    assert_eq!(
        naive::describe(&written[RESPONSE.len()..], Role::Server),
        ["close"]
    );

    let input = [RESPONSE.as_bytes(), &frames(Role::Client, early)].concat();
    let stream = Stutter::new(Wire::new(input));
    let (mut socket, _) = adapter::connect_with(stream, &client(), &Config::default(), PATIENCE)
        .await
        .expect("a server");
    assert_eq!(socket.read().await.expect("no error"), Some("early".into()));
    assert_eq!(socket.read().await.expect("no error"), None);
    let written = &socket.stream().wire.written;
    assert_eq!(&written[..REQUEST.len()], REQUEST.as_bytes());
    assert_eq!(
        naive::describe(&written[REQUEST.len()..], Role::Client),
        ["close"]
    );
}

/// No future loses anything when it is dropped at any of its await points, also inside a message that is read straight
/// into its memory.
#[::tokio::test(start_paused = true)]
async fn reading_and_sending_can_be_dropped_anywhere() {
    for role in BOTH {
        let mut socket = open(role, Stutter::new(Wire::new(conversation(role))));
        let mut events = Vec::new();
        while let Some(event) = until_done(|| poll_once(socket.read_event())).expect("no error") {
            events.push(common::describe(&event));
            if let Some(message) = event.into_message() {
                assert!(poll_once(socket.send(message)).is_pending());
                until_done(|| poll_once(socket.flush())).expect("no error");
            }
        }
        assert_eq!(events, heard(), "{role:?}");
        assert_eq!(
            describe_outcome(socket.outcome()),
            "by the peer, clean, 1000 \"bye\", sent 1000"
        );
        let wire = &socket.stream().wire;
        assert_eq!(naive::describe(&wire.written, role), echoed(), "{role:?}");
        assert!(wire.shut, "{role:?}");
    }
}

/// Nor does it matter which future writes: what sending has left is written while the next message is awaited.
#[::tokio::test(start_paused = true)]
async fn sending_can_be_left_to_reading() {
    for role in BOTH {
        let mut socket = open(role, Stutter::new(Wire::new(conversation(role))));
        let mut messages = 0;
        while let Some(message) = until_done(|| poll_once(socket.read())).expect("no error") {
            messages += 1;
            assert!(poll_once(socket.send(message)).is_pending());
        }
        assert_eq!(messages, 6, "{role:?}");
        let written = naive::describe(&socket.stream().wire.written, role);
        // Pongs may go before messages, but neither before each other.
        for pong in [true, false] {
            let of = |frames: &[String]| -> Vec<String> {
                let frames = frames.iter().cloned();
                frames.filter(|it| it.starts_with("pong") == pong).collect()
            };
            assert_eq!(of(&written), of(&echoed()), "{role:?}");
        }
    }
}

/// The same for closing: one Close frame, however often the future is dropped and made again.
#[::tokio::test(start_paused = true)]
async fn closing_can_be_dropped_anywhere() {
    for role in BOTH {
        let late = frames(role, "81 04 'late' 89 01 '?' 82 01 00 88 02 03e8");
        let mut socket = open(role, Stutter::new(Wire::new(late)));
        assert!(poll_once(socket.send("hello")).is_pending());
        let close = || Some(closing(1001, "away"));
        let outcome = until_done(|| poll_once(socket.close(close(), PATIENCE))).expect("an end");
        assert_eq!(describe_outcome(outcome), "by us, clean, 1000, sent 1001");
        let wire = &socket.stream().wire;
        assert_eq!(
            naive::describe(&wire.written, role),
            ["text \"hello\"", "close 1001 \"away\"", "pong \"?\""]
        );
        assert!(wire.shut);
    }
}

/// Nor is the error lost, or reported twice, when reading is dropped while the transport is being closed.
#[::tokio::test(start_paused = true)]
async fn failing_can_be_dropped_anywhere() {
    for role in BOTH {
        let bad = frames(role, "81 04 'good' 83 00 'and more'");
        let mut socket = open(role, Stutter::new(Wire::new(bad)));
        let mut read = || until_done(|| poll_once(socket.read()));
        assert_eq!(read().expect("no error"), Some("good".into()));
        assert_eq!(protocol_error(read()), ProtocolError::ReservedOpcode);
        assert_eq!(read().expect("no error"), None);
        let wire = &socket.stream().wire;
        assert_eq!(
            naive::describe(&wire.written, role),
            [r#"close 1002 "the opcode is reserved""#]
        );
        assert!(wire.shut && wire.ended);
    }
}

/// A read in `select!` that loses to a sender goes on where it was.
#[::tokio::test(start_paused = true)]
async fn sending_works_while_reading() {
    let (near, far) = duplex(4 << 10);
    let mut socket = open(Role::Server, near);
    let peer = ::tokio::spawn(async move {
        let mut peer = open(Role::Client, far);
        let mut heard = Vec::new();
        for round in 0..5 {
            peer.send(text(100 + round)).await.expect("open");
            sleep(Duration::from_millis(35)).await;
            peer.send(binary(round)).await.expect("open");
        }
        while let Ok(Some(message)) = timeout(Duration::from_secs(1), peer.read())
            .await
            .unwrap_or(Ok(None))
        {
            heard.push(message);
        }
        drop(peer);
        heard
    });
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    loop {
        ::tokio::select! {
            message = socket.read() => match message {
                Ok(Some(message)) => received.push(message),
                end => {
                    assert_eq!(cut(end), UnexpectedEof::BetweenMessages);
                    break;
                }
            },
            () = sleep(Duration::from_millis(10)), if sent.len() < 50 => {
                let message = text(sent.len());
                sent.push(message.clone());
                socket.send(message).await.expect("open");
            }
        }
    }
    let expected: Vec<_> = (0..5)
        .flat_map(|round| [text(100 + round), binary(round)])
        .collect();
    assert_eq!(received, expected);
    assert_eq!(peer.await.expect("no panic"), sent);
    assert_eq!(sent.len(), 50);
}

/// CT-05: the Pong is written and flushed by the poll that hears the Ping, whether that returns it or goes on waiting.
#[::tokio::test]
async fn pings_are_answered_by_the_poll_that_hears_them() {
    for role in BOTH {
        let mut socket = open(role, Wire::silent(frames(role, "89 01 '?'")));
        assert!(poll_once(socket.read()).is_pending());
        let wire = socket.stream();
        assert_eq!(naive::describe(&wire.written, role), ["pong \"?\""]);
        assert_eq!(wire.flushed, wire.written.len());

        let mut socket = open(role, Wire::silent(frames(role, "89 01 '?' 81 02 'hi'")));
        let event = now(socket.read_event()).expect("no error");
        assert_eq!(common::describe(&event.expect("an event")), "ping \"?\"");
        let wire = socket.stream();
        assert_eq!(naive::describe(&wire.written, role), ["pong \"?\""]);
        assert_eq!(wire.flushed, wire.written.len());
    }
}

/// CL-06, CL-07, CL-14: the answer to a Close frame is written by the poll that hears it, and the server's stream shut down.
#[::tokio::test]
async fn a_close_frame_is_answered_by_the_poll_that_hears_it() {
    let mut server = open(
        Role::Server,
        Wire::silent(frames(Role::Server, "88 02 03e8")),
    );
    let event = now(server.read_event()).expect("no error");
    assert_eq!(event, Some(Event::Close(Some(closing(1000, "")))));
    let wire = server.stream();
    assert_eq!(naive::describe(&wire.written, Role::Server), ["close 1000"]);
    assert_eq!(now(server.read_event()).expect("no error"), None);
    let wire = server.stream();
    assert!(wire.shut && !wire.ended, "the server does not wait");
    assert_eq!(
        describe_outcome(server.outcome()),
        "by the peer, clean, 1000, sent 1000"
    );
}

/// A Pong that the stream does not take at once is written while the next message is awaited.
#[::tokio::test]
async fn what_waits_is_written_while_reading() {
    let (near, mut far) = duplex(5);
    let mut socket = open(Role::Server, near);
    let payload = pattern(100);
    let peer = async {
        let ping = naive::mask_all(&naive::frame(0x89, &payload));
        far.write_all(&ping).await.expect("open");
        let mut answer = [0; 102];
        far.read_exact(&mut answer).await.expect("a pong");
        assert!(answer[2..] == *payload);
        far.write_all(&frames(Role::Server, "81 02 'ok'"))
            .await
            .expect("open");
    };
    let (message, ()) = in_time(async { ::tokio::join!(socket.read(), peer) }).await;
    assert_eq!(message.expect("no error"), Some("ok".into()));
}

/// A stream whose room for writing can be changed in the middle.
fn make_room<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocket<Wire>,
    change: impl FnOnce(Wire) -> S,
) -> WebSocket<S> {
    let (wire, connection, rest) = socket.into_parts();
    WebSocket::new(change(wire), connection, rest)
}

fn roomy(wire: Wire) -> Wire {
    Wire {
        room: usize::MAX,
        ..wire
    }
}

/// Events are heard while nothing can be written, and what waits goes out with the next call of any kind.
#[::tokio::test]
async fn what_waits_is_written_by_any_future() {
    type Socket = WebSocket<Wire>;
    let futures: [fn(&mut Socket); 5] = [
        |socket| assert!(poll_once(socket.read()).is_pending()),
        |socket| assert!(poll_once(socket.read_event()).is_pending()),
        |socket| now(socket.flush()).expect("no error"),
        |socket| now(socket.send("more")).expect("no error"),
        |socket| assert!(poll_once(socket.close(None, PATIENCE)).is_pending()),
    ];
    for role in BOTH {
        for future in futures {
            let mut wire = Wire::silent(frames(role, "89 01 '?' 81 02 'hi'"));
            wire.room = 1;
            let mut socket = open(role, wire);
            assert_eq!(now(socket.read()).expect("no error"), Some("hi".into()));
            assert!(poll_once(socket.read()).is_pending());
            assert_eq!(socket.stream().written.len(), 1);
            let mut socket = make_room(socket, roomy);
            future(&mut socket);
            let wire = socket.stream();
            let written = naive::describe(&wire.written, role);
            assert_eq!(written[0], "pong \"?\"");
            assert_eq!(wire.flushed, wire.written.len());
        }
    }
}

/// CL-15, CL-28, CL-31: a client waits for the server to close the transport, and ignores what comes before that.
#[::tokio::test]
async fn a_client_waits_for_the_end_of_the_stream() {
    let (near, mut far) = duplex(1 << 10);
    let mut client = open(Role::Client, near);
    let server = async {
        let mut close = [0; 8];
        far.read_exact(&mut close).await.expect("a close frame");
        assert_eq!(naive::describe(&close, Role::Client), ["close 1000"]);
        let answer = frames(Role::Client, "88 02 03e8 'this is no frame'");
        far.write_all(&answer).await.expect("open");
        // The client has not shut its side down, which would be the end here.
        let mut byte = [0];
        let read = timeout(Duration::from_millis(20), far.read(&mut byte)).await;
        assert!(read.is_err(), "{read:?}");
        drop(far);
    };
    let close = client.close(Some(closing(1000, "")), PATIENCE);
    let (outcome, ()) = ::tokio::join!(close, server);
    assert_eq!(
        describe_outcome(outcome.expect("an end")),
        "by us, clean, 1000, sent 1000"
    );
}

/// CL-15: but for a second only, if it does not.
#[::tokio::test(start_paused = true)]
async fn a_client_does_not_wait_for_ever_for_the_end() {
    let (near, mut far) = duplex(1 << 10);
    let mut client = open(Role::Client, near);
    far.write_all(&frames(Role::Client, "88 02 03e8"))
        .await
        .expect("open");
    let begun = Instant::now();
    assert_eq!(client.read().await.expect("no error"), None);
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
    assert_eq!(
        describe_outcome(client.outcome()),
        "by the peer, clean, 1000, sent 1000"
    );
    drop(client);
    assert_eq!(
        naive::describe(&rest(far).await, Role::Client),
        ["close 1000"]
    );
}

/// Returns what is left in the stream.
async fn rest(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("the end comes");
    bytes
}

/// CL-10, CL-16: both may close at once, and each sends one Close frame.
#[::tokio::test]
async fn both_ends_can_close_at_once() {
    let (mut client, mut server) = pair().await;
    let close_server = async {
        let outcome = server.close(Some(closing(4000, "")), PATIENCE).await;
        drop(server);
        outcome
    };
    let (by_client, by_server) = ::tokio::join!(
        client.close(Some(closing(3000, "")), PATIENCE),
        close_server
    );
    // Whoever is asked first may have answered already when the other is.
    let outcomes = [by_client, by_server].map(|outcome| outcome.expect("an end").expect("an end"));
    assert!(outcomes.iter().all(|outcome| outcome.clean), "{outcomes:?}");
}

/// CL-32: a peer that does not answer our Close frame ends nothing before the deadline, and nothing holds it up longer.
#[::tokio::test(start_paused = true)]
async fn closing_ends_at_its_deadline() {
    for role in BOTH {
        // One that takes our Close frame, and one that does not.
        for capacity in [1_000, 1] {
            let (near, far) = duplex(capacity);
            let mut socket = open(role, near);
            let begun = Instant::now();
            let deadline = Duration::from_secs(3);
            let outcome = socket.close(Some(closing(1000, "")), deadline).await;
            assert_eq!(begun.elapsed(), deadline);
            assert_eq!(
                describe_outcome(outcome.expect("no error")),
                "by us, not clean, 1006, sent 1000"
            );
            assert_eq!(socket.read().await.expect("no error"), None);
            assert_eq!(socket.read().await.expect("no error"), None);
            assert!(begun.elapsed() <= deadline + Duration::from_secs(1));
            drop(far);
        }
    }
}

/// CL-32: nor does a peer that goes on sending messages.
#[::tokio::test]
async fn closing_ends_at_its_deadline_under_fire() {
    let (near, mut far) = streams();
    let shooting = thread::spawn(move || {
        let message = naive::frame(0x82, &[7; 10_000]);
        while far.write_all(&message).is_ok() {}
    });
    let mut client = open(Role::Client, near);
    let begun = Instant::now();
    let outcome = in_time(client.close(None, Duration::from_millis(50))).await;
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    assert_eq!(
        describe_outcome(outcome.expect("no error")),
        "by us, not clean, 1006, sent nothing"
    );
    drop(client);
    beside(|| shooting.join().expect("no panic")).await;
}

/// CL-09, CL-22: what must not be sent is refused, and the connection is as it was.
#[::tokio::test]
async fn what_must_not_be_sent_is_refused() {
    let (mut client, server) = pair().await;
    let server = ::tokio::spawn(echo(server));
    let refused = client.close(Some(closing(1006, "")), PATIENCE).await;
    assert!(matches!(
        refused,
        Err(Error::Send(SendError::InvalidCloseCode))
    ));
    client.send("still open").await.expect("open");
    assert_eq!(
        client.read().await.expect("no error"),
        Some("still open".into())
    );
    client.close(None, PATIENCE).await.expect("an end");
    let Err(Error::Unsent(refused)) = client.send("too late").await else {
        panic!("not refused");
    };
    assert_eq!(refused.error, SendError::Closed);
    assert_eq!(refused.message, "too late".into());
    let outcome = in_time(server).await.expect("no panic");
    assert_eq!(outcome, "by the peer, clean, 1005, sent nothing");
}

/// FA-01, FA-02, FA-08, CL-28: what comes before the broken rule is heard, the rule is reported once, and the Close frame
/// that says so arrives although the peer goes on sending megabytes.
#[::tokio::test]
async fn a_failure_is_told_to_a_peer_that_goes_on_sending() {
    for role in BOTH {
        let (near, mut far) = streams();
        let peer = thread::spawn(move || {
            let mut writer = far.try_clone().expect("a socket");
            let bytes = frames(role, "81 04 'good' 83 03 'bad'");
            let writing = thread::spawn(move || {
                // That the other end stops reading some day is no surprise.
                let _ = writer
                    .write_all(&bytes)
                    .and_then(|()| writer.write_all(&vec![0xFF; 4 << 20]));
                let _ = writer.shutdown(Shutdown::Write);
            });
            let heard = read_to_end(&mut far);
            writing.join().expect("no panic");
            naive::describe(&heard, role)
        });
        let mut socket = open(role, near);
        assert_eq!(
            in_time(socket.read()).await.expect("no error"),
            Some("good".into())
        );
        assert_eq!(
            protocol_error(in_time(socket.read()).await),
            ProtocolError::ReservedOpcode
        );
        assert_eq!(socket.read().await.expect("no error"), None);
        assert_eq!(socket.read_event().await.expect("no error"), None);
        let outcome = socket.outcome().expect("an end");
        assert_eq!(outcome.error, Some(ProtocolError::ReservedOpcode));
        assert_eq!(
            describe_outcome(Some(outcome)),
            "by the peer, not clean, 1006, sent 1002"
        );
        drop(socket);
        let heard = beside(|| peer.join().expect("no panic")).await;
        assert_eq!(heard, [r#"close 1002 "the opcode is reserved""#]);
    }
}

/// FA-01: a failed connection is half closed at once, and kept for a second at most if the peer does not close.
#[::tokio::test(start_paused = true)]
async fn a_failed_connection_is_kept_for_a_second() {
    for role in BOTH {
        let (near, mut far) = duplex(1 << 10);
        far.write_all(&frames(role, "83 00")).await.expect("open");
        let mut socket = open(role, near);
        let begun = Instant::now();
        let peer = async {
            let heard = rest(&mut far).await;
            assert_eq!(begun.elapsed(), Duration::ZERO);
            naive::describe(&heard, role)
        };
        let (error, heard) = ::tokio::join!(socket.read(), peer);
        assert_eq!(protocol_error(error), ProtocolError::ReservedOpcode);
        assert_eq!(heard, [r#"close 1002 "the opcode is reserved""#]);
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
        assert_eq!(socket.read().await.expect("no error"), None);
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }
}

/// CL-29: however much the peer sends, and however fast, also where the stream is never pending.
#[::tokio::test]
async fn a_failed_connection_is_not_kept_longer_by_a_flood() {
    let mut server = open(Role::Server, Flood::default());
    let begun = Instant::now();
    protocol_error(server.read().await);
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());

    let (near, mut far) = streams();
    let flooding = thread::spawn(move || while far.write_all(&vec![0xFF; 1 << 20]).is_ok() {});
    let mut server = open(Role::Server, near);
    let begun = Instant::now();
    protocol_error(in_time(server.read()).await);
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    drop(server);
    beside(|| flooding.join().expect("no panic")).await;
}

/// A stream that brings bytes without end.
#[derive(Debug, Default)]
struct Flood {
    reads: usize,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reads += 1;
        assert!(self.reads < 200_000, "read without end");
        buffer.put_slice(&[0xFF; 1_000]);
        // As long as a read of a socket takes.
        thread::sleep(Duration::from_micros(5));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// CL-32: a connection whose last bytes cannot be written has ended all the same, and its outcome tells so.
#[::tokio::test(start_paused = true)]
async fn an_end_that_cannot_be_written_is_an_end() {
    let cases = [
        ("88 02 03e8", "by the peer, not clean, 1000, sent 1000"),
        ("83 00", "by the peer, not clean, 1006, sent 1002"),
    ];
    for role in BOTH {
        for (last, outcome) in cases {
            let mut wire = Wire::silent(frames(role, last));
            wire.room = 1;
            let mut socket = open(role, wire);
            let begun = Instant::now();
            // A Close frame is heard at once; an error, behind which nobody reads on, at the end.
            match socket.read_event().await {
                Ok(Some(Event::Close(_))) => assert_eq!(begun.elapsed(), Duration::ZERO),
                event => assert!(event.is_err(), "{event:?}"),
            }
            assert_eq!(socket.read().await.expect("no error"), None);
            assert_eq!(begun.elapsed(), Duration::from_secs(1));
            assert_eq!(describe_outcome(socket.outcome()), outcome);
        }
    }
}

/// CL-06: closing goes on reading while its Close frame cannot be written, for the peer may wait for just that.
#[::tokio::test(start_paused = true)]
async fn closing_takes_what_the_peer_has_to_send_first() {
    for role in BOTH {
        let (near, mut far) = duplex(2);
        let mut socket = open(role, near);
        let peer = async {
            let message = naive::frame(0x82, &pattern(10_000));
            far.write_all(&common::towards(role, &message))
                .await
                .expect("open");
            let mut close = vec![0; if role == Role::Client { 8 } else { 4 }];
            far.read_exact(&mut close).await.expect("a close frame");
            assert_eq!(naive::describe(&close, role), ["close 1000"]);
            let answer = frames(role, "88 02 03e8");
            far.write_all(&answer).await.expect("open");
            drop(far);
        };
        let close = socket.close(Some(closing(1000, "")), PATIENCE / 2);
        let (outcome, ()) = in_time(async { ::tokio::join!(close, peer) }).await;
        assert_eq!(
            describe_outcome(outcome.expect("an end")),
            "by us, clean, 1000, sent 1000"
        );
    }
}

/// CL-32, FA-06: a stream that ends without a Close frame is an error, once, that says where, and an end that is not clean.
#[::tokio::test]
async fn a_stream_that_ends_without_a_close_frame_is_not_clean() {
    for role in BOTH {
        for (last, place) in [
            ("", UnexpectedEof::BetweenMessages),
            ("81", UnexpectedEof::InFrame),
            ("82 7e 01 00 00", UnexpectedEof::InFrame),
            ("02 01 00", UnexpectedEof::InMessage),
            ("88 02 03", UnexpectedEof::InFrame),
        ] {
            let (near, mut far) = streams();
            let input = [frames(role, "81 02 'ok'"), frames(role, last)].concat();
            far.write_all(&input).expect("open");
            drop(far);
            let mut socket = open(role, near);
            let message = in_time(socket.read()).await;
            assert_eq!(message.expect("no error"), Some("ok".into()), "{last}");
            assert_eq!(cut(in_time(socket.read()).await), place, "{last}");
            assert_eq!(socket.read().await.expect("once"), None, "{last}");
            assert_eq!(
                describe_outcome(socket.outcome()),
                "by the stream, not clean, 1006, sent nothing"
            );
        }
    }
}

/// HR-01, HR-20, HA-16: a response that is no 101 comes with its status, headers and the start of its body.
#[::tokio::test]
async fn a_refused_client_gets_the_response() {
    let (near, mut far) = streams();
    let server = beside(move || {
        read_head(&mut far);
        let response = reject(401, &[("WWW-Authenticate", "Basic")], b"who are you?");
        far.write_all(&response.expect("a response")).expect("open");
        // The client has closed, and has not sent a frame.
        assert_eq!(read_to_end(&mut far), b"");
    });
    let ((), result) = ::tokio::join!(server, adapter::connect(near, URI));
    let Err(Error::Rejected(rejection)) = result else {
        panic!("not rejected");
    };
    assert_eq!(rejection.error, HandshakeError::Rejected(401));
    assert_eq!(rejection.response.status(), 401);
    assert_eq!(
        rejection.response.headers().first("www-authenticate"),
        Some(&b"Basic"[..])
    );
    assert_eq!(&rejection.body[..], b"who are you?");
}

/// HR-04, HR-20: a 101 that does not prove that the request was read is refused, and so is one that is no HTTP.
#[::tokio::test]
async fn a_wrong_response_is_refused() {
    let wrong = RESPONSE.replace("s3pP", "S3pP");
    let Err(Error::Rejected(rejection)) =
        adapter::connect_with(Wire::new(wrong), &client(), &Config::default(), PATIENCE).await
    else {
        panic!("not rejected");
    };
    assert_eq!(
        rejection.error,
        HandshakeError::Invalid("Sec-WebSocket-Accept")
    );
    let result = adapter::connect(Wire::new("SSH-2.0-OpenSSH\r\n\r\n"), URI).await;
    assert!(matches!(result, Err(Error::Handshake(_))), "{result:?}");
    let result = adapter::connect(Wire::new(""), "https://server.example.com/").await;
    assert!(matches!(result, Err(Error::Uri(_))), "{result:?}");
}

/// HS-01, HS-10, HS-24, HA-12, HA-14: a client that is refused gets a response that says why, and then the end.
#[::tokio::test]
async fn a_client_is_refused_with_a_response() {
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
        let (near, mut far) = streams();
        let client = beside(move || {
            far.write_all(request.as_bytes()).expect("open");
            read_head(&mut far)
        });
        let (head, result) = ::tokio::join!(client, adapter::accept(near));
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head} instead of {status}"
        );
        assert!(matches!(result, Err(Error::Handshake(_))), "{result:?}");
    }
}

/// HA-16: a response arrives although the client has sent more than anybody reads.
#[::tokio::test]
async fn a_refused_client_that_sends_more_gets_the_response() {
    let (near, mut far) = streams();
    let client = beside(move || {
        let body = "x".repeat(100_000);
        let request = REQUEST.replace("GET", "POST") + &body;
        far.write_all(request.as_bytes()).expect("open");
        thread::sleep(Duration::from_millis(50));
        read_head(&mut far)
    });
    let serve = async { adapter::accept(near).await.map(drop) };
    let (head, result) = ::tokio::join!(client, serve);
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    assert!(matches!(result, Err(Error::Handshake(_))), "{result:?}");
}

/// HA-15, HA-16: a plain GET can be looked at and answered with a page, behind which the stream is shut down.
#[::tokio::test]
async fn a_plain_request_can_be_answered() {
    let (near, mut far) = duplex(1 << 10);
    far.write_all(b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("open");
    let incoming = Incoming::read(near, HeadLimits::default(), PATIENCE)
        .await
        .expect("a request");
    assert_eq!(incoming.request().target(), "/index.html");
    let page = reject(200, &[("Content-Type", "text/html")], b"<p>hello").expect("a response");
    incoming.reject(&page).await.expect("open");
    assert_eq!(rest(far).await, page);
}

/// HA-06: the pieces of the handshake that the short forms leave out can be chosen.
#[::tokio::test]
async fn a_handshake_can_be_configured() {
    let (near, far) = duplex(1 << 10);
    let config = Config::default().with_fragment_size(2);
    let serve = async {
        let incoming = Incoming::read(far, HeadLimits::default(), PATIENCE)
            .await
            .expect("a request");
        let server = Server::new().with_subprotocols(["soup", "chat"]);
        let accepted = server.accept(incoming.request()).expect("a handshake");
        let mut server = incoming.accept(&accepted, &config).await.expect("open");
        server.send("fragments").await.expect("open");
        server
    };
    let client = client().with_subprotocol("chat").expect("a token");
    let config = Config::default();
    let (opened, _server) = ::tokio::join!(
        adapter::connect_with(near, &client, &config, PATIENCE),
        serve
    );
    let (mut socket, established) = opened.expect("a server");
    assert_eq!(established.subprotocol(), Some("chat"));
    assert_eq!(
        socket.read().await.expect("no error"),
        Some("fragments".into())
    );
}

/// HA-18, HR-20: a handshake that breaks off is an error of the transport.
#[::tokio::test]
async fn a_handshake_that_breaks_off_is_an_error() {
    for len in [0, 1, RESPONSE.len() - 1] {
        let mut wire = Wire::new(&REQUEST.as_bytes()[..len]);
        let result = adapter::accept(&mut wire).await;
        let place = if len == 0 {
            UnexpectedEof::BeforeHead
        } else {
            UnexpectedEof::InHead
        };
        assert_eq!(cut(result), place);
        assert_eq!(wire.written, b"");
        let wire = Wire::new(&RESPONSE.as_bytes()[..len]);
        let result = adapter::connect_with(wire, &client(), &Config::default(), PATIENCE).await;
        assert_eq!(cut(result), place);
    }
}

async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
) -> Option<Result<Message, Error>> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await
}

async fn put<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    message: Message,
) -> Result<(), Error> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await?;
    Pin::new(&mut *socket).start_send(message)?;
    poll_fn(|cx| Sink::poll_flush(Pin::new(&mut *socket), cx)).await
}

async fn finish<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>) -> Result<(), Error> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_close(cx)).await
}

/// A connection is a stream and a sink of messages, and ends as one.
#[::tokio::test]
async fn messages_can_be_streamed() {
    let (near, far) = duplex(100);
    let mut server = open(Role::Server, far);
    let server = ::tokio::spawn(async move {
        while let Some(message) = next(&mut server).await {
            put(&mut server, message.expect("no error"))
                .await
                .expect("open");
        }
        describe_outcome(server.outcome())
    });
    let mut client = open(Role::Client, near);
    for len in [0, 1, 1_000, 70_000] {
        for message in [text(len), binary(len)] {
            put(&mut client, message.clone()).await.expect("open");
            let answer = next(&mut client).await.expect("no end").expect("no error");
            assert!(answer == message, "{len} bytes");
        }
    }
    finish(&mut client).await.expect("open");
    finish(&mut client)
        .await
        .expect("closing twice is closing once");
    assert!(matches!(
        put(&mut client, "late".into()).await,
        Err(Error::Unsent(_))
    ));
    assert!(next(&mut client).await.is_none());
    assert!(next(&mut client).await.is_none());
    assert_eq!(
        describe_outcome(client.outcome()),
        "by us, clean, 1005, sent nothing"
    );
    assert_eq!(
        server.await.expect("no panic"),
        "by the peer, clean, 1005, sent nothing"
    );
}

/// A failure is an item of the stream, the last one.
#[::tokio::test]
async fn a_failure_is_the_last_item() {
    let mut socket = open(
        Role::Client,
        Wire::new(frames(Role::Client, "81 02 'ok' 83 00")),
    );
    let item = next(&mut socket).await.expect("an item");
    assert_eq!(item.expect("no error"), "ok".into());
    let item = next(&mut socket).await.expect("an item");
    assert_eq!(protocol_error(item), ProtocolError::ReservedOpcode);
    assert!(next(&mut socket).await.is_none());
}

/// The sink takes messages until the connection is congested, and again when that is over.
#[::tokio::test]
async fn a_congested_sink_is_not_ready() {
    let config = Config::default()
        .with_high_watermark(1_000)
        .with_low_watermark(100);
    for role in BOTH {
        let mut wire = Wire::silent("");
        wire.room = 10;
        let mut socket = WebSocket::new(wire, connection(role, &config), BytesMut::new());
        let mut taken = 0;
        while poll_once(poll_fn(|cx| Pin::new(&mut socket).poll_ready(cx))).is_ready() {
            Pin::new(&mut socket).start_send(binary(300)).expect("open");
            taken += 1;
        }
        assert_eq!(taken, 4, "messages fill 1,000 bytes");
        assert!(poll_once(poll_fn(|cx| Sink::poll_flush(Pin::new(&mut socket), cx))).is_pending());
        assert!(poll_once(finish_polled(&mut socket)).is_pending());
        assert_eq!(socket.stream().written.len(), 10);
        let mut socket = make_room(socket, roomy);
        now(poll_fn(|cx| Pin::new(&mut socket).poll_ready(cx))).expect("no error");
        now(finish_polled(&mut socket)).expect("no error");
        let mut expected = vec![describe(&binary(300)); 4];
        expected.push("close".into());
        assert_eq!(naive::describe(&socket.stream().written, role), expected);
    }
}

async fn finish_polled(socket: &mut WebSocket<Wire>) -> Result<(), Error> {
    finish(socket).await
}

/// CL-32: what the peer has sent before it went away is heard, though nothing can be written to it any more.
#[::tokio::test]
async fn a_close_frame_is_heard_behind_a_write_that_fails() {
    let (near, mut far) = streams();
    far.write_all(&frames(Role::Client, "81 02 'hi' 88 05 03e9 'bye'"))
        .expect("open");
    drop(far);
    let mut client = open(Role::Client, near);
    let mut refused = Ok(());
    for _ in 0..100 {
        sleep(Duration::from_millis(10)).await;
        refused = client.send("anybody there?").await;
        if refused.is_err() {
            break;
        }
    }
    assert!(matches!(refused, Err(Error::Io(_))), "{refused:?}");
    assert!(matches!(client.send("hello?").await, Err(Error::Io(_))));
    let message = in_time(client.read()).await;
    assert_eq!(message.expect("no error"), Some("hi".into()));
    for _ in 0..2 {
        assert_eq!(in_time(client.read()).await.expect("no error"), None);
    }
    assert_eq!(
        describe_outcome(client.outcome()),
        "by the peer, not clean, 1001 \"bye\", sent 1001"
    );
}

/// FA-06: an error in writing that nobody has heard of is reported once, at the end, unless a Close frame says why.
#[::tokio::test]
async fn an_error_in_writing_is_reported_at_the_end() {
    for role in BOTH {
        for (last, code) in [("", "1006"), ("88 05 03e9 'bye'", "1001 \"bye\"")] {
            let input = frames(role, &format!("89 01 '?' 81 02 'hi' {last}"));
            let mut wire = Wire::new(input);
            wire.fault = Some((1, Fault::Once(ErrorKind::BrokenPipe)));
            let mut socket = open(role, wire);
            assert_eq!(socket.read().await.expect("no error"), Some("hi".into()));
            if last.is_empty() {
                assert_eq!(io_error(socket.read().await), ErrorKind::BrokenPipe);
            }
            assert_eq!(socket.read().await.expect("no error"), None);
            assert_eq!(socket.stream().written, b"", "nothing more is written");
            let outcome = describe_outcome(socket.outcome());
            assert!(
                outcome.contains(&format!("not clean, {code}, ")),
                "{outcome}"
            );
        }
    }
}

/// The two halves may be in two tasks, which wait for the same stream: neither takes the other's place.
#[::tokio::test]
async fn reading_and_sending_can_be_in_two_tasks() {
    const COUNT: usize = 200;
    let (near, far) = duplex(64);
    let socket = Arc::new(Mutex::new(open(Role::Server, near)));
    let reader = Arc::clone(&socket);
    let reading = ::tokio::spawn(poll_fn(move |cx| {
        let mut socket = reader.lock().expect("no panic");
        Pin::new(&mut *socket).poll_next(cx).map(|it| it.is_none())
    }));
    let sending = ::tokio::spawn(async move {
        for len in 0..COUNT {
            let mut message = Some(binary(len));
            poll_fn(|cx| {
                let mut socket = socket.lock().expect("no panic");
                core::task::ready!(Pin::new(&mut *socket).poll_ready(cx))?;
                if let Some(message) = message.take() {
                    Pin::new(&mut *socket).start_send(message)?;
                }
                Sink::poll_flush(Pin::new(&mut *socket), cx)
            })
            .await?;
        }
        poll_fn(|cx| Pin::new(&mut *socket.lock().expect("no panic")).poll_close(cx)).await
    });
    let (mut input, mut output) = ::tokio::io::split(far);
    let pinging = ::tokio::spawn(async move {
        for _ in 0..COUNT {
            let ping = frames(Role::Server, "89 01 '?'");
            output.write_all(&ping).await.expect("open");
            ::tokio::task::yield_now().await;
        }
        output
    });
    let mut heard = Vec::new();
    while !heard.ends_with(&[0x88, 0]) {
        in_time(input.read_buf(&mut heard)).await.expect("open");
        ::tokio::task::yield_now().await;
    }
    in_time(sending).await.expect("no panic").expect("open");
    let mut output = in_time(pinging).await.expect("no panic");
    let close = frames(Role::Server, "88 00");
    output.write_all(&close).await.expect("open");
    assert!(in_time(reading).await.expect("no panic"));
    let mut heard = naive::describe(&heard, Role::Server);
    heard.retain(|frame| !frame.starts_with("pong"));
    let mut expected: Vec<_> = (0..COUNT).map(|len| describe(&binary(len))).collect();
    expected.push("close".into());
    assert_eq!(heard, expected);
}

/// Whoever polled last may be gone when the stream has room: the other one is woken all the same.
#[::tokio::test]
async fn a_dropped_read_does_not_take_the_wakeup_along() {
    for reads_last in [true, false] {
        let (near, mut far) = duplex(8);
        let mut socket = open(Role::Server, near);
        socket.connection_mut().send(binary(20)).expect("open");
        let woken = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        if reads_last {
            assert!(Sink::poll_flush(Pin::new(&mut socket), &mut cx).is_pending());
            assert!(poll_once(socket.read()).is_pending());
        } else {
            assert!(Pin::new(&mut socket).poll_next(&mut cx).is_pending());
            assert!(poll_once(socket.flush()).is_pending());
        }
        let mut bytes = [0; 8];
        far.read_exact(&mut bytes).await.expect("open");
        assert!(woken.0.load(Ordering::Relaxed), "{reads_last}");
    }
}

/// Remembers that it has been woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What is queued in answer to messages that came together is written together, or with the answer to a Ping.
#[::tokio::test]
async fn answers_are_written_together() {
    let role = Role::Server;
    let input = frames(role, "81 01 'a' 81 01 'b' 89 01 '?' 81 01 'c'");
    let mut server = open(role, Wire::silent(input));
    let mut written = Vec::new();
    for _ in 0..3 {
        let message = now(server.read()).expect("open").expect("a message");
        server.connection_mut().send(message).expect("open");
        written.push(naive::describe(&server.stream().written, role).len());
    }
    assert_eq!(written, [0, 0, 3]);
    assert!(poll_once(server.read()).is_pending());
    assert_eq!(naive::describe(&server.stream().written, role).len(), 4);
}

/// What waits is offered in several slices, so that a large payload needs no copy and no write of its own.
#[::tokio::test]
async fn large_messages_are_written_with_their_headers() {
    let mut server = open(Role::Server, Wire::silent(""));
    for len in [5, 5_000, 70_000] {
        server.connection_mut().send(binary(len)).expect("open");
    }
    now(server.flush()).expect("open");
    let wire = server.stream();
    assert!(wire.slices > 3, "{} slices", wire.slices);
    assert_eq!(wire.calls, 2, "one write, one flush");
    let expected = [5, 5_000, 70_000].map(|len| describe(&binary(len)));
    assert_eq!(naive::describe(&wire.written, Role::Server), expected);
}

/// Converses as an echo that goes on after errors; returns what was heard, the errors, and the end of it all.
async fn converse(socket: &mut WebSocket<Wire>) -> (Vec<String>, Vec<ErrorKind>) {
    let mut heard = Vec::new();
    let mut errors = Vec::new();
    loop {
        let result = match socket.read_event().await {
            Ok(None) => break,
            Ok(Some(event)) => {
                heard.push(common::describe(&event));
                match event.into_message() {
                    Some(message) => socket.send(message).await,
                    None => Ok(()),
                }
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
async fn with_each_fault(fault: Fault, piece: usize, check: impl Fn(usize, &Wire, &Conversation)) {
    for role in BOTH {
        let input = conversation(role);
        for at in 0.. {
            let mut wire = Wire::new(&*input);
            wire.piece = piece;
            wire.fault = Some((at, fault));
            let mut socket = open(role, wire);
            let (heard, errors) = in_time(converse(&mut socket)).await;
            assert_eq!(socket.read().await.expect("it has ended"), None);
            let conversation = Conversation {
                role,
                heard,
                errors,
                outcome: describe_outcome(socket.outcome()),
            };
            let (wire, _, _) = socket.into_parts();
            check(at, &wire, &conversation);
            if wire.calls <= at {
                break;
            }
        }
    }
}

const CLEAN: &str = "by the peer, clean, 1000 \"bye\", sent 1000";

/// A call that moves one byte changes nothing.
#[::tokio::test]
async fn calls_that_move_one_byte_change_nothing() {
    let (heard, echoed) = (heard(), echoed());
    for piece in [usize::MAX, 9_000] {
        with_each_fault(Fault::One, piece, |at, wire, had| {
            assert_eq!(had.heard, heard, "{at}: {had:?}");
            let written = naive::describe(&wire.written, had.role);
            assert_eq!(written, echoed, "{at}: {had:?}");
            assert_eq!(had.outcome, CLEAN, "{at}");
            assert_eq!(had.errors, [], "{at}");
        })
        .await;
    }
}

/// Returns the bytes that an echo without faults writes, to a client and to a server.
async fn whole_echoes() -> [Vec<u8>; 2] {
    let mut echoes = Vec::new();
    for role in BOTH {
        let mut socket = open(role, Wire::new(conversation(role)));
        converse(&mut socket).await;
        echoes.push(socket.into_parts().0.written);
    }
    <[_; 2]>::try_from(echoes).expect("two roles")
}

/// FA-06, CL-32: a call that fails ends the connection with that error; what was heard and written until then stands,
/// once and in order, and the outcome is known.
#[::tokio::test]
async fn calls_that_fail_end_the_connection() {
    let kinds = [
        ErrorKind::ConnectionReset,
        ErrorKind::BrokenPipe,
        ErrorKind::Interrupted,
    ];
    let whole = whole_echoes().await;
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
            })
            .await;
        }
    }
}

/// CL-32: a stream that brings or takes nothing has ended.
#[::tokio::test]
async fn calls_that_move_nothing_end_the_connection() {
    let whole = whole_echoes().await;
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
    })
    .await;
}

/// HR-20, HA-18: no fault in an opening handshake does more than end it with that error.
#[::tokio::test]
async fn faults_in_a_handshake_end_it() {
    for kind in [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe] {
        for at in 0..3 {
            let mut wire = Wire::new(REQUEST);
            wire.fault = Some((at, Fault::Always(kind)));
            assert_eq!(io_error(adapter::accept(&mut wire).await), kind);
            assert!(RESPONSE.as_bytes().starts_with(&wire.written));

            let mut wire = Wire::new(RESPONSE);
            wire.fault = Some((at, Fault::Always(kind)));
            let result =
                adapter::connect_with(&mut wire, &client(), &Config::default(), PATIENCE).await;
            assert_eq!(io_error(result), kind);
            assert!(REQUEST.as_bytes().starts_with(&wire.written));
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
        let (first, others) = all.split_at_mut(8);
        for socket in first {
            converse_until_idle(socket);
        }
        for socket in others {
            let before = held();
            let owned = memory_of(socket.stream());
            converse_until_idle(socket);
            let grown = memory_of(socket.stream()).wrapping_sub(owned);
            assert_eq!(held().wrapping_sub(before), grown, "{role:?}");
        }
    }
}

fn converse_until_idle(socket: &mut WebSocket<Wire>) {
    let mut messages = 0;
    while let Poll::Ready(message) = settle(socket.read()) {
        let message = message.expect("no error").expect("no end");
        now(socket.send(message)).expect("open");
        messages += 1;
    }
    assert_eq!(messages, 6);
}

/// The heap memory of a stream in memory.
fn memory_of(wire: &Wire) -> usize {
    wire.input.capacity() + wire.written.capacity()
}

/// What waits for a handshake takes no room for what it reads: a task keeps the room of its largest future.
#[test]
fn futures_are_small() {
    let (stream, _) = ::tokio::io::duplex(1);
    let accepting = size_of_val(&sansocket::tokio::accept(stream));
    assert!(accepting < 1_000, "{accepting} bytes");
}

/// A stream that takes no part in tokio's budget: it always has more of the same, and takes all that is written.
struct Torrent {
    bytes: Vec<u8>,
    at: usize,
    read: usize,
    written: usize,
}

impl Torrent {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            at: 0,
            read: 0,
            written: 0,
        }
    }
}

impl AsyncRead for Torrent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while buffer.remaining() > 0 {
            let rest = &self.bytes[self.at..];
            let count = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..count]);
            self.at = (self.at + count) % self.bytes.len();
            self.read += count;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Torrent {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = bytes.len().min(16 << 10);
        self.written += count;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Floods of every kind: messages, Pings, Pongs, empty fragments, and a message without end.
fn floods(role: Role) -> Vec<Vec<u8>> {
    let long = naive::frame(0x02, &vec![0; 60_000]);
    let more = naive::frame(0x00, &vec![0; 60_000]);
    let mut floods: Vec<_> = ["81 02 'hi'", "89 01 '?'", "8a 00", "82 00 89 00 8a 01 '!'"]
        .map(|flood| frames(role, flood).repeat(100))
        .into();
    floods.push(common::towards(role, &[long, more.repeat(50)].concat()));
    floods
}

/// CL-29, S-02: deadlines hold on a stream that is always ready, whatever it floods us with.
#[::tokio::test]
async fn deadlines_hold_on_a_stream_that_is_always_ready() {
    let soon = Duration::from_millis(100);
    for role in BOTH {
        for flood in floods(role) {
            let begun = Instant::now();
            let mut socket = open(role, Torrent::new(flood.clone()));
            let reading = async { while let Ok(Some(_)) = socket.read().await {} };
            // A message without end fails at its limit before.
            let _ = timeout(soon, reading).await;
            let mut socket = open(role, Torrent::new(flood));
            let _ = socket.close(Some(closing(1001, "")), soon).await;
            assert!(socket.outcome().is_some());
            assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
        }
        // A failed connection lingers for a second, and lets others run meanwhile.
        let mut socket = open(role, Torrent::new(frames(role, "83 00")));
        let failing = async { protocol_error(socket.read().await) };
        let ticking = async {
            let mut ticks = 0;
            while ticks < 5 {
                sleep(soon).await;
                ticks += 1;
            }
        };
        let begun = Instant::now();
        ::tokio::select! {
            _ = failing => panic!("it lingers"),
            () = ticking => {}
        }
        assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    }
    let refused = in_time(adapter::accept(Torrent::new(vec![b'x'; 100]))).await;
    assert!(matches!(refused, Err(Error::Handshake(_))));
}

/// S-02: a poll reads 64 KiB and what one more read brings, hears 64 events, inflates 256 KiB and a little, and writes
/// 256 KiB; then it is pending, and has woken its task.
#[::tokio::test]
async fn a_poll_does_bounded_work() {
    for role in BOTH {
        for flood in floods(role) {
            let mut socket = open(role, Torrent::new(flood));
            let mut events = 0;
            for polls in 1..50 {
                while let Poll::Ready(Ok(Some(_))) = poll_once(socket.read_event()) {
                    events += 1;
                }
                assert!(events <= 64 * polls, "{events} events in {polls} polls");
                let read = socket.stream().read;
                assert!(read <= (96 << 10) * polls, "{read} bytes in {polls} polls");
            }
        }
        let mut socket = open(role, Torrent::new(vec![0]));
        let queue = socket.connection_mut();
        queue.send(binary(4 << 20)).expect("open");
        for polls in 1..=16 {
            assert!(poll_once(socket.flush()).is_pending(), "{polls}");
            let written = socket.stream().written;
            assert!(written <= (272 << 10) * polls, "{written} in {polls}");
        }
        assert!(settle(socket.flush()).is_ready());
    }
}

/// S-09: a message that inflates to very much is inflated by many polls.
#[cfg(feature = "deflate")]
#[test]
fn a_poll_inflates_little() {
    const LEN: usize = 8 << 20;
    let config = Config::default().with_deflate(Params::default());
    let deflating = |role| connection(role, &config);
    let mut peer = deflating(Role::Server);
    peer.send(Message::from(vec![0; LEN])).expect("open");
    let wire = Wire::silent(common::take(&mut peer));
    let mut socket = WebSocket::new(wire, deflating(Role::Client), BytesMut::new());
    let mut polls = 0;
    let message = loop {
        polls += 1;
        if let Poll::Ready(message) = poll_once(socket.read()) {
            break message.expect("no error").expect("a message");
        }
        assert!(polls < 1_000, "it comes to an end");
    };
    assert_eq!(message.into_bytes().len(), LEN);
    assert!(polls >= LEN / (320 << 10), "{polls} polls");
}

/// A stream with one waker for each direction, as those of the operating system have, which may need the other direction
/// than it is asked for, as TLS does.
#[derive(Default)]
struct Crossed {
    /// Whether a read waits to write, and a write to read.
    crossed: [bool; 2],
    wakers: [Option<Waker>; 2],
}

impl Crossed {
    fn wait<T>(&mut self, direction: usize, cx: &Context<'_>) -> Poll<T> {
        let slot = direction ^ usize::from(self.crossed[direction]);
        self.wakers[slot] = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncRead for Crossed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.wait(0, cx)
    }
}

impl AsyncWrite for Crossed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wait(1, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wait(1, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wait(1, cx)
    }
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Where both tasks wait for one direction of the stream, both are woken by it, whoever was polled last.
#[test]
fn both_tasks_are_woken_by_the_direction_that_they_wait_for() {
    for (slot, crossed) in [(0, [false, true]), (1, [true, false])] {
        for order in ["rs", "sr", "rsr", "srs", "rrss", "srrs"] {
            let stream = Crossed {
                crossed,
                ..Crossed::default()
            };
            let mut socket = open(Role::Server, stream);
            socket.connection_mut().send_text("hi").expect("open");
            let tasks = ['r', 's'].map(|_| Arc::new(Count::default()));
            for task in order.chars() {
                let waker = Waker::from(Arc::clone(&tasks[usize::from(task == 's')]));
                let mut cx = Context::from_waker(&waker);
                let pending = if task == 'r' {
                    Pin::new(&mut socket).poll_next(&mut cx).is_pending()
                } else {
                    Sink::poll_flush(Pin::new(&mut socket), &mut cx).is_pending()
                };
                assert!(pending);
            }
            let (mut stream, _, _) = socket.into_parts();
            stream.wakers[slot].take().expect("somebody waits").wake();
            let woken = tasks.map(|task| task.0.load(Ordering::Relaxed));
            assert_eq!(woken, [1, 1], "{crossed:?} {order}");
        }
    }
}

/// HA-18, HR-20: a handshake ends in time, however the peer drips it.
#[::tokio::test(start_paused = true)]
async fn a_handshake_ends_in_time() {
    let timeout = Duration::from_millis(300);
    for server in [true, false] {
        let (near, mut far) = duplex(1 << 10);
        let peer = ::tokio::spawn(async move {
            let head = if server { REQUEST } else { RESPONSE };
            for byte in head.bytes() {
                if far.write_all(&[byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(40)).await;
            }
        });
        let begun = Instant::now();
        let kind = if server {
            let read = Incoming::read(near, HeadLimits::default(), timeout);
            io_error(read.await)
        } else {
            let config = Config::default();
            io_error(adapter::connect_with(near, &client(), &config, timeout).await)
        };
        assert_eq!(kind, ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), timeout);
        peer.await.expect("no panic");
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
            let input = common::towards(role, &pair.concat()).repeat(COUNT);
            for events in [false, true] {
                let mut socket = open(role, Wire::silent(&*input));
                let (mut messages, mut payloads) = (Vec::new(), Vec::new());
                messages.reserve(COUNT);
                payloads.reserve(COUNT);
                let before = held();
                for _ in 0..COUNT {
                    if events {
                        payloads.push(settled(socket.read_event()).expect("no error"));
                        drop(settled(socket.read_event()).expect("no error"));
                    } else {
                        messages.push(settled(socket.read()).expect("no error"));
                        drop(settled(socket.read()).expect("no error"));
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
