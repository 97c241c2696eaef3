//! A stream in memory: what is to be read, in the pieces it comes in, and what was written.

use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reading waits where the input ends; writing never does.
#[derive(Debug)]
pub struct Pipe<'a> {
    input: &'a [u8],
    /// The most that one read gets.
    most: usize,
    pub written: Vec<u8>,
}

impl<'a> Pipe<'a> {
    #[must_use]
    pub fn new(input: &'a [u8], most: usize) -> Self {
        Self {
            input,
            most,
            written: Vec::new(),
        }
    }

    fn next(&mut self, room: usize) -> &'a [u8] {
        let (piece, rest) = self
            .input
            .split_at(self.most.min(room).min(self.input.len()));
        self.input = rest;
        piece
    }
}

impl Read for Pipe<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let piece = self.next(room.len());
        if piece.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        room[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Pipe<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = self.get_mut().next(room.remaining());
        if piece.is_empty() {
            return Poll::Pending;
        }
        room.put_slice(piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Returns what a future comes to; `None` if it waits, which it can only do for input that never comes.
pub fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
