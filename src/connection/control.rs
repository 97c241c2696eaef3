//! The Pings and Pongs that wait to overtake data.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "no peer has a say here: the queue holds whole frames that were encoded here, and sums are of lengths that lie in memory"
)]

use super::encoded::{append_frame, frame_room};
use crate::buffer::Buffer;
use crate::frame::{FrameHeader, Opcode};

/// The most bytes of Pongs that wait; then only the latest is kept. Enough for two of the longest, with a key, or the handful
/// that a peer sends in one go.
const PONGS_MAX: usize = 2 * (6 + 125);

/// Pings and Pongs, encoded, in the order in which they were queued.
#[derive(Debug, Default)]
pub(super) struct ControlQueue {
    frames: Buffer,
    /// How many bytes of `frames` have been written.
    written: usize,
    /// Where the frame ends that has [begun](Self::begin); `written` if none has.
    begun: usize,
    /// How many bytes of Pongs wait that have not begun.
    pongs: usize,
}

impl ControlQueue {
    /// Returns the bytes that wait.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.frames[self.written..]
    }

    /// Returns how many bytes wait of the frame that has begun: they come next, before any data.
    #[inline]
    pub(super) fn due(&self) -> usize {
        self.begun - self.written
    }

    /// Begins the first frame if there is one and none has begun: it comes next, and is dropped no more. Tells whether one
    /// comes next.
    pub(super) fn begin(&mut self) -> bool {
        if let frame @ [_, ..] = self.bytes()
            && self.due() == 0
        {
            let len = frame_len(frame);
            self.pongs -= if is_pong(frame) { len } else { 0 };
            self.begun += len;
        }
        self.due() > 0
    }

    /// Goes `count` bytes forward in the frame that has begun.
    pub(super) fn advance(&mut self, count: usize) {
        self.written += count;
        if self.written == self.frames.len() {
            self.clear();
        }
    }

    /// Drops all frames and gives their memory back.
    pub(super) fn clear(&mut self) {
        self.frames.release();
        (self.written, self.begun, self.pongs) = (0, 0, 0);
    }

    /// Appends a frame. Where too much waits already, a Pong takes the place of those among it:
    /// RFC 6455 §5.5.3 "MAY elect to send a Pong frame for only the most recently processed Ping frame". `before` bytes of
    /// control frames wait elsewhere.
    pub(super) fn push(&mut self, header: FrameHeader, payload: &[u8], before: usize) {
        if header.opcode == Opcode::Pong {
            let len = header.encoded_len() + payload.len();
            if before + self.due() + self.pongs + len > PONGS_MAX {
                self.drop_pongs();
            }
            self.pongs += len;
        }
        if self.written > self.frames.len() / 2 {
            self.frames.drop_front(self.written);
            (self.written, self.begun) = (0, self.due());
        }
        self.frames.space(frame_room(payload.len()));
        append_frame(&mut self.frames, header, payload);
    }

    /// Drops the Pongs that wait, but not one that has begun.
    #[cold]
    fn drop_pongs(&mut self) {
        let (mut at, mut kept) = (self.begun, self.begun);
        while at < self.frames.len() {
            let frame = &self.frames[at..];
            let next = at + frame_len(frame);
            if !is_pong(frame) {
                self.frames.copy_within(at..next, kept);
                kept += next - at;
            }
            at = next;
        }
        self.frames.truncate(kept);
        self.pongs = 0;
    }
}

/// Returns the length of the control frame that `bytes` begin with.
fn frame_len(bytes: &[u8]) -> usize {
    let key = if bytes[1] & 0x80 == 0 { 0 } else { 4 };
    2 + key + usize::from(bytes[1] & 0x7F)
}

/// Tells whether the control frame that `bytes` begin with is a Pong.
fn is_pong(bytes: &[u8]) -> bool {
    bytes[0] & 0x0F == Opcode::Pong as u8
}
