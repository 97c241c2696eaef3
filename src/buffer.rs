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

/// Bytes gathered in memory that is taken from a pool of the thread when the first byte comes, and goes back to it when
/// the buffer is dropped.
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
        self.memory.len() - self.filled >= len
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

    /// Takes memory for `len` more bytes, where they are seldom more than `limit` in all, and not much then.
    #[inline]
    pub(crate) fn reserve_around(&mut self, len: usize, limit: usize) {
        if self.take_last(len) || self.has_room(len) {
            return;
        }
        let needed = self.filled + len;
        let most = limit.max(needed + needed / 16);
        self.grow(len, self.doubled().min(most), most);
    }

    /// Takes the piece that the thread has used last if there is no memory yet, and that is enough.
    #[inline]
    pub(crate) fn take_last(&mut self, len: usize) -> bool {
        self.memory.is_empty()
            && pool::take_last(len, Need::of(len))
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
        let wanted = wanted.max(now);
        let memory = match pool::take(wanted, Need { now, most }) {
            Some(memory) => memory,
            // The allocator has zeroes at hand, more cheaply than they are written.
            None if self.memory.len() <= wanted / 8 => alloc::vec![0; wanted].into(),
            None => return self.reallocate(wanted),
        };
        let before = mem::replace(&mut self.memory, memory);
        if !before.is_empty() {
            self.memory[..self.filled].copy_from_slice(&before[..self.filled]);
            pool::put(before);
        }
    }

    fn reallocate(&mut self, len: usize) {
        let mut memory = Vec::from(mem::take(&mut self.memory));
        memory.reserve_exact(len - memory.len());
        memory.resize(len, 0);
        self.memory = memory.into_boxed_slice();
    }
}

/// What memory is needed for.
#[cfg_attr(
    not(feature = "std"),
    expect(dead_code, reason = "only the pool asks for it")
)]
#[derive(Clone, Copy)]
struct Need {
    /// How many bytes there will be next.
    now: usize,
    /// How many bytes there will be in the end, or no more.
    most: usize,
}

impl Need {
    /// Returns the need of someone who knows of nothing but the next bytes.
    const fn of(len: usize) -> Self {
        Self {
            now: len,
            most: len,
        }
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

#[cfg(feature = "std")]
mod pool {
    //! The spare memory of a thread.

    use alloc::boxed::Box;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};

    use super::Need;

    /// The most spare memory that a thread keeps beside the last piece, in bytes: enough for a few large messages at work,
    /// little beside the stack of a thread.
    const MOST_BYTES: usize = 4 << 20;

    /// The most pieces of spare memory that a thread keeps beside the last one. One connection at work holds at most four.
    const MOST_PIECES: usize = 16;

    /// The largest piece that anyone gets, however little is wanted, and that is kept as the last one. Beyond, a piece is given
    /// away for what needs a part of it now, and half of it in the end, so that a few bytes that wait for long do not hold much,
    /// whatever length was announced.
    const ANYONES: usize = 64 << 10;

    /// How many times as long a piece may be as what is needed of it now: a message of 1 MiB gets its piece with its first
    /// 16 KiB, and moves into no other.
    const AHEAD: usize = 64;

    /// The longest piece that is kept, a message of 16 MiB with its header: it goes from one long message to the next, and is
    /// freed once something shorter is wanted, but for what is little.
    const LONGEST: usize = (16 << 20) + 32;

    /// What is no longer than this may be wanted between long messages.
    const LITTLE: usize = 8 << 10;

    struct Pool {
        spare: Vec<Box<[u8]>>,
        bytes: usize,
        long: Option<Box<[u8]>>,
    }

    std::thread_local! {
        /// The piece that was put here last: where one connection after the other writes or gathers a little, it is
        /// the only one, and still in the cache.
        static LAST: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };

        static POOL: RefCell<Pool> = const { RefCell::new(Pool { spare: Vec::new(), bytes: 0, long: None }) };
    }

    /// Takes the last piece if it has `least` bytes.
    #[inline]
    pub(super) fn take_last(least: usize, need: Need) -> Option<Box<[u8]>> {
        let taken = LAST.try_with(|last| {
            let memory = last.take()?;
            if memory.len() >= least {
                if least > LITTLE {
                    free_long(need);
                }
                return Some(memory);
            }
            last.set(Some(memory));
            None
        });
        taken.ok().flatten()
    }

