//! Two tasks that wait for one stream.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::{Context, Poll, Waker};

/// The tasks that wait for a stream: one that reads and answers, and one that sends.
///
/// A stream remembers one waker for each direction, the last that it has seen, and may need the other direction than it is
/// asked for: TLS reads to write and writes to read. So while both tasks wait, it sees a waker of both.
#[derive(Debug)]
pub(super) struct Wakers {
    reader: Task,
    sender: Task,
    /// The waker of both, while neither changes.
    both: Option<Waker>,
}

/// A task, and the reason why it waits.
#[derive(Debug)]
struct Task {
    waker: Option<Waker>,
    /// Whether it waits for the stream.
    waits: bool,
    /// Whether it waits until all is written.
    writes: bool,
}

/// Which of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum User {
    Reader,
    SendHalf,
}

/// The call for which a stream is polled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    Read,
    Write,
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl Task {
    const NONE: Self = Self {
        waker: None,
        waits: false,
        writes: false,
    };
}

impl Wakers {
    pub(super) const fn new() -> Self {
        Self {
            reader: Task::NONE,
            sender: Task::NONE,
            both: None,
        }
    }

    /// Polls the stream for `user`. When there is nothing more to wait for, the other one hears of it.
    pub(super) fn poll<T>(
        &mut self,
        user: User,
        purpose: Purpose,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Self {
            reader,
            sender,
            both,
        } = self;
        let (own, other) = match user {
            User::Reader => (reader, sender),
            User::SendHalf => (sender, reader),
        };
        let known = own.waker.as_ref();
        if known.is_none_or(|known| !known.will_wake(cx.waker())) {
            own.waker = Some(cx.waker().clone());
            *both = None;
        }
        let waiting = other.waker.as_ref().filter(|_| other.waits);
        let polled = match waiting.filter(|other| !other.will_wake(cx.waker())) {
            Some(other) => {
                let both = both.get_or_insert_with(|| {
                    Waker::from(Arc::new(Both(other.clone(), cx.waker().clone())))
                });
                poll(&mut Context::from_waker(both))
            }
            None => poll(&mut Context::from_waker(cx.waker())),
        };
        own.waits = polled.is_pending();
        own.writes = polled.is_pending() && purpose == Purpose::Write;
        // The wish of the other one may be met by this call: its bytes are written, or TLS has read the record it needs.
        let done = polled.is_ready() && (other.writes || (other.waits && purpose == Purpose::Read));
        if done && let Some(waker) = &other.waker {
            waker.wake_by_ref();
        }
        polled
    }
}
