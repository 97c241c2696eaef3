//! The queue of bytes to write: frames copied to blocks of memory, large payloads as they are, Pings and Pongs that may
//! overtake frames that wait.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "no peer has a say here: positions are those of bytes that were queued, and sums are of lengths that lie in memory"
)]

use alloc::boxed::Box;
use core::mem;
#[cfg(feature = "std")]
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use super::backlog::{self, Backlog};
use super::encoded::{append_frame, frame_room};
use crate::buffer::Buffer;
use crate::frame::FrameHeader;
use crate::mask;
use crate::spare;

/// The outgoing bytes of a connection, to be written in order: a [`Buf`].
///
/// Partial writes are fine: [`advance`](Buf::advance) by as many bytes as the transport has taken, before anything else
/// is done with the connection. [`chunk`](Buf::chunk) goes on showing the same bytes until then, more of them perhaps.
/// [`chunks_vectored`](Buf::chunks_vectored) gives slices for one vectored write.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// The block that frames are appended to; all bytes that wait, where there is no backlog.
    tail: Buffer,
    /// The position up to which copied bytes have been written; see [`Backlog`].
    written: usize,
    /// A frame whose room in the tail ends no later than this can be appended without further questions; 0 if that is not
    /// known. Writing only lets more frames in, so that only queueing has to [settle](Self::settle) it, and the end of congestion.
    ready: usize,
    /// Everything else that waits.
    backlog: Option<Box<Backlog>>,
    /// As many bytes may wait before no more data is taken.
    limit: u32,
    /// How many bytes wait when congestion begins, and how many when it ends.
    high: u32,
    low: u32,
    congested: bool,
    /// The length of the Ping or Pong that the copied bytes begin with, as nothing else waited when it was queued.
    lone_control: u8,
}

/// The length of a payload from which on its frame has a write point before it.
const LARGE: usize = 4 << 10;

/// How far shorter frames may go on behind a write point: control frames wait for no more, unless a single frame is longer.
const STRETCH: usize = 2 * LARGE;

/// The length from which on an owned payload is not copied.
pub(super) const SHARED_MIN: usize = LARGE;

/// The most bytes of control frames that wait; then no more Pings are taken from the application.
const CONTROL_MAX: usize = 4 << 10;

/// The longest block where much waits, of which the pool of the process keeps hundreds; and the longest where little does. The
/// written part of the first block and the unused part of the last one are 64 KiB then, and a tenth of what waits.
const BLOCK_MAX: usize = 64 << 10;
const FEW_BLOCK_MAX: usize = 32 << 10;
const MANY: usize = 640 << 10;

/// The shortest block behind another one.
const NEXT_BLOCK_MIN: usize = 1 << 10;

impl Outgoing {
    /// Returns an empty queue that is full with `limit` bytes, and congested from `high` bytes up to when it has `low`.
    pub(super) fn new(limit: u32, high: u32, low: u32) -> Self {
        // A sender that waits while the queue is congested must not find it full.
        let high = high.min(limit);
        Self {
            high,
            low: low.min(high),
            congested: false,
            tail: Buffer::default(),
            written: 0,
            ready: 0,
            backlog: None,
            limit,
            lone_control: 0,
        }
    }

