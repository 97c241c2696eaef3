//! Memory that gathers bytes: of a message that spans reads, or of frames that wait to be written.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "`filled` never passes the end of `memory`, and sums are of lengths that lie in memory; `advance` says so in debug builds"
)]

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};

use bytes::Bytes;

use pool::Need;

#[cfg(feature = "std")]
use crate::pool;

/// Bytes gathered in memory that is taken from the pool when the first byte comes, and goes back to it when the buffer is
/// dropped.
///
/// So a connection holds memory only while it has something to hold, and no message costs an allocation in steady
/// state. Without the feature `std` there is no pool: memory comes from the allocator each time.
///
/// All of `memory` is initialised, which lets a transport read straight into [`Buffer::space`] and lets masking write in
/// one pass, without unsafe code.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Box<[u8]>,
    filled: usize,
}

impl Buffer {
    /// Returns an empty buffer with memory for `len` bytes.
    pub(crate) fn with_room(len: usize) -> Self {
        let (least, now, most) = (len, len, len);
        let taken = pool::take(Need { least, now, most });
        Self {
            memory: taken.unwrap_or_else(|| alloc::vec![0; pool::block_len(len)].into()),
            filled: 0,
        }
    }

    /// Returns how many bytes there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// Returns how many bytes there is memory for.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Tells whether there is memory for `len` more bytes.
    #[inline]
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.room_left() >= len
    }

    /// Returns how many more bytes there is memory for.
    #[inline]
    pub(crate) fn room_left(&self) -> usize {
        self.memory.len() - self.filled
    }

    /// Returns `len` bytes of room behind the last byte, for which there is memory; their content is arbitrary.
    #[inline(always)]
    pub(crate) fn room(&mut self, len: usize) -> &mut [u8] {
        &mut self.memory[self.filled..][..len]
    }

    /// Appends `len` bytes whose content is arbitrary, and returns `room` bytes from the first one on, no less.
    #[inline(always)]
    pub(crate) fn append(&mut self, len: usize, room: usize) -> &mut [u8] {
        debug_assert!(len <= room, "more bytes than room for them");
        let room = &mut self.memory[self.filled..][..room];
        self.filled += len;
        room
    }

    /// Appends `bytes`.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.space(bytes.len()).copy_from_slice(bytes);
        self.advance(bytes.len());
    }

    /// Returns `len` bytes of room behind the last byte; their content is arbitrary.
    #[inline]
    pub(crate) fn space(&mut self, len: usize) -> &mut [u8] {
        self.space_within(len, usize::MAX)
    }

    /// Returns the room of [`Buffer::space`] where the bytes are at most `most` in the end.
    #[inline]
    pub(crate) fn space_within(&mut self, len: usize, most: usize) -> &mut [u8] {
        if !self.has_room(len) {
            self.grow(len, self.doubled().min(most), most);
        }
        self.room(len)
    }

    /// Takes the block that the thread has used last if there is no memory yet, and that is enough.
    #[inline]
    pub(crate) fn take_last(&mut self, len: usize) -> bool {
        self.memory.is_empty()
            && pool::take_last(len)
                .map(|last| self.memory = last)
                .is_some()
    }

    /// Returns the room of [`Buffer::space`] where the bytes are said to be `total` in the end, which is believed when
    /// half of them, the next `len` among them, have come: then there is memory for all, and no more has been copied than they are.
    #[inline]
    pub(crate) fn space_towards(&mut self, len: usize, total: usize) -> &mut [u8] {
        if !self.has_room(len) {
            let half = total / 2;
            let wanted = if self.filled + len < half {
                self.doubled().min(half)
            } else {
                total
            };
            self.grow(len, wanted, total);
        }
        self.room(len)
    }

    /// Returns all the room that there is within `most` bytes, once there is room for `len`.
    #[cfg(feature = "deflate")]
    pub(crate) fn spare_within(&mut self, len: usize, most: usize) -> &mut [u8] {
        self.space_within(len, most);
        let end = self.memory.len().min(most);
        &mut self.memory[self.filled..end]
    }

    /// Says that the first `len` bytes of [`Buffer::room`] have been written.
    #[inline]
    pub(crate) fn advance(&mut self, len: usize) {
        self.filled += len;
        debug_assert!(
            self.filled <= self.memory.len(),
            "more bytes written than there was room for"
        );
    }

    /// Drops all bytes from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.filled = self.filled.min(len);
    }

    /// Drops all bytes and gives the memory back.
    #[inline]
    pub(crate) fn release(&mut self) {
        if !self.memory.is_empty() {
            pool::put(mem::take(&mut self.memory));
        }
        self.filled = 0;
    }

    /// Moves the last `len` bytes to a buffer of their own.
    pub(crate) fn split_last(&mut self, len: usize) -> Self {
        if len == self.filled {
            return mem::take(self);
        }
        let mut last = Self::default();
        let begin = self.filled - len;
        last.push(&self[begin..]);
        self.filled = begin;
        last
    }

    /// Drops the first `len` bytes and moves the others down.
    pub(crate) fn drop_front(&mut self, len: usize) {
        self.memory.copy_within(len..self.filled, 0);
        self.filled -= len;
    }

    /// Returns twice the memory that there is, so that growing costs linear time in all.
    fn doubled(&self) -> usize {
        self.memory.len().saturating_mul(2).max(SMALLEST)
    }

    /// Makes room for `len` more bytes, and for `wanted` in all if that is more; there will be `most` in the end, or no more.
    #[inline(never)]
    fn grow(&mut self, len: usize, wanted: usize, most: usize) {
        let now = self.filled + len;
        let least = wanted.max(now);
        match pool::take(Need { least, now, most }) {
            Some(memory) => self.move_to(memory),
            None => self.allocate(pool::block_len(least)),
        }
    }

    fn move_to(&mut self, memory: Box<[u8]>) {
        let before = mem::replace(&mut self.memory, memory);
        if !before.is_empty() {
            self.memory[..self.filled].copy_from_slice(&before[..self.filled]);
            pool::put(before);
        }
    }

    /// Makes the memory `len` bytes long, which is more than it is.
    #[cold]
    fn allocate(&mut self, len: usize) {
        // The allocator has zeroes at hand, more cheaply than they are written.
        if self.memory.len() <= len / 8 {
            return self.move_to(alloc::vec![0; len].into());
        }
        let mut memory = Vec::from(mem::take(&mut self.memory));
        memory.reserve_exact(len - memory.len());
        memory.resize(len, 0);
        self.memory = memory.into_boxed_slice();
    }
}

