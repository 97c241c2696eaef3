//! The queue of bytes to write: small frames joined in one buffer, large payloads as they are, Pings and Pongs in a lane
//! of their own that may overtake frames that wait.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "no peer has a say here: places in the queue point at bytes that this file has put there, and sums are of lengths that lie in memory"
)]

#[cfg(feature = "std")]
use core::iter;
use core::mem;
#[cfg(feature = "std")]
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use super::gaps::{Gap, Gaps};
use crate::buffer::Buffer;
use crate::frame::{FrameHeader, Opcode};
use crate::mask;

/// The outgoing bytes of a connection, to be written in order: a [`Buf`].
///
/// Partial writes are fine: [`advance`](Buf::advance) by as many bytes as the transport has taken, before anything else
/// is done with the connection. [`chunk`](Buf::chunk) goes on showing the same bytes until then, more of them perhaps.
/// [`chunks_vectored`](Buf::chunks_vectored) gives slices for one vectored write.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// All frames in order, but for the payloads in `gaps`.
    frames: Buffer,
    /// Where Pings and Pongs may go out in between.
    gaps: Gaps,
    /// Pings and Pongs.
    replies: Buffer,
    cursor: Cursor,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    frames: usize,
    replies: u32,
    /// Where the reply at this place ends, if it must not be interrupted any more.
    reply_end: u32,
    /// How many gaps are behind.
    gap: u32,
    /// Whether the next one is too: its frame must not be overtaken any more.
    begun: bool,
    /// How much of its frame's payload is behind.
    payload: usize,
}

/// Bytes that lie together, the part that they lie in, and the place behind them.
type Segment<'a> = (Part, &'a [u8], Cursor);

/// Which part of the queue some bytes lie in.
#[derive(Clone, Copy)]
enum Part {
    Frames,
    Replies,
    Payload,
}

/// How many bytes replies may have to wait for, if no single frame is longer; and the payload from which on an owned one is
/// not copied.
const LARGE: usize = 4 << 10;

/// The most bytes of Pongs that wait; then only the latest is kept. Enough for the handful that a peer sends in one go.
const REPLIES_MAX: usize = 256;

/// The most bytes of replies that wait; then no more Pings are taken from the application.
const LANE_MAX: usize = 64 << 10;

impl Outgoing {
    /// Tells whether another Ping may wait.
    pub(super) fn takes_pings(&self) -> bool {
        self.replies.len() < LANE_MAX
    }

    /// Queues a frame. Its payload is copied, and masked on the way.
    #[inline]
    pub(super) fn push(&mut self, header: FrameHeader, payload: &[u8]) {
        self.make_room();
        let begin = self.frames.len();
        if payload.len() >= LARGE || begin - self.last_gap() >= LARGE {
            self.push_gap(begin, Bytes::new());
        }
        write_frame(&mut self.frames, header, payload);
    }

    /// Queues a frame without a mask. A large payload is kept where it is.
    pub(super) fn push_shared(&mut self, header: FrameHeader, payload: Bytes) {
        if payload.len() < LARGE {
            return self.push(header, &payload);
        }
        self.make_room();
        let begin = self.frames.len();
        write_frame(&mut self.frames, header, &[]);
        self.push_gap(begin, payload);
    }

    /// Queues a Ping or Pong. Where too much waits already, a Pong takes the place of those among it:
    /// RFC 6455 §5.5.3 "MAY elect to send a Pong frame for only the most recently processed Ping frame".
    pub(super) fn push_reply(&mut self, header: FrameHeader, payload: &[u8]) {
        let written = self.cursor.replies as usize;
        if written > REPLIES_MAX && written > self.replies.len() / 2 {
            self.replies.drop_front(written);
            self.cursor.replies = 0;
            self.cursor.reply_end = self.cursor.reply_end.saturating_sub(lane(written));
        }
        let waiting = self.replies.len() - self.cursor.replies as usize;
        let too_much = waiting + header.encoded_len() + payload.len() > REPLIES_MAX;
        if too_much && header.opcode == Opcode::Pong {
            self.drop_pongs();
        }
        write_frame(&mut self.replies, header, payload);
    }

