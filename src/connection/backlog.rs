//! What waits in a queue beside the block that frames are appended to.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "no peer has a say here: positions are those of bytes that were queued, and sums are of lengths that lie in memory"
)]

use alloc::boxed::Box;
use alloc::collections::VecDeque;
#[cfg(feature = "std")]
use core::cell::Cell;
use core::fmt;

use bytes::{Buf, Bytes};

use super::control::ControlQueue;
use crate::buffer::Buffer;
use crate::spare::{self, Spare};

/// Blocks of copied bytes that are full, shared payloads, and control frames with the places where they may go.
///
/// A *position* is a number of copied bytes since the queue was empty. Positions wrap, so only distances are compared. Bytes
/// that wait are never moved. The last block of them, the *tail*, belongs to [`Outgoing`](super::Outgoing), as does the
/// position up to which they were written: a queue of one block has nothing else.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// The blocks before the tail.
    blocks: VecDeque<Buffer>,
    /// The position where the first of them begins; the tail, if there is none.
    first: usize,
    /// The position where the tail begins.
    tail: usize,
    write_points: VecDeque<WritePoint>,
    /// How many shared bytes wait.
    shared: usize,
    pub(super) control: ControlQueue,
}

/// A place between two frames, where control frames may go.
struct WritePoint {
    at: usize,
    /// Bytes that were not copied, and come behind the copied ones before `at` and before the place; most have none.
    shared: Bytes,
}

impl fmt::Debug for WritePoint {
    /// Shows no payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WritePoint")
            .field("at", &self.at)
            .field("shared", &self.shared.len())
            .finish()
    }
}

/// How far something has gone through the queue.
#[derive(Default)]
pub(super) struct Cursor {
    /// The position among the copied bytes.
    at: usize,
    /// How many blocks are behind, and the position where the next one begins.
    block: usize,
    begin: usize,
    /// How many write points are behind, and whether it is at the last of them.
    points: usize,
    at_point: bool,
    /// How many bytes of control frames are behind.
    control: usize,
}

impl Backlog {
    /// Returns the position behind the last copied byte.
    #[inline]
    pub(super) fn end(&self, tail: &[u8]) -> usize {
        self.tail.wrapping_add(tail.len())
    }

    /// Returns how many bytes wait, where the copied ones before position `written` have been written.
    #[inline]
    pub(super) fn len(&self, written: usize, tail: &[u8]) -> usize {
        self.end(tail).wrapping_sub(written) + self.shared + self.control.bytes().len()
    }

    /// Returns the position of the last write point.
    #[inline]
    pub(super) fn last_write_point(&self) -> Option<usize> {
        self.write_points.back().map(|point| point.at)
    }

    /// Lets control frames go out before what is queued next, and before that bytes that are not copied.
    pub(super) fn push_write_point(&mut self, shared: Bytes, tail: &[u8]) {
        self.shared += shared.len();
        let at = self.end(tail);
        self.write_points.push_back(WritePoint { at, shared });
    }

    /// Takes a block that was the tail, of which the bytes before position `written` have been written.
    pub(super) fn push_block(&mut self, block: Buffer, written: usize) {
        self.tail = self.end(&block);
        self.blocks.push_back(block);
        self.release_written(written);
    }

    /// Gives the blocks back whose bytes have all been written.
    fn release_written(&mut self, written: usize) {
        while let Some(block) = self.blocks.front()
            && written.wrapping_sub(self.first) >= block.len()
        {
            self.first = self.first.wrapping_add(block.len());
            self.blocks.pop_front();
        }
    }

    /// Fixes which bytes come next: at a write point a control frame, or else the frame behind it, which can be overtaken no
    /// more.
    pub(super) fn commit(&mut self, written: usize, tail: &[u8]) {
        while let Some(point) = self.write_points.front() {
            if point.at != written || !point.shared.is_empty() || self.control.begin() {
                return;
            }
            self.write_points.pop_front();
        }
        if written == self.end(tail) {
            self.control.begin();
        }
    }

    /// Goes `count` bytes forward in those that come next, and returns the position up to which they are written then.
    pub(super) fn advance(&mut self, mut count: usize, mut written: usize, tail: &[u8]) -> usize {
        while count > 0 {
            let end = self.end(tail);
            let point = self.write_points.front_mut();
            let copied = point
                .as_ref()
                .map_or(end, |point| point.at)
                .wrapping_sub(written);
            let taken;
            if self.control.due() > 0 {
                taken = count.min(self.control.due());
                self.control.advance(taken);
            } else if copied > 0 {
                taken = count.min(copied);
                written = written.wrapping_add(taken);
            } else if let Some(point) = point {
                taken = count.min(point.shared.len());
                point.shared.advance(taken);
                self.shared -= taken;
            } else {
                break;
            }
            count -= taken;
            self.commit(written, tail);
        }
        self.release_written(written);
        written
    }

    /// Returns the place of the first byte that waits.
    #[inline]
    pub(super) fn cursor(&self, written: usize) -> Cursor {
        Cursor {
            at: written,
            begin: self.first,
            ..Cursor::default()
        }
    }

    /// Returns the next bytes that lie together and moves `cursor` behind them.
    pub(super) fn next<'a>(&'a self, cursor: &mut Cursor, tail: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            let control = self.control.bytes();
            let due = if cursor.at_point {
                control.len()
            } else {
                self.control.due()
            };
            if cursor.control < due {
                let bytes = &control[cursor.control..due];
                cursor.control = due;
                return Some(bytes);
            }
            cursor.at_point = false;
            let point = self.write_points.get(cursor.points);
            let stop = point.map_or_else(|| self.end(tail), |point| point.at);
            if cursor.at != stop {
                let block = self.blocks.get(cursor.block).map_or(tail, |block| block);
                return Some(cursor.go_through(block, stop));
            }
            if cursor.points > self.write_points.len() {
                return None;
            }
            cursor.points += 1;
            cursor.at_point = true; // the end is one, too
            if let Some(point) = point
                && !point.shared.is_empty()
            {
                return Some(&point.shared);
            }
        }
    }
}

impl Cursor {
    /// Returns the next bytes of `block` up to position `stop`.
    fn go_through<'a>(&mut self, block: &'a [u8], stop: usize) -> &'a [u8] {
        let bytes = &block[self.at.wrapping_sub(self.begin)..];
        let len = bytes.len().min(stop.wrapping_sub(self.at));
        self.at = self.at.wrapping_add(len);
        if len == bytes.len() {
            self.block += 1;
            self.begin = self.at;
        }
        &bytes[..len]
    }
}

/// The longest lists that a thread keeps for the next queue: 4 KiB.
const KEPT: usize = 64;

/// Drops all that waits, and keeps the box for the next queue of the thread.
#[inline(never)]
pub(super) fn give_back(mut backlog: Box<Backlog>) {
    backlog.blocks.clear();
    backlog.write_points.clear();
    backlog.control.clear();
    (backlog.first, backlog.tail, backlog.shared) = (0, 0, 0);
    if backlog
        .blocks
        .capacity()
        .max(backlog.write_points.capacity())
        <= KEPT
    {
        spare::put(backlog);
    }
}

impl Spare for Backlog {
    #[cfg(feature = "std")]
    fn place() -> &'static spare::Place<Self> {
        std::thread_local! {
            static SPARE: Cell<Option<Box<Backlog>>> = const { Cell::new(None) };
        }
        &SPARE
    }
}
