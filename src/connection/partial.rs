//! What has come of a frame that is not complete.

use crate::frame::{FrameHeader, Opcode};

/// A frame whose payload is arriving.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) fin: bool,
    pub(super) key: Option<[u8; 4]>,
    /// Where in the key the next byte stands, 0 to 3.
    pub(super) offset: u8,
    pub(super) remaining: u64,
    pub(super) route: Route,
}

/// What becomes of a frame's payload; decided once, when its header is accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// It is held until the control frame, of this kind, is complete.
    Control(Opcode),
    /// It is gathered until the message is complete.
    Gather,
    /// It is inflated, and gathered until the message or a chunk of it is complete.
    #[cfg(feature = "deflate")]
    Inflate,
    /// It is handed on where it lies.
    Pass,
}

impl Frame {
    /// Returns the frame of which only the header has come.
    #[inline]
    pub(super) fn new(header: FrameHeader, route: Route) -> Self {
        Self {
            route,
            fin: header.fin,
            key: header.mask,
            offset: 0,
            remaining: header.len,
        }
    }

    /// Returns how many of `available` bytes belong to the payload.
    pub(super) fn share(&self, available: usize) -> usize {
        usize::try_from(self.remaining).map_or(available, |remaining| remaining.min(available))
    }

    /// Returns the frame as it is when `len` more bytes have come.
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of four")]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "what has come of a frame is no more than was missing"
    )]
    pub(super) fn behind(self, len: usize) -> Self {
        let offset = (usize::from(self.offset) + len) % 4;
        Self {
            remaining: self.remaining - len as u64,
            offset: offset as u8,
            ..self
        }
    }
}

/// The bytes of an unfinished header.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartialHeader {
    pub(super) bytes: [u8; FrameHeader::MAX_LEN],
    pub(super) len: u8,
}

impl PartialHeader {
    pub(super) const EMPTY: Self = Self {
        bytes: [0; FrameHeader::MAX_LEN],
        len: 0,
    };
}