    /// Queues a Close frame. Replies go out before it, even if they are queued later.
    pub(super) fn push_close(&mut self, header: FrameHeader, payload: &[u8]) {
        self.push_gap(self.frames.len(), Bytes::new());
        write_frame(&mut self.frames, header, payload);
    }

    /// Fixes which bytes come next, for a transport that must be offered the same bytes until it takes them.
    #[inline]
    pub(super) fn commit(&mut self) {
        if self.gaps.is_empty() && self.replies.is_empty() {
            return;
        }
        if let Some((part, bytes, behind)) = self.segment(self.cursor) {
            let len = bytes.len();
            self.cursor = behind.back(part, len);
            if let Part::Replies = part {
                self.cursor.reply_end = behind.replies;
            }
        }
    }

    /// Returns how many bytes wait to be written.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        let frames = self.frames.len() - self.cursor.frames;
        let replies = self.replies.len() - self.cursor.replies as usize;
        frames + replies + self.gaps.payload()
    }

    /// Tells whether nothing waits to be written.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether nothing waits but Pings and Pongs. Behind a Close frame nothing else does.
    pub(super) fn is_empty_but_for_replies(&self) -> bool {
        self.frames.len() == self.cursor.frames && self.gaps.payload() == 0
    }

    /// Moves what waits over what has been written once that is most of the buffer, which costs
    /// linear time in all and bounds the memory.
    #[inline]
    fn make_room(&mut self) {
        if self.cursor.frames > LARGE && self.cursor.frames > self.frames.len() / 2 {
            self.compact();
        }
    }

    /// Returns where the last gap is, or how far the queue has been written.
    #[inline]
    fn last_gap(&self) -> usize {
        self.gaps
            .last()
            .map_or(0, |gap| gap.end)
            .max(self.cursor.frames)
    }

    fn push_gap(&mut self, begin: usize, payload: Bytes) {
        let end = if payload.is_empty() {
            begin
        } else {
            self.frames.len()
        };
        self.gaps.push(Gap {
            begin,
            end,
            payload,
        });
    }

    #[cold]
    fn compact(&mut self) {
        // The places of the gaps must stay known.
        let first = self.gaps.get(0).map_or(usize::MAX, |gap| gap.begin);
        let gone = first.min(self.cursor.frames);
        self.frames.drop_front(gone);
        self.cursor.frames -= gone;
        for gap in self.gaps.iter_mut() {
            gap.begin -= gone;
            gap.end -= gone;
        }
    }

    /// Drops the Pongs that wait, but for one that has begun.
    #[cold]
    fn drop_pongs(&mut self) {
        let replies = mem::take(&mut self.replies);
        let (begun, mut rest) =
            replies.split_at(self.cursor.reply_end.max(self.cursor.replies) as usize);
        self.replies.push(begun);
        while let Some((frame, behind)) = rest
            .split_at_checked(reply_len(rest))
            .filter(|_| !rest.is_empty())
        {
            let first = frame.first().copied().unwrap_or_default();
            if first & 0x0F != Opcode::Pong as u8 {
                self.replies.push(frame);
            }
            rest = behind;
        }
    }

    /// Returns the bytes at `cursor` as far as they lie together, their part, and the place behind them.
    fn segment(&self, cursor: Cursor) -> Option<Segment<'_>> {
        if cursor.replies < cursor.reply_end {
            return self.reply_at(cursor);
        }
        let Some(gap) = self.gaps.get(cursor.gap as usize) else {
            let rest = self.frames_up_to(self.frames.len(), cursor);
            return rest.or_else(|| self.reply_at(cursor));
        };
        if !cursor.begun {
            let before = self.frames_up_to(gap.begin, cursor);
            return before.or_else(|| self.reply_at(cursor)).or_else(|| {
                self.segment(Cursor {
                    begun: true,
                    ..cursor
                })
            });
        }
        let head = self.frames_up_to(gap.end.max(cursor.frames), cursor);
        head.or_else(|| {
            let bytes = &gap.payload[cursor.payload..];
            if bytes.is_empty() {
                return self.segment(Cursor {
                    gap: cursor.gap + 1,
                    begun: false,
                    payload: 0,
                    ..cursor
                });
            }
            let behind = Cursor {
                payload: gap.payload.len(),
                ..cursor
            };
            Some((Part::Payload, bytes, behind))
        })
    }

    /// Returns what lies in `frames` between `cursor` and `end`, if anything.
    fn frames_up_to(&self, end: usize, cursor: Cursor) -> Option<Segment<'_>> {
        let bytes = &self.frames[cursor.frames..end];
        let behind = Cursor {
            frames: end,
            ..cursor
        };
        (!bytes.is_empty()).then_some((Part::Frames, bytes, behind))
    }

    /// Returns the reply at `cursor`, or what is left of it, if there is one.
    fn reply_at(&self, cursor: Cursor) -> Option<Segment<'_>> {
        let bytes = &self.replies[cursor.replies as usize..];
        let len = match cursor.reply_end.checked_sub(cursor.replies) {
            None | Some(0) => reply_len(bytes),
            Some(left) => left as usize,
        };
        let behind = Cursor {
            replies: cursor.replies + lane(len),
            reply_end: 0,
            ..cursor
        };
        (!bytes.is_empty()).then(|| (Part::Replies, &bytes[..len], behind))
    }

    /// Gives memory back that nothing waits in.
    #[inline]
    fn tidy(&mut self) {
        if self.is_empty() {
            self.frames.release();
            self.replies.release();
            self.gaps.release();
            self.cursor = Cursor::default();
            return;
        }
        self.gaps
            .drop_front(mem::take(&mut self.cursor.gap) as usize);
        if self.cursor.replies as usize == self.replies.len() {
            self.replies.release();
            self.cursor.replies = 0;
        }
    }
}

