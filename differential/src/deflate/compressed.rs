//! Messages as zlib compresses them, in all its ways (RFC 7692 §7.2.1).

use super::content::content;
use crate::random::Random;
use crate::zlib::{self, Deflate};

/// What a sender removes from the end of a message, and a receiver adds.
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The largest window (RFC 7692 §7.1.2).
pub const WINDOW: usize = 1 << 15;

const STRATEGIES: [i32; 5] = [
    zlib::Z_DEFAULT_STRATEGY,
    zlib::Z_FILTERED,
    zlib::Z_HUFFMAN_ONLY,
    zlib::Z_RLE,
    zlib::Z_FIXED,
];

const FLUSHES: [i32; 6] = [
    zlib::Z_NO_FLUSH,
    zlib::Z_PARTIAL_FLUSH,
    zlib::Z_SYNC_FLUSH,
    zlib::Z_FULL_FLUSH,
    zlib::Z_BLOCK,
    zlib::Z_FINISH,
];

/// Returns `count` valid messages of one sender.
pub fn messages(random: &mut Random, count: usize, takeover: bool) -> Vec<Vec<u8>> {
    let level = random.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let window_bits = random.pick(&[9, 10, 11, 12, 13, 14, 15]);
    // More memory takes longer to clear and only makes blocks longer.
    let mem_level = if random.one_in(10) { 8 } else { 1 };
    let strategy = random.pick(&STRATEGIES);
    let mut sender = SendHalf {
        engine: Deflate::new(level, window_bits, mem_level, strategy),
        history: Vec::new(),
    };
    let mut messages = Vec::with_capacity(count);
    for at in 0..count {
        if at > 0 && !takeover {
            sender.history.clear();
            sender.engine.restart(&[]);
        }
        messages.push(sender.message(random));
    }
    messages
}

struct SendHalf {
    engine: Deflate,
    /// What the engine forgets when it ends a stream.
    history: Vec<u8>,
}

impl SendHalf {
    fn message(&mut self, random: &mut Random) -> Vec<u8> {
        let content = content(random);
        let mut message = Vec::new();
        let mut rest = &content[..];
        while random.one_in(2) {
            let (now, later) = rest.split_at(random.below(rest.len() + 1));
            self.push(now, random.pick(&FLUSHES), &mut message);
            rest = later;
        }
        self.push(rest, zlib::Z_SYNC_FLUSH, &mut message);
        if message.ends_with(&TAIL) {
            message.truncate(message.len() - TAIL.len());
        }
        // A flush right behind a flush gives nothing, and no data is no message (RFC 7692 §7.2.3.6).
        if message.is_empty() {
            message.push(0);
        }
        message
    }

    fn push(&mut self, content: &[u8], flush: i32, message: &mut Vec<u8>) {
        self.engine.deflate(content, flush, message);
        self.history.extend_from_slice(content);
        let old = self.history.len().saturating_sub(WINDOW);
        self.history.drain(..old);
        if flush == zlib::Z_FINISH {
            self.engine.restart(&self.history);
        }
    }
}
