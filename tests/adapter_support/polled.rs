//! Streams in memory that are polled.
#![allow(
    clippy::panic_in_result_fn,
    reason = "what no stream allows ends the test"
)]

extern crate alloc;

use alloc::sync::Arc;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::LazyLock;
use std::task::Wake;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::Wire;

/// Polls a future once and drops it.
pub(crate) fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future that is ready.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match poll_once(future) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

/// Polls a future until it is ready, or waits without having woken itself.
pub(crate) fn settle<T>(future: impl Future<Output = T>) -> Poll<T> {
    // One for all, so that a waker that is kept takes no memory.
    static WOKEN: LazyLock<Arc<Woken>> = LazyLock::new(Arc::default);
    std::thread_local! {
        static WAKER: Waker = Waker::from(Arc::clone(&WOKEN));
    }
    let mut future = pin!(future);
    WAKER.with(|waker| {
        loop {
            let polled = future.as_mut().poll(&mut Context::from_waker(waker));
            if polled.is_ready() || !WOKEN.0.swap(false, Ordering::Relaxed) {
                return polled;
            }
        }
    })
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn poll<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = buffer.remaining().min(self.input.len()).min(self.piece);
        let mut bytes = vec![0; most.max(1)];
        poll(
            self.read(&mut bytes)
                .map(|count| buffer.put_slice(&bytes[..count])),
        )
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll(self.write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll(self.flush())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert_eq!(self.flushed, self.written.len(), "all has been flushed");
        self.shut = true;
        Poll::Ready(Ok(()))
    }
}

/// A stream that is pending before each byte in either direction, before each flush and before the shutdown.
#[derive(Debug)]
pub(crate) struct Stutter {
    pub(crate) wire: Wire,
    /// Whether the next read, write, flush and shutdown does something.
    willing: [bool; 4],
}

impl Stutter {
    pub(crate) fn new(wire: Wire) -> Self {
        Self {
            wire: Wire { piece: 1, ..wire },
            willing: [false; 4],
        }
    }

    fn turn(&mut self, what: usize, cx: &Context<'_>) -> Poll<&mut Wire> {
        self.willing[what] ^= true;
        if self.willing[what] {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(&mut self.wire)
    }
}

impl AsyncRead for Stutter {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = core::task::ready!(self.turn(0, cx));
        Pin::new(wire).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stutter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = core::task::ready!(self.turn(1, cx));
        Pin::new(wire).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = core::task::ready!(self.turn(2, cx));
        Pin::new(wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = core::task::ready!(self.turn(3, cx));
        Pin::new(wire).poll_shutdown(cx)
    }
}
