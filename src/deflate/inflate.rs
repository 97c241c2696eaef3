//! Decompressing messages (RFC 7692 §7.2.2).

use alloc::boxed::Box;
use core::cell::RefCell;
use core::mem;

use alloc::vec::Vec;
use zlib_rs::{Inflate, InflateFlush, Status};

use super::params::Params;
use crate::buffer::Buffer;
use crate::error::ProtocolError;
use crate::role::Role;

/// The decompressor of a connection. Its engine comes with the first compressed message and stays, or without context
/// takeover comes with each one and goes.
pub(crate) struct Inflater {
    engine: Option<Engine>,
    takeover: bool,
    /// Whether any byte of the message has come.
    begun: bool,
    /// How many bytes have come out of the message.
    len: u64,
    /// Whether the last output was full, so that there may be more without further input.
    full: bool,
}

/// What decompresses, and what it has put out last.
struct Engine {
    inflate: Inflate,
    history: History,
}

/// What the sender of a message has removed from its end (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

impl Inflater {
    /// Returns the decompressor for what `sender` compresses.
    pub(crate) fn new(params: Params, sender: Role) -> Self {
        let takeover = !params.no_context_takeover(sender);
        Self {
            engine: None,
            takeover,
            begun: false,
            len: 0,
            full: false,
        }
    }

    /// Tells whether more comes out without further input.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Decompresses a piece of a message, until it is used up or `most` bytes have been appended to `output`; returns how
    /// much of it was used. A message of more than `limit` bytes fails once that many have come out.
    pub(crate) fn inflate(
        &mut self,
        piece: &[u8],
        output: &mut Buffer,
        most: usize,
        limit: u64,
    ) -> Result<usize, ProtocolError> {
        self.begun |= !piece.is_empty();
        // One byte beyond the limit shows that it is passed.
        let left =
            usize::try_from(limit - self.len).map_or(usize::MAX, |left| left.saturating_add(1));
        let end = output.len().saturating_add(most.min(left));
        let mut rest = piece;
        while output.len() < end && (!rest.is_empty() || self.full) {
            let room = STEP.min(end - output.len());
            let (used, len) =
                self.step(rest, output.space_within(room, end), InflateFlush::NoFlush)?;
            output.advance(len);
            self.full = len == room;
            self.len += len as u64;
            rest = rest.get(used..).unwrap_or_default();
        }
        if self.len > limit {
            return Err(ProtocolError::MessageTooLarge);
        }
        Ok(piece.len() - rest.len())
    }

    /// Ends a message: checks that its data ends where a block does (RFC 7692 §7.2.2).
    pub(crate) fn finish(&mut self) -> Result<(), ProtocolError> {
        // A message of no bytes at all is no DEFLATE data. It is taken for an empty one and touches nothing.
        if mem::take(&mut self.begun) {
            // Told to stop at the end of a block, the engine stops behind the tail and leaves one more byte alone. Anything
            // else means that the tail has been taken for something that it is not.
            let [a, b, c, d] = TAIL;
            let (used, len) = self.step(&[a, b, c, d, 0], &mut [0; 8], InflateFlush::Block)?;
            if used != TAIL.len() || len > 0 {
                return Err(ProtocolError::InvalidCompression);
            }
        }
        self.len = 0;
        if !self.takeover {
            self.engine.take().into_iter().for_each(pool::put);
        }
        Ok(())
    }

    /// Lets the engine go one step.
    fn step(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        flush: InflateFlush,
    ) -> Result<(usize, usize), ProtocolError> {
        let Engine { inflate, history } = self.engine.get_or_insert_with(pool::take);
        let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, room, flush);
        let used = usize::try_from(inflate.total_in() - in_before).unwrap_or(usize::MAX);
        let len = usize::try_from(inflate.total_out() - out_before).unwrap_or(usize::MAX);
        history.push(room.get(..len).unwrap_or_default());
        match status {
            Ok(Status::Ok | Status::BufError) => Ok((used, len)),
            // A block with BFINAL ends the stream but not the message (RFC 7692 §7.2.3.4): another stream follows, with the
            // same history. It may end right before the tail, whose first byte then is the header of the last block.
            Ok(Status::StreamEnd) => {
                inflate.reset(false);
                history.teach(inflate)?;
                Ok((used, len))
            }
            Err(_) => Err(ProtocolError::InvalidCompression),
        }
    }
}

impl core::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inflater")
            .field("takeover", &self.takeover)
            .finish_non_exhaustive()
    }
}

/// The most that comes out of one step, in bytes, so that a limit is never passed by much.
const STEP: usize = 16 << 10;

/// The largest window, in bytes (RFC 7692 §7.1.2).
const WINDOW: usize = 1 << 15;

/// The last bytes that have come out: what a new stream may refer to.
struct History {
    ring: Box<[u8]>,
    /// How many bytes have ever been pushed; the next one goes to this place in the ring.
    len: usize,
}

impl History {
    fn push(&mut self, bytes: &[u8]) {
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
    fn teach(&self, inflate: &mut Inflate) -> Result<(), ProtocolError> {
        let at = self.len % WINDOW;
        let older = if self.len >= WINDOW {
            &self.ring[at..]
        } else {
            &[]
        };
        for part in [older, &self.ring[..at]] {
            if !part.is_empty() {
                inflate
                    .set_dictionary(part)
                    .map_err(|_| ProtocolError::InvalidCompression)?;
            }
        }
        Ok(())
    }
}

mod pool {
    //! The engines that the thread has used and does not need.

    use super::{Engine, History, Inflate, RefCell, Vec, WINDOW};
    use alloc::vec;

    /// The most engines that a thread keeps. One is enough, unless messages of several connections overlap.
    const MOST: usize = 4;

    std::thread_local! {
        static POOL: RefCell<Vec<Engine>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take() -> Engine {
        let spare = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        spare.unwrap_or_else(|| {
            let history = History {
                ring: vec![0; WINDOW].into_boxed_slice(),
                len: 0,
            };
            // Every window fits into the largest, so any engine serves any connection.
            Engine {
                inflate: Inflate::new(false, 15),
                history,
            }
        })
    }

    pub(super) fn put(mut engine: Engine) {
        engine.inflate.reset(false);
        engine.history.len = 0;
        // An error means that the thread ends; dropping the engine is right then.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MOST {
                pool.push(engine);
            }
        });
    }
}
