//! Memory of a long message in progress, lent to the transport: what is read straight into it need not be copied.

use core::mem;
#[cfg(feature = "std")]
use std::io::{self, IoSliceMut};

use crate::connection::partial::Frame;
use crate::connection::receive::{Receiver, State};

impl Receiver {
    /// Returns room for the next bytes of a long message in progress, for the transport to read straight into.
    ///
    /// `None` while there is no such message, too little of it has come to deserve memory, or too little of the frame is
    /// missing to deserve a read. To be asked only when the input is used up. The room is at most 32 KiB, and at most as long
    /// as what is missing of the frame.
    #[must_use]
    pub fn space(&mut self) -> Option<&mut [u8]> {
        let (frame, len) = self.wanted()?;
        let pays = self.message.gathered() >= DIRECT_MIN && len >= DIRECT_MIN;
        pays.then(|| self.lend(frame, len))
    }

    /// Says that the first `len` bytes of [`space`](Self::space) have been read; what comes of them is returned by the
    /// next call of [`receive`](Self::receive), which may have no input.
    ///
    /// # Panics
    ///
    /// If `len` is more than the room was long.
    pub fn filled(&mut self, len: usize) {
        let lent = usize::from(mem::take(&mut self.lent));
        let (State::Payload(frame), 1..) = (self.state, lent) else {
            return;
        };
        // More would show what the memory has held before.
        assert!(
            len <= frame.share(lent),
            "more bytes read than there was room for"
        );
        let gathered = self.message.gather(len, frame.key, frame.offset.into());
        self.state = State::Payload(frame.behind(len));
        if let Err(error) = gathered {
            self.stop(State::Failed(error));
        }
    }

    /// Reads once by `read`; returns how many bytes have come, and those of `buffer` that are to be
    /// [received](Self::receive) next. See [`Connection::read`](crate::Connection::read).
    ///
    /// # Errors
    ///
    /// That of `read`; nothing has changed then.
    ///
    /// # Panics
    ///
    /// If `read` returns more than the slices hold.
    #[cfg(feature = "std")]
    pub fn read<'b>(
        &mut self,
        buffer: &'b mut [u8],
        read: impl FnOnce(&mut [IoSliceMut<'_>]) -> io::Result<usize>,
    ) -> io::Result<(usize, &'b mut [u8])> {
        let Some((frame, len)) = self.wanted().filter(|&(frame, _)| self.is_long(frame)) else {
            let count = read(&mut [IoSliceMut::new(buffer)])?;
            return Ok((count, filled_part(buffer, count)));
        };
        let goes_on = frame.remaining > len as u64;
        let behind = if goes_on { 0 } else { BEHIND.min(buffer.len()) };
        let (buffer, _) = buffer.split_at_mut(behind);
        let room = self.lend(frame, len);
        let read = if buffer.is_empty() {
            read(&mut [IoSliceMut::new(room)])
        } else {
            read(&mut [IoSliceMut::new(room), IoSliceMut::new(buffer)])
        };
        let count = read.inspect_err(|_| self.lent = 0)?;
        self.filled(count.min(len));
        Ok((count, filled_part(buffer, count.saturating_sub(len))))
    }

    /// Tells whether the message in progress is so long that what is missing of it is not read into a buffer. Until its
    /// last frame has begun, that frame alone counts: short ones are better read many at a time.
    #[cfg(feature = "std")]
    fn is_long(&self, frame: Frame) -> bool {
        let come = if frame.fin {
            self.message.gathered()
        } else {
            0
        };
        frame.remaining.saturating_add(come as u64) >= LONG
    }

    /// Returns the frame of which more is wanted, and for how much of it there may be room.
    fn wanted(&self) -> Option<(Frame, usize)> {
        let State::Payload(frame) = self.state else {
            return None;
        };
        let come = self.message.gathered().saturating_mul(8);
        let most = come.max(self.message.spare()).min(DIRECT_MAX.into());
        let len = frame.share(most);
        (len > 0 && self.gathers(frame)).then_some((frame, len))
    }

    /// Returns room for the next `len` bytes of `frame`.
    fn lend(&mut self, frame: Frame, len: usize) -> &mut [u8] {
        self.lent = u16::try_from(len).unwrap_or(DIRECT_MAX);
        let end = self.end(frame);
        self.message.space(len, end)
    }
}

/// Returns the first `len` bytes of `buffer`: more would show what it has held before.
#[cfg(feature = "std")]
fn filled_part(buffer: &mut [u8], len: usize) -> &mut [u8] {
    assert!(
        len <= buffer.len(),
        "more bytes read than there was room for"
    );
    buffer.split_at_mut(len).0
}

/// The bytes of a message that must have come before its memory is lent to the transport, and that must be missing of the
/// frame. Below, a read into the caller's buffer, which may bring further frames along, costs less than the copy that it saves.
const DIRECT_MIN: usize = 4 << 10;

/// The most room that is lent, in bytes: what has been read is still in the CPU's nearest cache when it is unmasked.
const DIRECT_MAX: u16 = 32 << 10;

/// The shortest message whose missing bytes are read beside the caller's buffer, in bytes.
#[cfg(feature = "std")]
const LONG: u64 = 8 << 10;

/// How many bytes are read behind such a message (bench `receive`).
#[cfg(feature = "std")]
const BEHIND: usize = 4 << 10;
