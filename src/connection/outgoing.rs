//! The queue of bytes to write: small frames joined in one buffer, large payloads as they are, Pings and Pongs in a lane
//! of their own that may overtake frames that wait.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "no peer has a say here: places in the queue point at bytes that this file has put there, and sums are of lengths that lie in memory"
)]

#[cfg(feature = "std")]
use core::iter;
#[cfg(feature = "std")]
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use super::aside::{Aside, Gap, Place, REPLIES_MAX, Waiting, lane};
use super::encoded::{append_frame, append_parts, frame_room};
use crate::buffer::Buffer;
use crate::frame::{FrameHeader, Opcode};
#[cfg(feature = "std")]
use crate::mask;

/// The outgoing bytes of a connection, to be written in order: a [`Buf`].
///
/// Partial writes are fine: [`advance`](Buf::advance) by as many bytes as the transport has taken, before anything else
/// is done with the connection. [`chunk`](Buf::chunk) goes on showing the same bytes until then, more of them perhaps.
/// [`chunks_vectored`](Buf::chunks_vectored) gives slices for one vectored write.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// All frames in order, but for what waits aside.
    frames: Buffer,
    /// How many of their bytes have been written.
    written: usize,
    /// Where the last gap is in `frames` (where its payload belongs, if it has one), or how far they have been written.
    last_gap: usize,
    /// A frame whose room ends no later than this can be appended without further questions; 0 if that is not known.
    ready: usize,
    /// Where a Ping or Pong ends that lies in `frames`, as nothing else waited when it was queued.
    reply_end: u32,
    /// As many bytes may wait before no more data is taken.
    limit: u32,
    aside: Aside,
}

/// A place in the queue.
#[derive(Clone, Copy)]
struct Cursor {
    frames: usize,
    aside: Place,
}

/// Bytes that lie together, and the part that they lie in.
type Segment<'a> = (Part, &'a [u8]);

/// Which part of the queue some bytes lie in.
#[derive(Clone, Copy)]
enum Part {
    Frames,
    Replies,
    Payload,
}

/// The length of a payload from which on its frame has a gap before it.
const LARGE: usize = 4 << 10;

/// How far shorter frames may go on behind a gap: replies wait for no more, unless a single frame is longer.
const STRETCH: usize = 2 * LARGE;

/// The length from which on an owned payload is not copied.
pub(super) const SHARED_MIN: usize = LARGE;

/// The most bytes of replies that wait; then no more Pings are taken from the application.
const LANE_MAX: usize = 4 << 10;

/// The most memory of the lane: for what waits, another reply, and what was written before.
const LANE_ROOM: usize = 4 * LANE_MAX;

