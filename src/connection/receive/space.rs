//! Memory of a long message in progress, lent to the transport: bytes that are read straight into it need not be copied.

#[cfg(feature = "std")]
use std::io::{self, IoSliceMut};

use crate::connection::partial::{Frame, Route};
use crate::connection::receive::{ReceiveHalf, State};

impl ReceiveHalf {
    /// Returns room for the next bytes of a long message in progress, for the transport to read straight into.
    ///
    /// `None` while no message is in progress, or fewer than 4 KiB of it have been received, or fewer than 4 KiB of the frame are
    /// missing. Call it only when the input is used up. The room is at most 32 KiB, and no longer than the missing part of the
    /// frame.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 32 KiB")]
    pub fn unfilled(&mut self) -> Option<&mut [u8]> {
        let (frame, len) = self.wanted()?;
        if self.message.gathered() < DIRECT_MIN || len < DIRECT_MIN {
            return None;
        }
        self.lent = len as u16;
        let end = self.end(frame);
        Some(self.message.space(len, end))
    }

    /// Says that `len` bytes have been read into the room of [`unfilled`](Self::unfilled). The resulting event is returned by the
    /// next call of [`receive`](Self::receive), whose input may be empty. The call has no effect if `receive` has been given input
    /// since the room was lent.
    ///
    /// # Panics
    ///
    /// If `len` is more than the room was long.
    #[expect(clippy::cast_possible_truncation, reason = "at most 32 KiB")]
    pub fn filled(&mut self, len: usize) {
        let (State::Payload(frame), lent @ 1..) = (self.state, self.lent) else {
            return;
        };
        assert_room(len, lent.into());
        self.take_read(frame, len);
        self.lent = lent.saturating_sub(len as u16);
    }

    /// Calls `read` once; returns how many bytes it has read, and the part of `buffer` to be [received](Self::receive) next. See [`Connection::read`](crate::Connection::read).
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
            assert_room(count, buffer.len());
            return Ok((count, buffer.split_at_mut(count).0));
        };
        let goes_on = frame.remaining > len as u64;
        let (behind, _) = buffer.split_at_mut(if goes_on { 0 } else { BEHIND.min(buffer.len()) });
        let end = self.end(frame);
        let room = self.message.space(len, end);
        let mut slices = [IoSliceMut::new(room), IoSliceMut::new(behind)];
        let (slices, _) = slices.split_at_mut(if goes_on { 1 } else { 2 });
        let count = read(slices)?;
        let input = count.saturating_sub(len);
        assert_room(input, behind.len());
        self.take_read(frame, count.min(len));
        Ok((count, behind.split_at_mut(input).0))
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
        let most = come.max(self.message.spare()).min(DIRECT_MAX);
        let len = frame.share(most);
        (len > 0 && frame.route == Route::Gather).then_some((frame, len))
    }

    /// Takes the next `len` bytes of `frame`, which have been read into the memory of the message.
    fn take_read(&mut self, frame: Frame, len: usize) {
        self.lent = 0;
        self.state = State::Payload(frame.behind(len));
        let gathered = self.message.gather(len, frame.key, frame.offset.into());
        if let Err(error) = gathered {
            self.stop(State::Failed(error));
        }
    }
}

/// Makes sure that no more was read than there was room for: it would show what the memory has held before.
fn assert_room(len: usize, room: usize) {
    assert!(len <= room, "more bytes read than there was room for");
}

/// The bytes of a message that must have come before its memory is lent to the transport, and that must be missing of the
/// frame. Below, a read into the caller's buffer, which may bring further frames along, costs less than the copy that it saves.
const DIRECT_MIN: usize = 4 << 10;

/// The most room that is lent, in bytes: the bytes of a read are still in the CPU's nearest cache when they are unmasked.
const DIRECT_MAX: usize = 32 << 10;

/// The shortest message whose missing bytes are read beside the caller's buffer, in bytes.
#[cfg(feature = "std")]
const LONG: u64 = 8 << 10;

/// How many bytes are read behind such a message (bench `receive`).
#[cfg(feature = "std")]
const BEHIND: usize = 4 << 10;