impl Cursor {
    /// Returns the place `len` bytes before this one, in the same part.
    fn back(self, part: Part, len: usize) -> Self {
        match part {
            Part::Frames => Self {
                frames: self.frames - len,
                ..self
            },
            Part::Replies => Self {
                replies: self.replies - lane(len),
                ..self
            },
            Part::Payload => Self {
                payload: self.payload - len,
                ..self
            },
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
        if self.gaps.is_empty() && self.replies.is_empty() {
            return &self.frames[self.cursor.frames..];
        }
        self.segment(self.cursor).map_or(&[], |(_, bytes, _)| bytes)
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let first = self.segment(self.cursor);
        let segments = iter::successors(first, |(_, _, behind)| self.segment(*behind));
        let mut count = 0;
        for (slice, (_, bytes, _)) in slices.iter_mut().zip(segments) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// Goes `count` bytes forward.
    ///
    /// # Panics
    ///
    /// If that is more than wait to be written.
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len(), "more bytes written than were waiting");
        while count > 0 {
            let Some((part, bytes, behind)) = self.segment(self.cursor) else {
                break;
            };
            let taken = count.min(bytes.len());
            let left = bytes.len() - taken;
            self.cursor = behind.back(part, left);
            match part {
                Part::Replies if left > 0 => self.cursor.reply_end = behind.replies,
                Part::Payload => self.gaps.advance(taken),
                _ => {}
            }
            count -= taken;
        }
        self.tidy();
        // The transport may be offered what comes next, and refuse it, before anyone calls `outgoing` again.
        self.commit();
    }
}

/// Appends a frame.
#[inline]
fn write_frame(buffer: &mut Buffer, header: FrameHeader, payload: &[u8]) {
    let (head, head_len) = header.encode();
    // Room for the longest header, whose unused end the payload overwrites: a copy of known length is two moves.
    let room = buffer.space(FrameHeader::MAX_LEN + payload.len());
    room[..FrameHeader::MAX_LEN].copy_from_slice(&head);
    let body = &mut room[head_len..head_len + payload.len()];
    match header.mask {
        Some(key) => mask::copy(body, payload, key, 0),
        None => body.copy_from_slice(payload),
    }
    buffer.advance(head_len + payload.len());
}

/// Returns a place in the lane of replies as it is kept.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lane takes no more than `LANE_MAX`"
)]
fn lane(place: usize) -> u32 {
    place as u32
}

/// Returns the length of the control frame that `bytes` begin with.
fn reply_len(bytes: &[u8]) -> usize {
    let second = bytes.get(1).copied().unwrap_or_default();
    let key = if second & 0x80 == 0 { 0 } else { 4 };
    (2 + key + usize::from(second & 0x7F)).min(bytes.len())
}
