//! Decompressing messages (RFC 7692 §7.2.2).
#![expect(
    clippy::vec_box,
    reason = "engines move between the pool and connections, where a pointer is small"
)]

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::c_ulong;
use core::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::TAIL;
use super::history::History;
use super::params::LARGEST_WINDOW;
use crate::buffer::Buffer;
use crate::error::ProtocolError;

/// The decompressor of a connection. Its engine comes with the first compressed message and stays, or without context
/// takeover comes with each one and goes.
#[derive(Debug, Default)]
pub(crate) struct Inflater {
    engine: Option<Box<Engine>>,
}

/// What decompresses, and how far it is in the message.
struct Engine {
    inflate: Inflate,
    history: History,
    /// How many bytes of the message have gone in.
    used: u64,
    /// The last of these bytes.
    last: u8,
    /// Whether a block with BFINAL ended with that byte.
    ended: bool,
    /// How many blocks with BFINAL it has had.
    finals: u64,
    /// How many bytes have come out.
    len: u64,
    /// Whether the last output was full, so that there may be more without further input.
    full: bool,
    /// Whether the data has turned out to be invalid, behind the last output.
    failed: bool,
}

impl Inflater {
    /// Tells whether more comes out without further input.
    pub(crate) fn is_full(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.full)
    }

    /// Decompresses a piece of a message, until it is used up, `output` is `most` bytes longer, or `budget` bytes have come
    /// out; returns how much of the piece was used. No memory is taken for what is beyond `most`.
    ///
    /// A message of more than `limit` bytes fails once that many have come out, and one that goes on without much coming
    /// out fails, too.
    pub(crate) fn inflate(
        &mut self,
        piece: &[u8],
        output: &mut Buffer,
        most: usize,
        limit: u64,
        budget: usize,
    ) -> Result<usize, ProtocolError> {
        if piece.is_empty() && self.engine.is_none() {
            return Ok(0);
        }
        self.engine
            .get_or_insert_with(pool::take)
            .inflate(piece, output, most, limit, budget)
    }

    /// Ends a message: checks that its data ends where a block does, by itself or with the tail (RFC 7692 §7.2.2). Without
    /// `takeover` it leaves nothing behind.
    pub(crate) fn finish(&mut self, takeover: bool) -> Result<(), ProtocolError> {
        if let Some(engine) = &mut self.engine {
            engine.finish()?;
        }
        if !takeover && let Some(engine) = self.engine.take() {
            pool::put(engine);
        }
        Ok(())
    }

    /// Gives all memory back; no more is received.
    pub(crate) fn release(&mut self) {
        self.engine = None;
    }
}

