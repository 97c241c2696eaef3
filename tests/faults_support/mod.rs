//! Streams in memory of which the n-th call fails, and both adapters behind one face.
#![allow(
    clippy::panic_in_result_fn,
    reason = "what no stream allows ends the test"
)]

mod ends;

extern crate alloc;

use alloc::rc::Rc;
use core::cell::RefCell;
use core::task::Waker;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice, Read, Write};

use sansocket::blocking::Stream;

pub(crate) use ends::{Adapter, End};

/// What is asked of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    Read,
    Write,
    Flush,
    Shut,
}

/// What a call does instead of what it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// It fails, and the next one works again. `WouldBlock` makes tokio's streams wait.
    Once(ErrorKind),
    /// It fails, and so does all that follows in its direction.
    Half(ErrorKind),
    /// It fails, and so do all that follow.
    Dead(ErrorKind),
    /// It takes or brings nothing.
    Zero,
    /// It takes or brings one byte.
    One,
}

/// A stream that brings what the peer is said to have sent and then its end, takes what is written, and fails once told.
#[derive(Debug)]
pub(crate) struct Nth {
    input: Vec<u8>,
    read: usize,
    pub(crate) written: Vec<u8>,
    pub(crate) flushed: usize,
    shut: bool,
    /// The most bytes that a call takes or brings.
    piece: usize,
    pub(crate) calls: usize,
    fault: Option<(usize, Fault)>,
    /// What was asked where the fault is.
    pub(crate) hit: Option<Call>,
    /// Who waits for the stream.
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "a blocking stream has nobody to wake")
    )]
    pub(crate) asleep: Rc<RefCell<Vec<Waker>>>,
}

impl Nth {
    pub(crate) fn new(input: &[u8], piece: usize, fault: Option<(usize, Fault)>) -> Self {
        Self {
            input: input.to_vec(),
            read: 0,
            written: Vec::new(),
            flushed: 0,
            shut: false,
            piece,
            calls: 0,
            fault,
            hit: None,
            asleep: Rc::default(),
        }
    }

    /// Counts a call; returns how many bytes it moves at most.
    fn call(&mut self, call: Call) -> io::Result<usize> {
        let at = self.calls;
        self.calls += 1;
        // Whoever calls again and again without coming to an end would hang a real stream.
        assert!(at < 2_000, "calls without end");
        let Some((nth, fault)) = self.fault.filter(|(nth, _)| at >= *nth) else {
            return Ok(self.piece);
        };
        if at == nth {
            self.hit = Some(call);
        }
        let same_way = self
            .hit
            .is_some_and(|hit| (hit == Call::Read) == (call == Call::Read));
        match fault {
            Fault::Once(kind) if at == nth => Err(kind.into()),
            Fault::Half(kind) if same_way => Err(kind.into()),
            Fault::Dead(kind) => Err(kind.into()),
            Fault::Zero if at == nth => Ok(0),
            Fault::One if at == nth => Ok(1),
            _ => Ok(self.piece),
        }
    }

    /// Shuts the stream down for writing, and flushes it as tokio's streams do.
    pub(crate) fn shut_down(&mut self) -> io::Result<()> {
        self.call(Call::Shut)?;
        self.flushed = self.written.len();
        self.shut = true;
        Ok(())
    }
}

impl Read for Nth {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "a read of nothing");
        let most = self.call(Call::Read)?;
        let left = &self.input[self.read..];
        let count = most.min(buffer.len()).min(left.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.read += count;
        Ok(count)
    }
}

impl Write for Nth {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(!self.shut, "a write behind the shutdown");
        let offered = slices.iter().map(|slice| slice.len()).sum::<usize>();
        assert_ne!(offered, 0, "a write of nothing");
        let count = self.call(Call::Write)?.min(offered);
        let end = self.written.len() + count;
        for slice in slices {
            let left = end - self.written.len();
            self.written
                .extend_from_slice(&slice[..left.min(slice.len())]);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call(Call::Flush)?;
        self.flushed = self.written.len();
        Ok(())
    }
}

/// It never blocks, so that no timeout makes a difference.
impl Stream for Nth {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.shut_down()
    }

    fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "tokio")]
mod polled {
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::{ErrorKind, IoSlice, Nth, Read, Write, io};

    impl Nth {
        fn polled<T>(&self, cx: &Context<'_>, result: io::Result<T>) -> Poll<io::Result<T>> {
            match result {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.asleep.borrow_mut().push(cx.waker().clone());
                    Poll::Pending
                }
                result => Poll::Ready(result),
            }
        }
    }

    impl AsyncRead for Nth {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let result = self.read(buffer.initialize_unfilled());
            self.polled(cx, result.map(|count| buffer.advance(count)))
        }
    }

    impl AsyncWrite for Nth {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let result = self.write(bytes);
            self.polled(cx, result)
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let result = self.write_vectored(slices);
            self.polled(cx, result)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let result = self.flush();
            self.polled(cx, result)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let result = self.shut_down();
            self.polled(cx, result)
        }
    }
}
