//! A stream of compressed messages, as one sender sends them.

use super::{compressed, crafted, mutation};
use crate::random::Random;

/// Messages and how they are to be decompressed.
#[derive(Clone, Debug)]
pub struct Stream {
    pub origin: Origin,
    /// Whether a message may refer to those before.
    pub takeover: bool,
    pub messages: Vec<Vec<u8>>,
}

/// Where a stream comes from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    Compressed,
    Mutated,
    Crafted,
    CraftedAndMutated,
    Noise,
}

impl Stream {
    /// Returns a stream that these numbers make.
    pub fn random(random: &mut Random) -> Self {
        let origin = match random.below(100) {
            0..30 => Origin::Compressed,
            30..65 => Origin::Mutated,
            65..85 => Origin::Crafted,
            85..93 => Origin::CraftedAndMutated,
            _ => Origin::Noise,
        };
        let takeover = random.below(3) > 0;
        let count = random.within(1, 3);
        let mut messages = match origin {
            Origin::Compressed | Origin::Mutated => compressed::messages(random, count, takeover),
            Origin::Crafted | Origin::CraftedAndMutated => {
                crafted::messages(random, count, takeover)
            }
            Origin::Noise => noise(random, count),
        };
        if matches!(origin, Origin::Mutated | Origin::CraftedAndMutated) {
            for _ in 0..random.within(1, 3) {
                mutation::mutate(random, &mut messages);
            }
        }
        Self {
            origin,
            takeover,
            messages,
        }
    }
}

fn noise(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|_| {
            let len = random.len(500);
            random.bytes(len)
        })
        .collect()
}
