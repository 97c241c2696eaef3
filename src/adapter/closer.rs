//! Closing connections from another thread.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::close::CloseFrame;
use crate::connection::SendError;
use crate::role::Role;

/// Closes blocking connections from another thread, for instance all of a server when it is told to end.
///
/// Clones are one closer. A connection [that has it](super::blocking::WebSocket::with_closer) looks at it ten times a
/// second while it waits.
#[derive(Clone, Debug, Default)]
pub struct Closer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether `order` has been given, for a look that costs nothing.
    given: AtomicBool,
    order: Mutex<Option<Order>>,
}

/// The Close frame to send, and when connections end at the latest.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) frame: Option<CloseFrame>,
    pub(super) deadline: Instant,
}

impl Closer {
    /// Returns a closer that no connection has.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has each connection do what [`close`](super::blocking::WebSocket::close) does, and end within `timeout`; one that
    /// gets this closer later as well.
    ///
    /// A thread that reads gets no more messages: its `read` returns when the connection has ended. A thread that sends does
    /// so at the latest when the time has run out. Does not wait. The first call counts.
    ///
    /// # Errors
    ///
    /// Those of [`SendHalf::close`](crate::SendHalf::close) for a frame that a server must not send; nothing has changed then.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "an application has no use for a timeout of centuries"
    )]
    pub fn close(&self, frame: Option<CloseFrame>, timeout: Duration) -> Result<(), SendError> {
        if let Some(frame) = &frame {
            frame.check(Role::Server)?;
        }
        let deadline = Instant::now() + timeout;
        let mut order = self.0.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.get_or_insert(Order { frame, deadline });
        self.0.given.store(true, Ordering::Release);
        Ok(())
    }

    /// Returns the order, once [`close`](Self::close) was called.
    pub(super) fn order(&self) -> Option<Order> {
        if !self.0.given.load(Ordering::Acquire) {
            return None;
        }
        let order = self.0.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.clone()
    }
}