/// The least memory that is asked for, in bytes: two short messages and their headers.
const SMALLEST: usize = 256;

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.memory[..self.filled]
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.filled]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        self.release();
    }
}

impl From<Buffer> for Bytes {
    /// Keeps the memory, without a copy, unless most of it is unused; what is kept does not go back to the pool.
    fn from(mut buffer: Buffer) -> Self {
        if buffer.filled < buffer.memory.len() / 2 {
            return Self::copy_from_slice(&buffer);
        }
        let mut bytes = Vec::from(mem::take(&mut buffer.memory));
        bytes.truncate(buffer.filled);
        Self::from(bytes)
    }
}

#[cfg(not(feature = "std"))]
mod pool {
    //! Stands for the pool where there are neither threads nor locks: memory comes and goes.

    use alloc::boxed::Box;

    #[expect(dead_code, reason = "only the pool asks for it")]
    pub(super) struct Need {
        pub(super) least: usize,
        pub(super) now: usize,
        pub(super) most: usize,
    }

    pub(super) fn take_last(_: usize) -> Option<Box<[u8]>> {
        None
    }

    pub(super) fn take(_: Need) -> Option<Box<[u8]>> {
        None
    }

    pub(super) fn put(block: Box<[u8]>) {
        drop(block);
    }

    pub(super) fn block_len(len: usize) -> usize {
        len
    }
}
