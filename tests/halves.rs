//! The halves of a split connection in two threads or tasks: neither waits for the other.
#![cfg(all(feature = "std", feature = "getrandom"))]

mod common;

extern crate alloc;

use alloc::sync::Arc;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::task::Wake;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use bytes::{Buf, Bytes};
use common::{BOTH, closing, fresh, naive};
use sansocket::{Event, ProtocolError, ReceiveHalf, Replies, Reply, Role, SendHalf};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn pong(payload: &'static str) -> Reply {
    Reply::Pong(Bytes::from(payload))
}

/// Returns the frames that a sender has queued.
fn queued(sender: &mut SendHalf, role: Role) -> Vec<String> {
    let outgoing = sender.outgoing();
    let bytes = outgoing.copy_to_bytes(outgoing.remaining());
    naive::describe(&bytes, role)
}

/// A flood of Pings costs one Pong, the latest, and never makes the receiving half wait; what ends the connection is
/// not lost behind it, in whatever order both come.
#[test]
fn the_latest_pong_and_every_end_are_passed_on() {
    let ends = [
        (vec![], vec!["pong \"last\""]),
        (
            vec![Reply::Close(Some(closing(1001, "restart"))), Reply::Eof],
            vec!["pong \"last\"", "close 1001"],
        ),
        (
            vec![Reply::Fail(ProtocolError::ReservedOpcode), Reply::Eof],
            vec!["pong \"last\"", "close 1002"],
        ),
    ];
    for role in BOTH {
        for (end, written) in &ends {
            let (_, mut sender) = fresh(role).split();
            let replies = Replies::new();
            for _ in 0..100_000 {
                replies.put(pong("one of many"));
            }
            replies.put(pong("last"));
            end.iter().cloned().for_each(|reply| replies.put(reply));
            replies.pass_to(&mut sender);
            let heard = queued(&mut sender, role);
            let heard = heard.iter().map(|frame| frame.split(" \"the").next());
            assert!(
                heard.eq(written.iter().map(|frame| Some(*frame))),
                "{end:?}"
            );
            assert_eq!(sender.transport_action().is_in_use(), end.is_empty());
            replies.pass_to(&mut sender);
            assert_eq!(queued(&mut sender, role), [""; 0], "passed on once");
        }
    }
}

/// A thread waits for a reply or a call, and is told apart from one whose time has run out.
#[test]
fn a_thread_waits_for_replies_and_calls() {
    let replies = Replies::new();
    let short = Some(Duration::from_millis(10));
    assert!(!replies.wait(short), "nothing has come");
    replies.wake();
    assert!(replies.wait(short), "a call before counts");
    assert!(!replies.wait(short), "once");
    replies.put(pong(""));
    assert!(
        replies.wait(short) && replies.wait(None),
        "until it is taken"
    );

    let replies = Replies::new();
    for end in [Some(Reply::Eof), None] {
        let theirs = replies.clone();
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            match end {
                Some(reply) => theirs.put(reply),
                None => theirs.wake(),
            }
        });
        let begun = Instant::now();
        assert!(replies.wait(Some(PATIENCE)));
        assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
        other.join().expect("it only puts");
        let (_, mut sender) = fresh(Role::Server).split();
        replies.pass_to(&mut sender);
    }
}

/// Counts how often a task is woken.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A task is woken by a reply and by a call, and a future that is dropped loses neither.
#[test]
fn a_task_is_woken_by_replies_and_calls() {
    let replies = Replies::new();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let poll = |cx: &mut Context<'_>| pin!(replies.ready()).poll(cx);
    assert_eq!(poll(&mut cx), Poll::Pending);
    replies.wake();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(poll(&mut cx), Poll::Ready(()));
    assert_eq!(poll(&mut cx), Poll::Pending);
    replies.put(pong("?"));
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert_eq!(poll(&mut cx), Poll::Ready(()));
    assert_eq!(poll(&mut cx), Poll::Ready(()), "until it is taken");
    let (_, mut sender) = fresh(Role::Server).split();
    replies.pass_to(&mut sender);
    assert_eq!(poll(&mut cx), Poll::Pending);
}

/// CL-14: one thread puts Pongs without end and then a Close frame, while the other passes on and calls come from a third:
/// nothing is lost or out of order, whatever their speed.
#[test]
fn threads_lose_nothing() {
    let replies = Replies::new();
    let (reader, caller) = (replies.clone(), replies.clone());
    let reading = thread::spawn(move || {
        for n in 0_u32..20_000 {
            reader.put(Reply::Pong(Bytes::copy_from_slice(&n.to_be_bytes())));
        }
        reader.put(Reply::Close(None));
        reader.put(Reply::Eof);
    });
    let calling = thread::spawn(move || (0..1_000).for_each(|_| caller.wake()));
    let (_, mut sender) = fresh(Role::Server).split();
    let mut numbers = Vec::new();
    let mut closed = 0;
    while sender.transport_action().is_in_use() {
        assert!(replies.wait(Some(PATIENCE)), "it is called");
        replies.pass_to(&mut sender);
        let outgoing = sender.outgoing();
        let bytes = outgoing.copy_to_bytes(outgoing.remaining());
        for frame in naive::parse(&bytes) {
            match frame.opcode {
                10 => numbers.push(frame.payload),
                _ => closed += 1,
            }
        }
    }
    reading.join().expect("it only puts");
    calling.join().expect("it only calls");
    assert!(numbers.is_sorted() && !numbers.is_empty());
    assert_eq!(
        numbers.last().map(Vec::as_slice),
        Some(&19_999_u32.to_be_bytes()[..])
    );
    assert_eq!(closed, 1);
}

