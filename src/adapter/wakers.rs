//! Two tasks that wait for one stream.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::{Context, Poll, Waker};

/// The tasks that wait to write: one that reads, and answers what it hears, and one that sends.
///
/// A stream wakes only whom it has seen last; while both wait, it sees a waker of both.
#[derive(Debug)]
pub(super) struct Wakers([Option<Waker>; 2]);

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum User {
    Reader,
    Sender,
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl Wakers {
    pub(super) const fn new() -> Self {
        Self([None, None])
    }

    /// Polls for `user`. When there is nothing more to wait for, the other one hears of it.
    pub(super) fn poll<T>(
        &mut self,
        user: User,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let [own, other] = match (user, &mut self.0) {
            (User::Reader, [reader, sender]) => [reader, sender],
            (User::Sender, [reader, sender]) => [sender, reader],
        };
        let both = other
            .as_ref()
            .filter(|other| !other.will_wake(cx.waker()))
            .map(|other| Waker::from(Arc::new(Both(other.clone(), cx.waker().clone()))));
        let waker = both.as_ref().unwrap_or_else(|| cx.waker());
        let polled = poll(&mut Context::from_waker(waker));
        *own = polled.is_pending().then(|| cx.waker().clone());
        if polled.is_ready()
            && let Some(other) = other.take()
        {
            other.wake();
        }
        polled
    }
}
