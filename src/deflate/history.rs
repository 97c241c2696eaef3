//! What has come out of a decompressor last (RFC 7692 §7.2.2).

use alloc::boxed::Box;
use alloc::vec;
use core::fmt;

use zlib_rs::{Inflate, InflateError};

/// The largest window, in bytes (RFC 7692 §7.1.2).
const WINDOW: usize = 1 << 15;

/// The last bytes that have come out: what a new stream may refer to.
pub(super) struct History {
    ring: Box<[u8]>,
    /// How many bytes have ever been pushed; the next one goes to this place in the ring.
    len: usize,
}

impl History {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = bytes
            .get(bytes.len().saturating_sub(WINDOW)..)
            .unwrap_or_default();
        let at = self.len % WINDOW;
        let (end, start) = bytes.split_at(bytes.len().min(WINDOW - at));
        self.ring[at..at + end.len()].copy_from_slice(end);
        self.ring[..start.len()].copy_from_slice(start);
        self.len += bytes.len();
        if self.len >= 2 * WINDOW {
            self.len = self.len % WINDOW + WINDOW; // full, wherever it goes on
        }
    }

    /// Makes the history known to an engine that begins a new stream.
    pub(super) fn teach(&self, inflate: &mut Inflate) -> Result<(), InflateError> {
        let at = self.len % WINDOW;
        let older = if self.len >= WINDOW {
            &self.ring[at..]
        } else {
            &[]
        };
        for part in [older, &self.ring[..at]] {
            if !part.is_empty() {
                inflate.set_dictionary(part)?;
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

impl Default for History {
    fn default() -> Self {
        Self {
            ring: vec![0; WINDOW].into_boxed_slice(),
            len: 0,
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("len", &self.len.min(WINDOW))
            .finish_non_exhaustive()
    }
}