/// Receives in a thread of its own until the stream ends, as the docs of `Connection::split` show it; returns how many
/// messages came.
fn receive(
    mut stream: TcpStream,
    mut receiver: ReceiveHalf,
    replies: Replies,
) -> JoinHandle<usize> {
    thread::spawn(move || {
        let mut messages = 0;
        let mut buffer = vec![0; 20 << 10];
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            let mut input = &mut buffer[..count];
            while let Some(event) = receiver.receive(&mut input).expect("it is valid") {
                messages += usize::from(matches!(event, Event::Binary(_)));
                if let Some(reply) = Reply::for_event(&event) {
                    replies.put(reply);
                }
            }
            if count == 0 {
                replies.put(Reply::Eof);
                return messages;
            }
        }
    })
}

/// Writes all that is queued; an error is not the end, since the other half may still hear why.
fn write(stream: &mut TcpStream, sender: &mut SendHalf) {
    while sender.outgoing().has_remaining() {
        match stream.write(sender.outgoing().chunk()) {
            Ok(count @ 1..) => sender.outgoing().advance(count),
            Ok(0) | Err(_) => sender.drop_outgoing(),
        }
    }
}

/// Returns both ends of a TCP connection, of which none blocks for ever.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let near = TcpStream::connect(listener.local_addr().expect("an address"));
    let near = near.expect("a listener");
    let (far, _) = listener.accept().expect("a connection");
    for socket in [&near, &far] {
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_write_timeout(Some(PATIENCE)).expect("a socket");
    }
    (near, far)
}

/// CT-05, S-02: against a peer that adds three Pings to each message that it echoes, and reads only what it has answered,
/// many long messages in a row go through.
#[test]
fn no_half_waits_for_the_other() {
    const COUNT: usize = 8_000;
    let (mut near, mut far) = sockets();
    let peer = thread::spawn(move || {
        let mut server = fresh(Role::Server);
        let mut buffer = vec![0; 20 << 10];
        while server.transport_action().is_in_use() {
            let count = far.read(&mut buffer).expect("the client writes");
            let mut input = &mut buffer[..count];
            while let Some(event) = server.receive(&mut input).expect("it is valid") {
                if let Event::Binary(data) = event {
                    server.send_binary(&data).expect("open");
                    // Each in a gap of its own, so that they are not joined.
                    for _ in 0..3 {
                        server.pong(b"").expect("open");
                        server.ping(&data[..100]).expect("few wait");
                    }
                }
                while server.outgoing().has_remaining() {
                    let written = far.write(server.outgoing().chunk());
                    server
                        .outgoing()
                        .advance(written.expect("the client reads"));
                }
            }
        }
        // Pongs may come behind the Close frame: with these unread, dropping the stream would destroy our last bytes.
        far.shutdown(Shutdown::Write).expect("open");
        while matches!(far.read(&mut buffer), Ok(1..)) {}
    });
    let (receiver, mut sender) = fresh(Role::Client).split();
    let replies = Replies::new();
    let reader = near.try_clone().expect("a socket");
    let reading = receive(reader, receiver, replies.clone());
    for _ in 0..COUNT {
        replies.pass_to(&mut sender);
        sender.send_binary(&[b'x'; 1_000]).expect("open");
        write(&mut near, &mut sender);
    }
    sender.close(None).expect("open");
    write(&mut near, &mut sender);
    while sender.transport_action().is_in_use() {
        assert!(replies.wait(Some(PATIENCE)), "the server closes");
        replies.pass_to(&mut sender);
        write(&mut near, &mut sender);
    }
    let outcome = sender.outcome().expect("an end");
    assert!(outcome.clean, "{outcome:?}");
    drop(near.shutdown(Shutdown::Both));
    assert_eq!(reading.join().expect("no panic"), COUNT);
    peer.join().expect("no panic");
}

/// CL-32: a peer that says why and is gone while we write is heard, though writing fails before.
#[test]
fn a_write_error_does_not_hide_the_close_frame() {
    for _ in 0..20 {
        let (mut near, mut far) = sockets();
        let (receiver, mut sender) = fresh(Role::Client).split();
        let replies = Replies::new();
        let peer = thread::spawn(move || {
            let mut some = [0; 100];
            far.read_exact(&mut some).expect("the client writes");
            far.write_all(b"\x88\x09\x03\xe9restart").expect("open");
        });
        let mut failed = false;
        while !failed {
            let queued = sender.send_binary(&[b'x'; 10_000]);
            queued.expect("nobody has heard anything yet");
            while let Ok(count @ 1..) = near.write(sender.outgoing().chunk()) {
                sender.outgoing().advance(count);
            }
            failed = sender.outgoing().has_remaining();
        }
        sender.drop_outgoing();
        let reading = receive(near, receiver, replies.clone());
        while sender.transport_action().is_in_use() {
            assert!(replies.wait(Some(PATIENCE)), "the end comes");
            replies.pass_to(&mut sender);
        }
        reading.join().expect("no panic");
        peer.join().expect("no panic");
        replies.pass_to(&mut sender);
        sender.drop_outgoing();
        let outcome = sender.outcome().expect("an end");
        assert_eq!((outcome.code.0, &*outcome.reason), (1001, "restart"));
        assert!(!outcome.clean);
    }
}
