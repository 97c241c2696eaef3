//! The halves of a split connection in two threads or tasks: neither waits for the other.
#![cfg(all(feature = "std", feature = "getrandom"))]

mod common;

extern crate alloc;

use alloc::sync::Arc;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::task::Wake;
use std::thread;
use std::time::Instant;

use bytes::{Buf, Bytes};
use common::{BOTH, closing, fresh, naive};
use sansocket::{ProtocolError, Replies, Reply, Role, Sender};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn pong(payload: &'static str) -> Reply {
    Reply::Pong(Bytes::from(payload))
}

/// Returns the frames that a sender has queued.
fn queued(sender: &mut Sender, role: Role) -> Vec<String> {
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
            assert_eq!(sender.transport().is_in_use(), end.is_empty());
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
    while sender.transport().is_in_use() {
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
