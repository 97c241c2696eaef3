//! The last bytes of a direction: what the next ones may refer to (RFC 7692 §7.2.1, §7.2.2).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places are remainders of the ring's length, and its length is never zero"
)]

use alloc::boxed::Box;
use alloc::vec;
use core::fmt;

/// The last bytes of a direction, as many as a window has.
pub(super) struct History {
    ring: Box<[u8]>,
    /// How many bytes have ever been pushed; the next one goes to this place in the ring.
    len: usize,
}

impl History {
    /// Returns room for a window of `bits`, a base-2 logarithm of bytes.
    pub(super) fn new(bits: u8) -> Self {
        Self {
            ring: vec![0; 1 << bits].into_boxed_slice(),
            len: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let window = self.ring.len();
        let bytes = bytes
            .get(bytes.len().saturating_sub(window)..)
            .unwrap_or_default();
        let at = self.len % window;
        let (end, start) = bytes.split_at(bytes.len().min(window - at));
        self.ring[at..at + end.len()].copy_from_slice(end);
        self.ring[..start.len()].copy_from_slice(start);
        self.len += bytes.len();
        if self.len >= 2 * window {
            self.len = self.len % window + window; // full, wherever it goes on
        }
    }

    /// Returns the bytes in order, in two parts.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        let window = self.ring.len();
        let (newer, older) = self.ring.split_at(self.len % window);
        [if self.len < window { &[] } else { older }, newer]
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("len", &self.len.min(self.ring.len()))
            .finish_non_exhaustive()
    }
}
