//! What waits beside the frames that lie together: Pings and Pongs, the gaps where they may go out, and payloads that were
//! not copied.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
#[cfg(feature = "std")]
use core::cell::Cell;
use core::fmt;
use core::mem;

use bytes::Bytes;

use crate::buffer::Buffer;
use crate::frame::Opcode;
use crate::spare::{self, Spare};

/// A gap between two frames.
pub(super) struct Gap {
    /// Where the frame behind it begins.
    pub(super) begin: usize,
    /// Where `payload` belongs; `begin` if there is none.
    pub(super) end: usize,
    /// The payload of the frame behind it, unless that was copied.
    pub(super) payload: Bytes,
}

impl fmt::Debug for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gap")
            .field("begin", &self.begin)
            .field("payload", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// How far what waits beside the frames has been written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) replies: u32,
    /// Where the reply at this place ends, if it must not be interrupted any more.
    pub(super) reply_end: u32,
    /// How many gaps are behind.
    pub(super) gap: u32,
    /// Whether the next one is too: its frame must not be overtaken any more.
    pub(super) begun: bool,
    /// How much of its frame's payload is behind.
    pub(super) payload: usize,
}

/// What waits beside the frames.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// In order.
    pub(super) gaps: VecDeque<Gap>,
    /// How many bytes of their payloads wait.
    pub(super) payload: usize,
    /// Pings and Pongs.
    pub(super) replies: Buffer,
    /// How many bytes of Pongs wait, at the most: those that are written are found out when it matters.
    pongs: usize,
    pub(super) place: Place,
}

/// The most bytes of Pongs that wait; then only the latest is kept. Enough for two of the longest, with a key, or the handful
/// that a peer sends in one go.
pub(super) const REPLIES_MAX: usize = 2 * (6 + 125);

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "no peer has a say here: places point at bytes that were put there, and sums are of lengths that lie in memory"
)]
impl Waiting {
    /// Returns how many bytes wait to be written.
    pub(super) fn len(&self) -> usize {
        self.replies_len() + self.payload
    }

    /// Returns how many bytes of Pings and Pongs wait.
    pub(super) fn replies_len(&self) -> usize {
        self.replies.len() - self.place.replies as usize
    }

    /// Forgets the Pings and Pongs that were written once they are most of the memory.
    pub(super) fn forget_written(&mut self) {
        let written = self.place.replies as usize;
        if written > self.replies.len() / 2 {
            self.replies.drop_front(written);
            self.place.replies = 0;
            self.place.reply_end = self.place.reply_end.saturating_sub(lane(written));
        }
    }

    /// Drops the Pongs that wait if they are more than `most` bytes with the next one, which has `len`.
    pub(super) fn make_room_for_pong(&mut self, len: usize, most: usize) {
        if self.pongs + len > most {
            self.count_pongs();
            if self.pongs + len > most {
                self.drop_pongs();
            }
        }
        self.pongs += len;
    }

    /// Returns where the replies begin that may still be dropped.
    fn begun(&self) -> usize {
        self.place.reply_end.max(self.place.replies) as usize
    }

    /// Counts the Pongs that wait, and what is left of a reply that has begun.
    #[cold]
    fn count_pongs(&mut self) {
        let mut at = self.begun();
        self.pongs = at - self.place.replies as usize;
        while at < self.replies.len() {
            let frame = &self.replies[at..];
            let len = reply_len(frame);
            if is_pong(frame) {
                self.pongs += len;
            }
            at += len;
        }
    }

    /// Drops the Pongs that wait, but for one that has begun.
    #[cold]
    fn drop_pongs(&mut self) {
        let mut end = self.begun();
        self.pongs = end - self.place.replies as usize;
        let mut at = end;
        while at < self.replies.len() {
            let frame = &self.replies[at..];
            let next = at + reply_len(frame);
            if !is_pong(frame) {
                self.replies.copy_within(at..next, end);
                end += next - at;
            }
            at = next;
        }
        self.replies.truncate(end);
    }

    /// Returns the reply at `place`, or what is left of it.
    pub(super) fn reply_at(&self, place: Place) -> &[u8] {
        let bytes = &self.replies[place.replies as usize..];
        let len = match place.reply_end.checked_sub(place.replies) {
            None | Some(0) => reply_len(bytes),
            Some(left) => left as usize,
        };
        &bytes[..len]
    }

    /// Drops the gaps that are behind, and gives memory back in which nothing waits; tells whether nothing does at all.
    pub(super) fn tidy(&mut self) -> bool {
        self.gaps.drain(..mem::take(&mut self.place.gap) as usize);
        if self.replies_len() == 0 {
            self.replies.release();
            self.place.replies = 0;
        }
        self.gaps.is_empty() && self.replies.is_empty()
    }
}

/// Returns a place in the lane of replies as it is kept.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lane takes no more than `LANE_MAX`"
)]
pub(super) fn lane(place: usize) -> u32 {
    place as u32
}

/// Returns the length of the control frame that `bytes` begin with.
#[expect(clippy::arithmetic_side_effects, reason = "at most 131")]
fn reply_len(bytes: &[u8]) -> usize {
    let second = bytes.get(1).copied().unwrap_or_default();
    let key = if second & 0x80 == 0 { 0 } else { 4 };
    (2 + key + usize::from(second & 0x7F)).min(bytes.len())
}

/// Tells whether the control frame that `bytes` begin with is a Pong.
fn is_pong(bytes: &[u8]) -> bool {
    bytes.first().copied().unwrap_or_default() & 0x0F == Opcode::Pong as u8
}

/// What waits beside the frames, if anything does: a spare one of the thread's, so that it costs neither memory in an idle
/// connection nor an allocation in steady state.
#[derive(Debug, Default)]
pub(super) struct Aside(Option<Box<Waiting>>);

impl Aside {
    #[inline]
    pub(super) fn get(&self) -> Option<&Waiting> {
        self.0.as_deref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self) -> Option<&mut Waiting> {
        self.0.as_deref_mut()
    }

    pub(super) fn get_or_take(&mut self) -> &mut Waiting {
        self.0.get_or_insert_with(spare::take)
    }

    /// Drops all that waits.
    #[inline]
    pub(super) fn release(&mut self) {
        if let Some(waiting) = self.0.take() {
            give_back(waiting);
        }
    }
}

impl Drop for Aside {
    #[inline]
    fn drop(&mut self) {
        self.release();
    }
}

/// The longest list of gaps that a thread keeps for the next queue: 3 KiB.
const GAPS_KEPT: usize = 64;

#[inline(never)]
fn give_back(mut waiting: Box<Waiting>) {
    waiting.gaps.clear();
    waiting.payload = 0;
    waiting.replies.release();
    waiting.place = Place::default();
    if waiting.gaps.capacity() <= GAPS_KEPT {
        spare::put(waiting);
    }
}

impl Spare for Waiting {
    #[cfg(feature = "std")]
    fn place() -> &'static spare::Place<Self> {
        std::thread_local! {
            static SPARE: Cell<Option<Box<Waiting>>> = const { Cell::new(None) };
        }
        &SPARE
    }
}
