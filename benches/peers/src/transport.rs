//! What stands for the network: reading and writing are one copy each, and always ready.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that a read brings, and the size of the memory that is written to over and over.
pub const READ: usize = 64 << 10;

/// Bytes to read, again and again from the start; what is written goes to memory that all share.
pub struct Transport {
    wire: Arc<[u8]>,
    at: usize,
    /// No read goes beyond a multiple of this.
    step: usize,
    /// How far that still is: to divide for it would take longer than many a read.
    left: usize,
    /// What the lengths of reads are drawn from, where they are left to chance.
    chance: Option<u64>,
    message_len: usize,
    written: Option<Arc<Mutex<Vec<u8>>>>,
}

impl Transport {
    pub fn new(wire: Arc<[u8]>, step: usize) -> Self {
        Self {
            wire,
            at: 0,
            step,
            left: step,
            chance: None,
            message_len: 1,
            written: None,
        }
    }

    /// Returns one that is only written to.
    pub fn silent() -> Self {
        Self::new(Arc::new([0]), 1)
    }

    /// Ends each read somewhere on the way to where it would end.
    pub fn cutting_by_chance(mut self) -> Self {
        self.chance = Some(0x9E37_79B9_7F4A_7C15);
        self
    }

    /// Says how many bytes each message takes.
    pub fn with_message_len(mut self, len: usize) -> Self {
        self.message_len = len;
        self
    }

    pub fn message_len(&self) -> usize {
        self.message_len
    }

    /// Returns the buffer that all connections of the thread read into, where a library leaves that to the caller.
    pub fn buffer() -> Rc<RefCell<Box<[u8]>>> {
        thread_local! {
            static BUFFER: Rc<RefCell<Box<[u8]>>> = Rc::new(RefCell::new(vec![0; READ].into()));
        }
        BUFFER.with(Rc::clone)
    }

    /// Returns how much room is enough for any read.
    pub fn room(&self) -> usize {
        self.step.clamp(4 << 10, READ)
    }

    /// Keeps all that is written, to check it.
    pub fn keeping(mut self, written: &Arc<Mutex<Vec<u8>>>) -> Self {
        self.written = Some(Arc::clone(written));
        self
    }

    /// Returns what a read into `room` bytes brings.
    fn next(&mut self, room: usize) -> &[u8] {
        let begin = self.at;
        let len = room.min(READ).min(self.left).min(self.wire.len() - begin);
        let end = begin + len;
        self.left -= len;
        if self.left == 0 || end == self.wire.len() {
            self.left = self.next_step();
        }
        self.at = if end == self.wire.len() { 0 } else { end };
        &self.wire[begin..end]
    }

    fn next_step(&mut self) -> usize {
        let Some(chance) = &mut self.chance else {
            return self.step;
        };
        // xorshift64 (Marsaglia)
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        let share = (*chance >> 32) * self.step as u64;
        1 + usize::try_from(share >> 32).expect("less than the step")
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(written) = &self.written {
            written.lock().expect("one thread").extend_from_slice(bytes);
        }
        MEMORY.with_borrow_mut(|memory| memory.put(bytes));
    }

    fn put_all(&mut self, slices: &[IoSlice<'_>]) -> usize {
        for slice in slices {
            self.put(slice);
        }
        slices.iter().map(|slice| slice.len()).sum()
    }
}

/// What all transports of the thread write to.
struct Memory {
    bytes: Vec<u8>,
    filled: usize,
}

thread_local! {
    static MEMORY: RefCell<Memory> = const { RefCell::new(Memory { bytes: Vec::new(), filled: 0 }) };
}

impl Memory {
    fn put(&mut self, mut bytes: &[u8]) {
        self.bytes.resize(READ, 0);
        while !bytes.is_empty() {
            let len = bytes.len().min(READ - self.filled);
            let (now, later) = bytes.split_at(len);
            self.bytes[self.filled..][..len].copy_from_slice(now);
            self.filled = (self.filled + len) % READ;
            bytes = later;
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len());
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn read_vectored(&mut self, slices: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let room = slices.iter().map(|slice| slice.len()).sum();
        let mut bytes = self.next(room);
        let read = bytes.len();
        for slice in slices {
            let len = slice.len().min(bytes.len());
            let (now, later) = bytes.split_at(len);
            slice[..len].copy_from_slice(now);
            bytes = later;
        }
        Ok(read)
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.put_all(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(self.next(buffer.remaining()));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.put(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.put_all(slices)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The same, as the traits of the `futures` crate.
impl futures_util::AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buffer))
    }
}

impl futures_util::AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls until ready; a library may yield, but nothing here is ever waited for.
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