    /// Tells whether no more data is taken.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() as u64 >= self.limit.into()
    }

    /// Tells whether the application should stop sending.
    pub(super) fn is_congested(&self) -> bool {
        self.congested
    }

    /// Tells whether another Ping may wait.
    pub(super) fn takes_pings(&self) -> bool {
        self.control_len() < CONTROL_MAX
    }

    /// Returns how many bytes of Pings and Pongs wait.
    fn control_len(&self) -> usize {
        let backlog = self.backlog.as_ref();
        self.lone_control() + backlog.map_or(0, |backlog| backlog.control.bytes().len())
    }

    /// Returns how many bytes wait of the control frame that lies among the copied bytes.
    fn lone_control(&self) -> usize {
        usize::from(self.lone_control).saturating_sub(self.written)
    }

    /// Queues a frame. Its payload is copied, and masked on the way.
    #[inline(always)]
    pub(super) fn push(&mut self, header: FrameHeader, payload: &[u8]) {
        let room = frame_room(payload.len());
        if payload.len() >= LARGE || self.tail.capacity() > 0 {
            return self.push_any(header, payload);
        }
        // Nothing waits, or the tail would have memory.
        if !self.tail.take_last(room) {
            self.take_block(room);
        }
        let high = bytes(self.high);
        self.ready = self.tail.capacity().min(high).min(STRETCH);
        self.append_ready(header, payload);
        self.congested = self.tail.len() >= high;
    }

    #[inline(never)]
    fn push_any(&mut self, header: FrameHeader, payload: &[u8]) {
        let room = frame_room(payload.len());
        if payload.len() >= LARGE || self.stretch_left() < room {
            self.push_write_point(Bytes::new());
        }
        if self.tail.capacity() == 0 {
            self.take_block(room);
        }
        if self.tail.has_room(room) {
            self.append_ready(header, payload);
        } else {
            let (head, len) = header.encode();
            self.push_bytes(&head[..len], None, 0);
            self.push_bytes(payload, header.mask, 0);
        }
        self.settle();
    }

    /// Tells whether a frame with `len` bytes of payload can be appended as things are, as far as is known without a closer
    /// look: the queue is not full, there is memory, and no write point belongs before the frame.
    #[inline]
    pub(super) fn is_ready(&self, len: usize) -> bool {
        let ready = len < LARGE && self.tail.len() + frame_room(len) <= self.ready;
        debug_assert!(
            !ready
                || !self.is_full()
                    && self.tail.has_room(frame_room(len))
                    && self.stretch_left() >= frame_room(len),
            "the queue is not as ready as it remembers"
        );
        ready
    }

    /// Appends a frame to a queue that [is ready](Self::is_ready) for it.
    #[inline(always)]
    pub(super) fn append_ready(&mut self, header: FrameHeader, payload: &[u8]) {
        append_frame(&mut self.tail, header, payload);
    }

    /// Notes whether the queue is congested, and how far it is ready for frames: no further than to where congestion begins.
    #[inline]
    fn settle(&mut self) {
        let len = self.len();
        self.congested = len >= bytes(self.high) || (self.congested && len > bytes(self.low));
        let end = if self.congested {
            self.limit
        } else {
            self.high
        };
        let left = bytes(end).saturating_sub(len).min(self.stretch_left());
        self.ready = self
            .tail
            .capacity()
            .min(self.tail.len().saturating_add(left));
    }

    /// Returns how many bytes frames may go on for without a write point.
    #[inline]
    fn stretch_left(&self) -> usize {
        let backlog = self.backlog.as_ref();
        let point = backlog.and_then(|backlog| backlog.last_write_point());
        let since = self.end().wrapping_sub(point.unwrap_or(self.written));
        STRETCH.saturating_sub(since)
    }

    /// Returns the position behind the last copied byte.
    #[inline]
    fn end(&self) -> usize {
        let backlog = self.backlog.as_ref();
        backlog.map_or(self.tail.len(), |backlog| backlog.end(&self.tail))
    }

    /// Queues bytes that are not copied, and lets control frames go out behind them.
    #[inline(never)]
    fn push_write_point(&mut self, shared: Bytes) {
        let backlog = self.backlog.get_or_insert_with(spare::take);
        backlog.push_write_point(shared, &self.tail);
    }

    /// Queues a part of a frame in as many blocks as it takes, masked from `offset` of the payload on if there is a key.
    fn push_bytes(&mut self, mut bytes: &[u8], key: Option<[u8; 4]>, mut offset: usize) {
        while !bytes.is_empty() {
            if !self.tail.has_room(1) {
                self.take_block(bytes.len());
            }
            let len = bytes.len().min(self.tail.room_left());
            let (now, rest) = bytes.split_at(len);
            let room = self.tail.append(len, len);
            match key {
                Some(key) => mask::copy(room, now, key, offset),
                None => room.copy_from_slice(now),
            }
            offset += len;
            bytes = rest;
        }
    }

    /// Queues more of a payload whose beginning has been written or queued.
    #[cfg(feature = "std")]
    pub(super) fn push_payload(&mut self, bytes: &[u8], key: [u8; 4], offset: usize) {
        self.push_bytes(bytes, Some(key), offset);
        self.settle();
    }

    /// Takes another block as the tail, for `len` bytes and more: twice as long as all that waits, so that there are few
    /// blocks, and a thread soon has one that takes all it queues between two writes.
    #[inline(never)]
    fn take_block(&mut self, len: usize) {
        let waiting = self.len();
        let most = if waiting + len < MANY {
            FEW_BLOCK_MAX
        } else {
            BLOCK_MAX
        };
        let least = match self.tail.capacity() {
            0 => len,
            _ => len.max(2 * waiting).max(NEXT_BLOCK_MIN),
        };
        let block = Buffer::with_room(least.min(most).next_power_of_two());
        let full = mem::replace(&mut self.tail, block);
        if !full.is_empty() {
            let backlog = self.backlog.get_or_insert_with(spare::take);
            backlog.push_block(full, self.written);
        }
    }

    /// Queues a frame without a mask. A large payload is kept where it is.
    pub(super) fn push_shared(&mut self, header: FrameHeader, payload: Bytes) {
        if payload.len() < SHARED_MIN {
            return self.push(header, &payload);
        }
        self.push_write_point(Bytes::new());
        let (head, len) = header.encode();
        self.push_bytes(&head[..len], None, 0);
        self.push_write_point(payload);
        self.settle();
    }

    /// Queues a Ping or Pong, which may overtake data that waits.
    #[inline(always)]
    pub(super) fn push_control(&mut self, header: FrameHeader, payload: &[u8]) {
        if self.is_empty() {
            self.push(header, payload);
            self.lone_control = u8::try_from(self.tail.len()).unwrap_or(u8::MAX); // 131 at most
        } else {
            self.overtake(header, payload);
        }
    }

    #[inline(never)]
    fn overtake(&mut self, header: FrameHeader, payload: &[u8]) {
        let before = self.lone_control();
        let backlog = self.backlog.get_or_insert_with(spare::take);
        backlog.control.push(header, payload, before);
        self.settle();
    }

    /// Queues a Close frame. Control frames go out before it, even if they are queued later.
    pub(super) fn push_close(&mut self, header: FrameHeader, payload: &[u8]) {
        self.push_write_point(Bytes::new());
        self.push_any(header, payload);
    }

    /// Queues the rest of a frame, of which the transport has taken `written` bytes, where nothing else waits.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn push_rest(&mut self, head: &[u8], payload: &[u8], written: usize) {
        let len = head.len() + payload.len();
        assert!(written <= len, "more bytes written than there were");
        if written < len {
            self.push_unwritten(head, payload, written);
        }
    }

    #[cfg(feature = "std")]
    #[cold]
    fn push_unwritten(&mut self, head: &[u8], payload: &[u8], written: usize) {
        let (begun, head) = head.split_at(written.min(head.len()));
        let payload = &payload[written - begun.len()..];
        self.take_block(head.len() + payload.len());
        self.push_bytes(head, None, 0);
        self.push_bytes(payload, None, 0);
        self.settle();
    }

    /// Fixes which bytes come next, for a transport that must be offered the same bytes until it takes them.
    #[inline]
    pub(super) fn commit(&mut self) {
        if let Some(backlog) = &mut self.backlog {
            backlog.commit(self.written, &self.tail);
        }
    }

    /// Returns how many bytes wait to be written.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.backlog {
            None => self.tail.len() - self.written,
            Some(backlog) => backlog.len(self.written, &self.tail),
        }
    }

    /// Tells whether nothing waits to be written.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether nothing waits, and data would be taken.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.is_empty() && !self.is_full()
    }

    /// Tells whether nothing waits but Pings and Pongs. Behind a Close frame nothing else does.
    pub(super) fn is_empty_but_for_control(&self) -> bool {
        self.len() == self.control_len()
    }

    /// Goes `count` bytes forward where more waits than one block.
    #[inline(never)]
    fn advance_backlog(&mut self, count: usize) {
        if let Some(backlog) = &mut self.backlog {
            self.written = backlog.advance(count, self.written, &self.tail);
        }
        if self.written >= self.lone_control.into() {
            self.lone_control = 0; // positions may wrap
        }
    }

    fn release(&mut self) {
        if let Some(backlog) = self.backlog.take() {
            backlog::give_back(backlog);
        }
        // The longest block goes back last, so that the thread begins its next queue with it.
        self.tail.release();
        (self.written, self.ready, self.lone_control) = (0, 0, 0);
        self.congested = false;
    }
}

