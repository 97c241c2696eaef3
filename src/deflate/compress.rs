//! Compressing messages (RFC 7692 §7.2.1).
#![expect(
    clippy::unnecessary_box_returns,
    reason = "engines move between the pool and connections, where a pointer is small"
)]

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

use super::TAIL;
use super::history::History;
use super::params::LARGEST_WINDOW;
use super::params::Params;
use super::params::SMALLEST_WINDOW;
use crate::buffer::Buffer;
use crate::compression::{Compress, CompressionMemory};
use crate::role::Role;

/// The compressor of a connection. Its engine comes with the first compressed message and stays; or it comes with each one
/// and goes, and without context takeover leaves nothing behind.
pub(crate) struct Deflater {
    engine: Option<Box<Deflate>>,
    /// What an engine has to know that comes with a message, if the one that is gone does not stay.
    history: Option<Box<History>>,
    kind: Kind,
    keep: Keep,
    threshold: u32,
}

/// What is kept between two messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keep {
    Nothing,
    Engine,
    /// The last bytes, as a base-2 logarithm.
    History(u8),
}

/// What engines differ in.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Kind {
    level: u8,
    window_bits: u8,
}

impl Kind {
    fn config(self) -> DeflateConfig {
        DeflateConfig {
            level: self.level.into(),
            window_bits: i32::from(self.window_bits).saturating_neg(), // negative: neither header nor checksum
            mem_level: MEM_LEVEL,
            ..DeflateConfig::default()
        }
    }
}

impl Deflater {
    /// Returns the compressor of `sender`, which compresses messages of `threshold` bytes and more unless something else is said.
    pub(crate) fn new(
        params: Params,
        sender: Role,
        level: u8,
        memory: CompressionMemory,
        threshold: u32,
    ) -> Self {
        let window_bits = params
            .window_bits(sender)
            .clamp(SMALLEST_ENGINE, LARGEST_WINDOW);
        let keep = match memory {
            _ if params.no_context_takeover(sender) => Keep::Nothing,
            CompressionMemory::Engine => Keep::Engine,
            CompressionMemory::History(bits) => {
                Keep::History(bits.clamp(SMALLEST_WINDOW, window_bits))
            }
        };
        Self {
            engine: None,
            history: None,
            kind: Kind {
                level: level.clamp(1, 9),
                window_bits,
            },
            keep,
            threshold,
        }
    }

    /// Returns the length from which on a message is compressed unless something else is said.
    pub(crate) fn threshold(&self) -> u32 {
        self.threshold
    }

    /// Tells whether a message of this length, if it is known, is to be compressed.
    #[inline]
    pub(crate) fn wants(&self, len: Option<usize>, compress: Compress) -> bool {
        match compress {
            Compress::Auto => len.is_none_or(|len| len as u64 >= self.threshold.into()),
            Compress::Never => false,
            Compress::Always => true,
        }
    }

    /// Tells whether a message leaves nothing behind, so that what was made of it may be thrown away.
    pub(crate) fn forgets(&self) -> bool {
        self.keep == Keep::Nothing
    }

    /// Appends the compressed bytes of a message, or of a fragment of one unless it is the `last`.
    pub(crate) fn deflate(&mut self, payload: &[u8], last: bool, output: &mut Buffer) {
        let start = output.len();
        let engine = match &mut self.engine {
            Some(engine) => engine,
            None => self
                .engine
                .insert(begin(self.kind, self.history.as_deref())),
        };
        if engine.total_out() > LIFE {
            // A stream may begin anew wherever a flush has ended the one before; for a moment the engine refers to nothing.
            engine.reset();
        }
        compress(engine, payload, output);
        if let Keep::History(bits) = self.keep {
            self.history
                .get_or_insert_with(|| Box::new(History::new(bits)))
                .push(payload);
        }
        if last {
            finish(start, output);
            if self.keep != Keep::Engine
                && let Some(engine) = self.engine.take()
            {
                pool::put(self.kind, engine);
            }
        }
    }