impl Outgoing {
    /// Returns an empty queue that is full with `limit` bytes.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Tells whether no more data is taken.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() as u64 >= self.limit.into()
    }

    /// Tells whether another Ping may wait.
    pub(super) fn takes_pings(&self) -> bool {
        let lane = self.aside.get().map_or(0, Waiting::replies_len);
        self.reply_alone() + lane < LANE_MAX
    }

    /// Returns how many bytes wait of a reply that lies in `frames`.
    fn reply_alone(&self) -> usize {
        (self.reply_end as usize).saturating_sub(self.written)
    }

    /// Queues a frame. Its payload is copied, and masked on the way.
    #[inline]
    pub(super) fn push(&mut self, header: FrameHeader, payload: &[u8]) {
        self.get_ready(payload.len());
        self.append_ready(header, payload);
    }

    /// Tells whether a frame with `len` bytes of payload can be appended as things are, as far as is known without a closer
    /// look: the queue is not full, there is memory, and no gap belongs before the frame.
    #[inline]
    pub(super) fn is_ready(&self, len: usize) -> bool {
        let ready = len < LARGE && self.frames.len() + frame_room(len) <= self.ready;
        debug_assert!(
            !ready
                || !self.is_full() && self.frames.has_room(frame_room(len)) && !self.wants_gap(len),
            "the queue is not as ready as it remembers"
        );
        ready
    }

    /// Takes memory for a frame with `len` bytes of payload, and leaves a gap before it where one belongs.
    #[inline]
    pub(super) fn get_ready(&mut self, len: usize) {
        // In an empty queue a short frame wants no more than memory.
        if len >= LARGE || !self.frames.take_last(frame_room(len)) {
            self.get_ready_for_any(len);
        }
        let left = self.limit().saturating_sub(self.len());
        let full = self.frames.len().saturating_add(left);
        let gap = self.last_gap + STRETCH;
        self.ready = self.frames.capacity().min(full).min(gap);
    }

    #[inline(never)]
    fn get_ready_for_any(&mut self, len: usize) {
        self.make_room();
        if self.wants_gap(len) || self.is_behind_payload() {
            self.push_gap(self.frames.len(), Bytes::new());
        }
        self.reserve(len);
    }

    /// Tells whether a payload that was not copied is what waits last: no reply can go out where it lies.
    fn is_behind_payload(&self) -> bool {
        let last = self.aside.get().and_then(|aside| aside.gaps.back());
        last.is_some_and(|gap| !gap.payload.is_empty() && gap.end == self.frames.len())
    }

    #[inline]
    fn wants_gap(&self, len: usize) -> bool {
        len >= LARGE || self.frames.len() + frame_room(len) > self.last_gap + STRETCH
    }

    /// Appends a frame to a queue that [is ready](Self::is_ready) for it.
    #[inline(always)]
    pub(super) fn append_ready(&mut self, header: FrameHeader, payload: &[u8]) {
        append_frame(&mut self.frames, header, payload);
    }

    #[inline(always)]
    fn append(&mut self, header: FrameHeader, payload: &[u8]) {
        self.reserve(payload.len());
        self.append_ready(header, payload);
    }

    /// Takes memory for a frame with `len` bytes of payload.
    #[inline]
    fn reserve(&mut self, len: usize) {
        let limit = self.limit();
        self.frames.reserve_around(frame_room(len), limit);
    }

    #[inline]
    fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// Queues a frame without a mask. A large payload is kept where it is.
    pub(super) fn push_shared(&mut self, header: FrameHeader, payload: Bytes) {
        if payload.len() < SHARED_MIN {
            return self.push(header, &payload);
        }
        self.make_room();
        let begin = self.frames.len();
        let (head, len) = header.encode();
        self.reserve(len);
        self.frames.push(&head[..len]);
        self.push_gap(begin, payload);
    }

    /// Queues a Ping or Pong. Where too much waits already, a Pong takes the place of those among it:
    /// RFC 6455 §5.5.3 "MAY elect to send a Pong frame for only the most recently processed Ping frame".
    #[inline(always)]
    pub(super) fn push_reply(&mut self, header: FrameHeader, payload: &[u8]) {
        if self.is_empty() {
            self.append(header, payload);
            self.reply_end = lane(self.frames.len());
        } else {
            self.push_aside(header.first(), header.mask, payload);
        }
    }

    #[inline(never)]
    fn push_aside(&mut self, first: u8, mask: Option<[u8; 4]>, payload: &[u8]) {
        let (_, head_len) = FrameHeader::word(first, mask, payload.len() as u64);
        let len = head_len + payload.len();
        // It is not dropped, but leaves room for another one of any length.
        let before = self.reply_alone();
        self.ready = 0;
        let aside = self.aside.get_or_take();
        aside.forget_written();
        if first & 0x0F == Opcode::Pong as u8 {
            aside.make_room_for_pong(len, REPLIES_MAX - before);
        }
        let room = frame_room(payload.len());
        aside.replies.space_within(room, LANE_ROOM);
        append_parts(&mut aside.replies, first, mask, payload);
    }

    /// Queues a Close frame. Replies go out before it, even if they are queued later.
    pub(super) fn push_close(&mut self, header: FrameHeader, payload: &[u8]) {
        self.push_gap(self.frames.len(), Bytes::new());
        self.append(header, payload);
    }

    /// Queues what is left of a frame, of which the transport has taken `written` bytes, where nothing else waits.
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
        self.reserve(head.len() + payload.len());
        self.frames.push(head);
        self.frames.push(payload);
    }

    /// Queues the rest of a payload that is being written, from `offset` on, and masks it.
    #[cfg(feature = "std")]
    pub(super) fn push_masked(&mut self, payload: &[u8], key: [u8; 4], offset: usize) {
        self.reserve(payload.len());
        mask::copy(self.frames.room(payload.len()), payload, key, offset);
        self.frames.advance(payload.len());
    }

    /// Fixes which bytes come next, for a transport that must be offered the same bytes until it takes them.
    #[inline]
    pub(super) fn commit(&mut self) {
        if self.aside.get().is_some() {
            self.commit_aside();
        }
    }

    /// Returns how many bytes wait to be written.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        let frames = self.frames.len() - self.written;
        frames + self.aside.get().map_or(0, Waiting::len)
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
    pub(super) fn is_empty_but_for_replies(&self) -> bool {
        let frames = self.frames.len() - self.written - self.reply_alone();
        let payload = self.aside.get().map_or(0, |aside| aside.payload);
        frames + payload == 0
    }

    /// Moves what waits over what has been written once that is most of the buffer, which costs
    /// linear time in all and bounds the memory.
    #[inline]
    fn make_room(&mut self) {
        if self.written > LARGE && self.written > self.frames.len() / 2 {
            self.compact();
        }
    }

    #[cold]
    fn compact(&mut self) {
        let mut gaps = self.aside.get_mut().map(|aside| &mut aside.gaps);
        // The places of the gaps must stay known.
        let first = gaps.as_ref().and_then(|gaps| gaps.front());
        let gone = first.map_or(self.written, |gap| gap.begin.min(self.written));
        for gap in gaps.iter_mut().flat_map(|gaps| gaps.iter_mut()) {
            gap.begin -= gone;
            gap.end -= gone;
        }
        self.frames.drop_front(gone);
        self.written -= gone;
        self.last_gap -= gone;
        self.ready = 0;
        self.reply_end = lane((self.reply_end as usize).saturating_sub(gone));
    }

    #[inline(never)]
    fn push_gap(&mut self, begin: usize, payload: Bytes) {
        let end = if payload.is_empty() {
            begin
        } else {
            self.frames.len()
        };
        self.last_gap = end;
        self.ready = 0;
        let aside = self.aside.get_or_take();
        aside.payload += payload.len();
        aside.gaps.push_back(Gap {
            begin,
            end,
            payload,
        });
    }

    #[inline(never)]
    fn commit_aside(&mut self) {
        let mut cursor = self.cursor();
        if let Some((part, bytes)) = self.segment(&mut cursor) {
            cursor.forward(part, 0, bytes.len());
            self.go_to(cursor);
        }
    }

    /// Returns the place up to which all is written.
    fn cursor(&self) -> Cursor {
        Cursor {
            frames: self.written,
            aside: self
                .aside
                .get()
                .map_or_else(Place::default, |aside| aside.place),
        }
    }

    fn go_to(&mut self, cursor: Cursor) {
        self.written = cursor.frames;
        if let Some(aside) = self.aside.get_mut() {
            aside.place = cursor.aside;
        }
    }

    /// Moves `cursor` to the next bytes and returns them as far as they lie together; for a queue with something aside.
    fn segment(&self, cursor: &mut Cursor) -> Option<Segment<'_>> {
        let aside = self.aside.get()?;
        let place = &mut cursor.aside;
        if place.replies < place.reply_end {
            return Some((Part::Replies, aside.reply_at(*place)));
        }
        loop {
            let gap = aside.gaps.get(place.gap as usize);
            let end = match gap {
                Some(gap) if place.begun => gap.end,
                Some(gap) => gap.begin,
                None => self.frames.len(),
            };
            if cursor.frames < end {
                return Some((Part::Frames, &self.frames[cursor.frames..end]));
            }
            match gap {
                Some(gap) if place.begun => {
                    let bytes = &gap.payload[place.payload..];
                    if !bytes.is_empty() {
                        return Some((Part::Payload, bytes));
                    }
                    place.gap += 1;
                    (place.begun, place.payload) = (false, 0);
                }
                _ if aside.replies.len() > place.replies as usize => {
                    return Some((Part::Replies, aside.reply_at(*place)));
                }
                Some(_) => place.begun = true,
                None => return None,
            }
        }
    }

    /// Goes `count` bytes forward where something waits beside the frames.
    #[inline(never)]
    fn advance_aside(&mut self, mut count: usize) {
        let mut cursor = self.cursor();
        let mut payload = 0;
        while count > 0 {
            let Some((part, bytes)) = self.segment(&mut cursor) else {
                break;
            };
            let taken = count.min(bytes.len());
            cursor.forward(part, taken, bytes.len() - taken);
            if let Part::Payload = part {
                payload += taken;
            }
            count -= taken;
        }
        self.go_to(cursor);
        if let Some(aside) = self.aside.get_mut() {
            aside.payload -= payload;
            if aside.tidy() {
                self.aside.release();
            }
        }
    }
}