impl Engine {
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "the engine uses no more than there is, and more than the limit never comes out"
    )]
    fn inflate(
        &mut self,
        piece: &[u8],
        output: &mut Buffer,
        most: usize,
        limit: u64,
        budget: usize,
    ) -> Result<usize, ProtocolError> {
        // One byte beyond the limit shows that it is passed.
        let left =
            usize::try_from(limit - self.len).map_or(usize::MAX, |left| left.saturating_add(1));
        let most = output.len().saturating_add(most.min(left));
        let end = output.len().saturating_add(budget).min(most);
        let mut rest = piece;
        while output.len() < end && (!rest.is_empty() || self.full) {
            let input = &rest[..rest.len().min(self.up_to_stop())];
            let left = end - output.len();
            let room = self.room(input.len()).min(left);
            let room = output.spare_within(room, most);
            let size = room.len().min(left);
            let room = &mut room[..size];
            let (used, len) = self.step(input, room, InflateFlush::NoFlush)?;
            output.advance(len);
            self.full = len == size || self.failed;
            self.len += len as u64;
            self.used += used as u64;
            self.last = input[..used].last().copied().unwrap_or(self.last);
            rest = &rest[used..];
            // All messages are looked at in the same places, however they are cut.
            if self.up_to_stop() == STEP {
                self.check_overhead()?;
                self.check_count()?;
            }
        }
        if self.len > limit {
            return Err(ProtocolError::MessageTooLarge);
        }
        Ok(piece.len() - rest.len())
    }

    /// Returns how much room to have for what comes out of so much input: as much again as there is, at the least, so that few
    /// steps make a long message.
    fn room(&self, input: usize) -> usize {
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        let expected = input.saturating_mul(EXPECTED).max(len);
        expected.clamp(LEAST_ROOM, MOST_ROOM).next_power_of_two()
    }

    /// Returns how many bytes may go in before the next look at what has come of them: none if that is now, and some of it
    /// is still to come out.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the next multiple is no less, and no message is as long as all numbers go"
    )]
    fn up_to_stop(&self) -> usize {
        let up_to_stop = self.used.next_multiple_of(STEP as u64) - self.used;
        match usize::try_from(up_to_stop) {
            Ok(0) if !self.full => STEP,
            up_to_stop => up_to_stop.unwrap_or(STEP),
        }
    }

    /// Fails a message that costs much and of which hardly anything has come out.
    fn check_overhead(&self) -> Result<(), ProtocolError> {
        let cost = self.used.saturating_add(self.finals.saturating_mul(FINAL));
        if cost > OVERHEAD.saturating_add(self.len.saturating_mul(EXPANSION)) {
            return Err(ProtocolError::CompressionOverhead);
        }
        Ok(())
    }

    /// Fails a message that is too long for the engine to count, before the count overflows.
    fn check_count(&self) -> Result<(), ProtocolError> {
        if self.inflate.total_in() > COUNTED {
            return Err(ProtocolError::MessageTooLarge);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ProtocolError> {
        self.check_overhead()?;
        // A message of no bytes at all is no DEFLATE data, but the tail alone is an empty block.
        if !self.ended {
            self.end()?;
        }
        if self.inflate.total_in() > LIFE {
            self.restart()?;
        }
        self.used = 0;
        self.finals = 0;
        self.len = 0;
        self.ended = false;
        Ok(())
    }

    /// Ends a message in which something is left behind the last block with BFINAL.
    fn end(&mut self) -> Result<(), ProtocolError> {
        // Told to stop at the end of a block, the engine stops behind the tail and leaves one more byte alone. Anything
        // else means that the message ends with a block, or was cut inside one. The tail may end one that is not stored, whose
        // code for that lies in it: nothing is missing then.
        let [a, b, c, d] = TAIL;
        let tail = [a, b, c, d, 0];
        match self.step(&tail, &mut [0; 8], InflateFlush::Block)? {
            (used, 0) if used == TAIL.len() => Ok(()),
            // The block with BFINAL that the tail of the message before ended: only now does the engine tell.
            (0, 0) if self.ended => self.end(),
            (used, 0) if used == tail.len() && self.was_between_blocks() => self.restart(),
            _ => Err(ProtocolError::InvalidCompression),
        }
    }

    /// Tells whether the engine stood between two blocks when it took in the tail and a zero, with fewer than three bits left
    /// of the last byte, and these zero. Leaves the engine of no use until it is restarted.
    ///
    /// With three bits or more the tail would have ended a block. With fewer, they and the first byte of the tail are the header
    /// of a stored block, and its length is `FF00`: it has to give back each byte as it comes.
    ///
    /// No other block does that with zeros and then ones. For a code to give a byte 0 for each 8 zero bits, its first codeword
    /// has 8 bits, so that none is shorter; for it to give a byte FF for each 8 one bits, its last codeword has 8, so that
    /// none is longer. Then it has 256 codewords, in the order of what they stand for, and the last one is FF: there is none for
    /// the end of the block, and a code without that is invalid.
    fn was_between_blocks(&mut self) -> bool {
        let bytes = [[0x00; VERBATIM / 2], [0xFF; VERBATIM / 2]];
        if !bytes.as_flattened().iter().all(|&byte| self.echoes(byte)) {
            return false;
        }
        // If the bits were not zero they began the header of a block with BFINAL, which ends the stream. Where the two highest
        // bits of the last byte are zero, so were they.
        self.last < 0x40 || !self.ends_with_block()
    }

    /// Tells whether `byte` comes out as it goes in.
    fn echoes(&mut self, byte: u8) -> bool {
        let before = self.inflate.total_out();
        let mut room = [0; 4];
        let step = self
            .inflate
            .decompress(&[byte], &mut room, InflateFlush::NoFlush);
        let len = self.inflate.total_out().saturating_sub(before);
        step == Ok(Status::Ok) && len == 1 && room[0] == byte
    }

    /// Tells whether the stream ends with the stored block of which [`VERBATIM`] bytes have come.
    fn ends_with_block(&mut self) -> bool {
        let mut room = [0; STORED / 16];
        (0..16).any(|_| {
            let zeros = [0; STORED / 16];
            let step = self
                .inflate
                .decompress(&zeros, &mut room, InflateFlush::NoFlush);
            step == Ok(Status::StreamEnd)
        })
    }

    /// Begins another stream, with the same history.
    fn restart(&mut self) -> Result<(), ProtocolError> {
        self.inflate.reset(false);
        for part in self.history.parts() {
            self.inflate
                .set_dictionary(part)
                .map_err(|_| ProtocolError::InvalidCompression)?;
        }
        Ok(())
    }

    /// Lets the engine go one step; returns how many bytes have gone in and come out.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "counts only grow, and no more comes out than there was room for"
    )]
    fn step(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        flush: InflateFlush,
    ) -> Result<(usize, usize), ProtocolError> {
        let Self {
            inflate, history, ..
        } = self;
        let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, room, flush);
        let used = usize::try_from(inflate.total_in() - in_before).unwrap_or(usize::MAX);
        let len = usize::try_from(inflate.total_out() - out_before).unwrap_or(usize::MAX);
        history.push(&room[..len]);
        match status {
            Ok(Status::Ok | Status::BufError) => {
                self.ended &= used == 0;
                Ok((used, len))
            }
            // A block with BFINAL ends the stream but not the message (RFC 7692 §7.2.3.4): another stream follows, with the
            // same history.
            Ok(Status::StreamEnd) => {
                self.finals += 1;
                self.ended = true;
                self.restart()?;
                Ok((used, len))
            }
            // What has come out before may be wrong as well, and then is to be blamed first. The next step fails.
            Err(_) if len > 0 && !self.failed => {
                self.failed = true;
                Ok((used, len))
            }
            Err(_) => Err(ProtocolError::InvalidCompression),
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            // Every window fits into the largest, so any engine serves any connection.
            inflate: Inflate::new(false, LARGEST_WINDOW),
            history: History::new(LARGEST_WINDOW),
            used: 0,
            last: 0,
            ended: false,
            finals: 0,
            len: 0,
            full: false,
            failed: false,
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("used", &self.used)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// The most that goes into one step, in bytes.
const STEP: usize = 16 << 10;

/// How many times longer than its compressed form a message is expected to be.
const EXPECTED: usize = 4;

/// The least room that a step has, in bytes: what most short messages need.
const LEAST_ROOM: usize = 1 << 10;

/// The most room that a step asks for, in bytes, so that a limit is never passed by much.
const MOST_ROOM: usize = 64 << 10;

/// How many bytes of a compressed message may yield nothing.
const OVERHEAD: u64 = 64 << 10;

/// How many times longer than a message its compressed form may be, beyond [`OVERHEAD`]. A sender that flushes behind every
/// byte without compressing it comes to 11.
const EXPANSION: u64 = 16;

/// How many bytes a block with BFINAL counts for, since the history has to be taught again behind it.
const FINAL: u64 = 1 << 10;

/// How many bytes have to come out as they go in, to tell a stored block from others: twice as many of a kind as show that a
/// codeword has 8 bits, not 7 or 9.
const VERBATIM: usize = 32;

/// How many bytes of the stored block that the tail begins come behind those, a multiple of 16.
const STORED: usize = 0xFF00 - VERBATIM;

/// How many compressed bytes a stream may have before a new one takes its place, with the same history, behind a message.
const LIFE: u64 = if cfg!(test) { 100 << 10 } else { 0x4000_0000 };

/// The most compressed bytes of a stream, less what goes in between two looks at them. zlib-rs counts them as C's `unsigned long`,
/// which has 32 bits on some platforms, and a sum that overflows may panic.
const COUNTED: u64 = if cfg!(test) {
    300 << 10
} else {
    match size_of::<c_ulong>() {
        4 => 0xFFFF_0000,
        _ => 0xFFFF_FFFF_FFFF_0000,
    }
};

mod pool {
    //! The engines that the thread has used and does not need.

    use super::{Box, Engine, RefCell, Vec};

    /// The most engines that a thread keeps. One is enough, unless messages of several connections overlap.
    const MOST: usize = 4;

    std::thread_local! {
        static POOL: RefCell<Vec<Box<Engine>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take() -> Box<Engine> {
        let spare = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        spare.unwrap_or_default()
    }

    pub(super) fn put(mut engine: Box<Engine>) {
        engine.inflate.reset(false);
        engine.history.clear();
        // An error means that the thread ends; dropping the engine is right then.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MOST {
                pool.push(engine);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// The compressed form of a message: a stored block with `data`, and what is left of the empty one behind it.
    fn stored(data: &[u8]) -> Vec<u8> {
        let len = u16::try_from(data.len()).expect("a block is short");
        let lens = [len, !len].map(u16::to_le_bytes);
        [&[0], lens.as_flattened(), data, &[0]].concat()
    }

    /// Takes a message in, and returns what comes out.
    fn inflate(engine: &mut Engine, payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        let mut output = Buffer::default();
        engine.inflate(payload, &mut output, usize::MAX, u64::MAX, usize::MAX)?;
        engine.finish()?;
        Ok(output.to_vec())
    }

    /// DD-02, S-03: the engine's counts begin anew behind messages, long before they overflow, and what was received before can
    /// still be referred to.
    #[test]
    #[expect(clippy::panic_in_result_fn, reason = "a test")]
    fn a_stream_is_renewed_in_time() -> Result<(), ProtocolError> {
        let mut engine = Engine::default();
        let mut begun = 0;
        for round in 0..60_u8 {
            let before = engine.inflate.total_in();
            let data = [round; 20_000];
            assert!(inflate(&mut engine, &stored(&data))? == data);
            // A match of three bytes, one byte back (RFC 1951 §3.2.6).
            assert!(inflate(&mut engine, &[0x02, 0x02, 0x00, 0x00])? == [round; 3]);
            begun += u32::from(engine.inflate.total_in() < before);
            assert!(engine.inflate.total_in() < LIFE + 30_000);
        }
        assert!(begun >= 10, "{begun} times");
        Ok(())
    }

    /// S-03: a single message that is longer than the count fails; one that is renewed by BFINAL does not.
    #[test]
    fn a_message_beyond_the_count_fails() {
        let block = stored(&vec![7; 60_000]);
        let block = &block[..block.len() - 1];
        let mut engine = Engine::default();
        let message = [block.repeat(6), vec![0]].concat();
        let heard = inflate(&mut engine, &message);
        assert!(heard == Err(ProtocolError::MessageTooLarge));

        let mut engine = Engine::default();
        let message = [block.repeat(3), vec![3, 0], block.repeat(3), vec![0]].concat();
        let heard = inflate(&mut engine, &message);
        assert!(heard.is_ok_and(|data| data.len() == 360_000));
    }
}