    /// Gives all memory back; no more is sent.
    pub(crate) fn release(&mut self) {
        self.engine = None;
        self.history = None;
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

/// Returns an engine that begins a message, with what it may refer to.
fn begin(kind: Kind, history: Option<&History>) -> Box<Deflate> {
    let mut engine = pool::take(kind);
    for part in history.map(History::parts).into_iter().flatten() {
        if engine.set_dictionary(part).is_err() {
            // An engine that knows nothing compresses less, but right; one that knows a part takes distances from there.
            engine.reset();
        }
    }
    engine
}

/// Appends all that the engine makes of `payload`, up to a flush.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "counts only grow, and a slice is not longer than half of all memory"
)]
fn compress(engine: &mut Deflate, mut payload: &[u8], output: &mut Buffer) {
    loop {
        let room = output.space(payload.len() / 2 + STEP);
        let size = room.len();
        let (in_before, out_before) = (engine.total_in(), engine.total_out());
        let status = engine.compress(payload, room, DeflateFlush::SyncFlush);
        let used = usize::try_from(engine.total_in() - in_before).unwrap_or(usize::MAX);
        let len = usize::try_from(engine.total_out() - out_before).unwrap_or(usize::MAX);
        output.advance(len);
        payload = payload.get(used..).unwrap_or_default();
        if status != Ok(Status::Ok) || (payload.is_empty() && len < size) {
            break;
        }
    }
}

/// Removes the tail from a message that begins at `start` (RFC 7692 §7.2.1).
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the output ends with the tail"
)]
fn finish(start: usize, output: &mut Buffer) {
    let len = output.len();
    if output
        .get(start..)
        .is_some_and(|bytes| bytes.ends_with(&TAIL))
    {
        output.truncate(len - TAIL.len());
    }
    // RFC 7692 §7.2.3.6: nothing is one byte, the header of an empty block without its tail.
    if output.len() == start {
        output.push(&[0]);
    }
}

/// The smallest window of an engine. It keeps to 8 bits, too, as it refers no farther back than its window less 262 bytes, so
/// that a match of 258 always lies in it.
const SMALLEST_ENGINE: u8 = 9;

/// How much an engine takes for symbols that wait: zlib's 8 makes an engine 84 KiB larger, and its blocks hardly better.
const MEM_LEVEL: i32 = 6;

/// How many compressed bytes a stream may have before a new one takes its place: zlib-rs counts them as C's `unsigned long`,
/// which has 32 bits on some platforms, and a sum that overflows may panic.
const LIFE: u64 = if cfg!(test) { 100 << 10 } else { 0x4000_0000 };

/// The least room for a step, in bytes: more than what a flush adds.
const STEP: usize = 256;

mod pool {
    //! The engines that the thread has used and does not need.

    use super::{Box, Deflate, Kind, RefCell, Vec};

    /// The most engines that a thread keeps: one each for a few kinds.
    const MOST: usize = 4;

    std::thread_local! {
        static POOL: RefCell<Vec<(Kind, Box<Deflate>)>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take(kind: Kind) -> Box<Deflate> {
        let spare = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            let at = pool.iter().position(|(other, _)| *other == kind)?;
            Some(pool.swap_remove(at).1)
        });
        spare
            .ok()
            .flatten()
            .unwrap_or_else(|| Box::new(Deflate::new_with_config(kind.config())))
    }

    pub(super) fn put(kind: Kind, mut engine: Box<Deflate>) {
        engine.reset();
        // An error means that the thread ends; dropping the engine is right then.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MOST {
                pool.push((kind, engine));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::Inflater;

    /// DC-02, S-03: the engine's counts begin anew between fragments, long before they overflow, and the other end goes on to
    /// understand.
    #[test]
    fn a_stream_is_renewed_in_time() {
        for memory in [CompressionMemory::Engine, CompressionMemory::History(12)] {
            let mut deflater = Deflater::new(Params::default(), Role::Server, 6, memory, 0);
            let mut inflater = Inflater::default();
            let mut begun = 0;
            let mut noise = 1_u32;
            for round in 0..200 {
                let data: Vec<u8> = (0..10_000)
                    .map(|_| {
                        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        noise.to_be_bytes()[0]
                    })
                    .collect();
                let before = deflater
                    .engine
                    .as_ref()
                    .map_or(0, |engine| engine.total_out());
                let (mut payload, mut output) = (Buffer::default(), Buffer::default());
                let last = round % 30 == 29;
                deflater.deflate(&data, last, &mut payload);
                let after = deflater
                    .engine
                    .as_ref()
                    .map_or(0, |engine| engine.total_out());
                begun += u32::from(0 < after && after < before);
                assert!(after < LIFE + 30_000, "{after}");
                let used =
                    inflater.inflate(&payload, &mut output, usize::MAX, u64::MAX, usize::MAX);
                assert!(used == Ok(payload.len()) && *output == data[..], "{round}");
                assert!(!last || inflater.finish(true).is_ok());
            }
            assert!(begun >= 10, "{begun} times");
        }
    }
}