impl Cursor {
    /// Goes forward in bytes of `part`, of which some are `left`.
    fn forward(&mut self, part: Part, taken: usize, left: usize) {
        match part {
            Part::Frames => self.frames += taken,
            Part::Payload => self.aside.payload += taken,
            Part::Replies => {
                self.aside.replies += lane(taken);
                self.aside.reply_end = match lane(left) {
                    0 => 0,
                    left => self.aside.replies + left,
                };
            }
        }
    }
}

impl Buf for Outgoing {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        if self.aside.get().is_none() {
            return &self.frames[self.written..];
        }
        self.segment(&mut self.cursor())
            .map_or(&[], |(_, bytes)| bytes)
    }

    #[cfg(feature = "std")]
    #[inline]
    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        if self.aside.get().is_some() {
            return self.segments(slices);
        }
        match slices.first_mut() {
            Some(slice) if !self.is_empty() => *slice = IoSlice::new(self.chunk()),
            _ => return 0,
        }
        1
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
            self.frames.release();
            self.aside.release();
            (self.written, self.last_gap, self.ready, self.reply_end) = (0, 0, 0, 0);
            return;
        }
        if self.aside.get().is_some() {
            self.advance_aside(count);
        } else {
            self.written += count;
        }
        self.last_gap = self.last_gap.max(self.written);
        // The transport may be offered what comes next, and refuse it, before anyone calls `outgoing` again.
        self.commit();
    }
}

#[cfg(feature = "std")]
impl Outgoing {
    #[inline(never)]
    fn segments<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut cursor = self.cursor();
        let first = self.segment(&mut cursor);
        // Behind what is fixed, gaps that nothing waits for cut nothing.
        let is_cut = self.aside.get().is_some_and(|aside| aside.len() > 0);
        let segments = iter::successors(first, |(part, bytes)| {
            cursor.forward(*part, bytes.len(), 0);
            if is_cut {
                self.segment(&mut cursor)
            } else {
                self.rest(cursor.frames)
            }
        });
        let mut count = 0;
        for (slice, (_, bytes)) in slices.iter_mut().zip(segments) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// Returns the frames from `begin` on, where nothing waits beside them.
    fn rest(&self, begin: usize) -> Option<Segment<'_>> {
        let bytes = &self.frames[begin..];
        (!bytes.is_empty()).then_some((Part::Frames, bytes))
    }
}
