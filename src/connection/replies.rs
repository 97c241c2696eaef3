//! The way from the receiving half of a split connection to the sending half.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::mem;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::send::{Reply, SendHalf};

/// The replies that the receiving half of a split connection has for the sending half, in another thread or task.
///
/// Both halves hold a clone. The receiving half [puts](Self::put) replies, which never waits: a Pong takes the place of an
/// older one (RFC 6455 §5.5.3), and nothing else can come twice, so that four replies wait at most. The sending half waits
/// by [`wait`](Self::wait) in a thread or by [`ready`](Self::ready) in a task, gives the replies to its [`SendHalf`] by
/// [`pass_to`](Self::pass_to), and writes. A thread with a message for the sending half [wakes](Self::wake) it.
///
/// One thread or task waits at a time. A lock is held while one reply is moved, never while bytes are parsed, compressed
/// or written.
///
/// See [`Connection::split`](super::Connection::split) for an example.
#[derive(Clone, Default)]
pub struct Replies(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// One reply of each kind, in the order in which they go to the sender: no event follows a Close frame or an error.
    pending: [Option<Reply>; 4],
    /// Whether [`Replies::wake`] was called since the sending half last waited.
    woken: bool,
    task: Option<Waker>,
}

impl Replies {
    /// Returns a place where no reply waits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves a reply for the sending half, and wakes it.
    pub fn put(&self, reply: Reply) {
        self.change(|state| {
            let [pong, close, error, eof] = &mut state.pending;
            let kind = match reply {
                Reply::Pong(_) => pong,
                Reply::Close(_) => close,
                Reply::Fail(_) => error,
                Reply::Eof => eof,
            };
            *kind = Some(reply);
        });
    }

    /// Wakes the sending half without a reply: the application has something for it.
    pub fn wake(&self) {
        self.change(|state| state.woken = true);
    }

    /// Blocks until there is a reply or [`wake`](Self::wake) is called, at most for `timeout`; tells whether there was.
    ///
    /// A call of `wake` before this one counts as well, once.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        let calm = |state: &mut State| !state.take_call();
        let state = self.lock();
        match timeout {
            None => {
                drop(self.0.changed.wait_while(state, calm));
                true
            }
            Some(timeout) => {
                let waited = self.0.changed.wait_timeout_while(state, timeout, calm);
                let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
                drop(state);
                !result.timed_out()
            }
        }
    }

    /// Waits until there is a reply or [`wake`](Self::wake) is called, in a task of any runtime. Cancel safe.
    pub async fn ready(&self) {
        poll_fn(|cx| self.poll_ready(cx)).await;
    }

    /// Does what [`ready`](Self::ready) does for a future of one's own; the task of the last call is woken.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.take_call() {
            return Poll::Ready(());
        }
        state.task = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Gives all replies that wait to `sender`, which queues what answers them.
    pub fn pass_to(&self, sender: &mut SendHalf) {
        let pending = mem::take(&mut self.lock().pending);
        for reply in pending.into_iter().flatten() {
            sender.reply(reply);
        }
    }

    /// Changes the state and wakes the sending half.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let task = state.task.take();
        drop(state);
        self.0.changed.notify_one();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Nothing that runs under the lock leaves the state half changed, so a panic elsewhere does no harm.
    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tells whether the sending half is called for, and forgets a call of [`Replies::wake`].
    fn take_call(&mut self) -> bool {
        mem::take(&mut self.woken) || self.has_replies()
    }

    fn has_replies(&self) -> bool {
        self.pending.iter().any(Option::is_some)
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Replies")
            .field("waiting", &state.has_replies())
            .finish_non_exhaustive()
    }
}