/// Returns a number of bytes that may be more than there is memory for.
fn bytes(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Drop for Outgoing {
    #[inline]
    fn drop(&mut self) {
        self.release();
    }
}

impl Buf for Outgoing {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        let Some(backlog) = &self.backlog else {
            return &self.tail[self.written..];
        };
        let mut cursor = backlog.cursor(self.written);
        backlog.next(&mut cursor, &self.tail).unwrap_or_default()
    }

    #[cfg(feature = "std")]
    #[inline]
    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        if let Some(backlog) = &self.backlog {
            let mut cursor = backlog.cursor(self.written);
            let next = core::iter::from_fn(|| backlog.next(&mut cursor, &self.tail));
            for (slice, bytes) in slices.iter_mut().zip(next) {
                *slice = IoSlice::new(bytes);
                count += 1;
            }
        } else if let Some(slice) = slices.first_mut()
            && !self.is_empty()
        {
            *slice = IoSlice::new(self.chunk());
            count = 1;
        }
        count
    }

    /// Goes `count` bytes forward.
    ///
    /// # Panics
    ///
    /// If that is more than wait to be written.
    #[inline]
    fn advance(&mut self, count: usize) {
        let len = self.len();
        assert!(count <= len, "more bytes written than were waiting");
        if count == len {
            return self.release();
        }
        if self.congested && len - count <= bytes(self.low) {
            self.congested = false;
            self.ready = 0; // it went further than to where congestion begins
        }
        if self.backlog.is_none() {
            self.written += count;
        } else {
            self.advance_backlog(count);
        }
    }
}
