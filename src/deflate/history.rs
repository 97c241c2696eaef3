//! The last bytes of a direction: what the next ones may refer to (RFC 7692 §7.2.1, §7.2.2).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places are remainders of the ring's length, and its length is never zero"
)]

use alloc::boxed::Box;
use alloc::vec;

/// The last bytes of a direction, as many as a window has.
pub(super) struct History {
    ring: Box<[u8]>,
    /// The place in the ring of the next byte.
    at: usize,
    /// Whether the ring is full, so that the next byte takes the place of the oldest.
    full: bool,
}

impl History {
    /// Returns room for a window of `bits`, a base-2 logarithm of bytes.
    pub(super) fn new(bits: u8) -> Self {
        Self {
            ring: vec![0; 1 << bits].into_boxed_slice(),
            at: 0,
            full: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let window = self.ring.len();
        let bytes = bytes
            .get(bytes.len().saturating_sub(window)..)
            .unwrap_or_default();
        let (end, start) = bytes.split_at(bytes.len().min(window - self.at));
        self.ring[self.at..self.at + end.len()].copy_from_slice(end);
        self.ring[..start.len()].copy_from_slice(start);
        let next = self.at + bytes.len();
        self.full |= next >= window;
        self.at = next % window;
    }

    /// Returns the bytes in order, in two parts.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        let (newer, older) = self.ring.split_at(self.at);
        [if self.full { older } else { &[] }, newer]
    }

    pub(super) fn clear(&mut self) {
        self.at = 0;
        self.full = false;
    }
}