    /// Takes a piece that is enough in the end, else one that has `least` bytes: the last one, the long one, or the smallest
    /// that fits.
    #[inline]
    pub(super) fn take(least: usize, need: Need) -> Option<Box<[u8]>> {
        if let Some(last) = take_last(wanted(least, need), need) {
            return Some(last);
        }
        let taken = POOL.try_with(|pool| pool.borrow_mut().take(least, need));
        taken.ok().flatten().or_else(|| take_last(least, need))
    }

    /// Keeps `memory` for the next who asks, in favour of smaller pieces where there are too many, or frees it.
    #[inline(never)]
    pub(super) fn put(memory: Box<[u8]>) {
        if memory.len() > ANYONES {
            return keep(memory);
        }
        // An error means that the thread ends; dropping the memory is right then.
        if let Ok(Some(before)) = LAST.try_with(|last| last.replace(Some(memory))) {
            keep(before);
        }
    }

    /// Frees the long piece, unless it will be wanted later.
    #[inline(never)]
    fn free_long(need: Need) {
        let free = |pool: &RefCell<Pool>| pool.borrow_mut().long.take_if(|long| !suits(long, need));
        let _ = POOL.try_with(free);
    }

    #[inline(never)]
    fn keep(memory: Box<[u8]>) {
        let _ = POOL.try_with(|pool| pool.borrow_mut().keep(memory));
    }

    /// Returns how long a piece should be at best: enough in the end, unless that is so long that it will be a limit.
    fn wanted(least: usize, need: Need) -> usize {
        if need.most > MOST_BYTES {
            least
        } else {
            need.most
        }
    }

    /// Tells whether `piece` has `least` bytes, and not too many.
    fn fits(piece: &[u8], least: usize, need: Need) -> bool {
        let ahead = need.now.saturating_mul(AHEAD);
        let largest = ahead.min(need.most.saturating_mul(2)).max(ANYONES);
        (least..=largest).contains(&piece.len())
    }

    /// Tells whether `piece` is enough in the end, without much to spare.
    fn suits(piece: &[u8], need: Need) -> bool {
        (need.most..=need.most.saturating_mul(2)).contains(&piece.len())
    }

    impl Pool {
        fn take(&mut self, least: usize, need: Need) -> Option<Box<[u8]>> {
            if let Some(long) = self.long.take() {
                if fits(&long, least, need) {
                    return Some(long);
                }
                let later = wanted(least, need) <= LITTLE || suits(&long, need);
                self.long = later.then_some(long);
            }
            let pieces = self.spare.iter().enumerate();
            let fitting = pieces.filter(|(_, piece)| fits(piece, least, need));
            // One that is enough in the end comes before the others.
            let (at, _) =
                fitting.min_by_key(|(_, piece)| (piece.len() < need.most, piece.len()))?;
            Some(self.remove(at))
        }

        fn keep(&mut self, memory: Box<[u8]>) {
            if memory.len() > MOST_BYTES {
                self.long = Some(memory).filter(|memory| memory.len() <= LONGEST);
                return;
            }
            let pieces = self.spare.iter();
            let as_long = pieces.filter(|piece| piece.len() >= memory.len());
            let (count, bytes) = as_long.fold((0, memory.len()), |(count, bytes), piece| {
                (count + 1, bytes + piece.len())
            });
            if count >= MOST_PIECES || bytes > MOST_BYTES {
                return;
            }
            while self.spare.len() >= MOST_PIECES || self.bytes + memory.len() > MOST_BYTES {
                let pieces = self.spare.iter().enumerate();
                let Some((at, _)) = pieces.min_by_key(|(_, piece)| piece.len()) else {
                    return;
                };
                self.remove(at);
            }
            self.bytes += memory.len();
            self.spare.push(memory);
        }

        fn remove(&mut self, at: usize) -> Box<[u8]> {
            let memory = self.spare.swap_remove(at);
            self.bytes -= memory.len();
            memory
        }
    }
}

#[cfg(not(feature = "std"))]
mod pool {
    //! Stands for the pool where there are no threads to keep it: memory comes and goes.

    use alloc::boxed::Box;

    use super::Need;

    pub(super) fn take_last(_: usize, _: Need) -> Option<Box<[u8]>> {
        None
    }

    pub(super) fn take(_: usize, _: Need) -> Option<Box<[u8]>> {
        None
    }

    pub(super) fn put(memory: Box<[u8]>) {
        drop(memory);
    }
}
