//! The pool: memory that a connection has given back, for the next one that needs some.
//!
//! A connection takes memory when the first byte comes that it has to hold, and gives it back when it holds none. The
//! memory then waits in two places, so that a message costs no allocation in steady state:
//!
//! | | short blocks, of at most 32 KiB | long blocks |
//! |---|---|---|
//! | each thread keeps | at most 64 KiB: the last block, and 16 others of 32 KiB in all | none |
//! | the process keeps | an eighth of [the limit](set_limit) at most | the rest of it |
//!
//! The limit is [`DEFAULT_LIMIT`] until [`set_limit`] is called. Memory beyond it goes back to the allocator.
//!
//! ```
//! // A process with little memory: 2 MiB, and at most 64 KiB for each of its threads.
//! sansocket::pool::set_limit(2 << 20);
//! ```

mod process;
mod thread;

use alloc::boxed::Box;
use core::ops::RangeInclusive;

pub use process::{DEFAULT_LIMIT, set_limit};
pub(crate) use thread::take_last;

/// The longest short block, in bytes: a frame of 16 KiB with its header, which is the longest that TLS takes at once, lies in
/// a block of its thread.
const SHORT: usize = 32 << 10;

/// The shortest block, in bytes: two short messages and their headers.
const SHORTEST: usize = 256;

/// How many times as long a long block may be as what is needed of it now: a message of 1 MiB gets its block with its first
/// 16 KiB, and moves into no other; a few bytes that wait for long do not hold much, whatever length was announced.
const AHEAD: usize = 64;

/// The longest block that a message may take though it need not become half as long, and how many bytes of it must have come
/// for that.
const NEXT: usize = 2 * SHORT;
const WORTH_NEXT: usize = 4 << 10;

/// What a block is needed for, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// The least that the block has to have.
    pub(crate) least: usize,
    /// How many bytes there will be next.
    pub(crate) now: usize,
    /// How many bytes there will be in the end, or no more.
    pub(crate) most: usize,
}

/// Returns a block that the pool has for `need`, if it has one.
///
/// A long block goes only to a need of a 64th of it now and half of it in the end. If there is one for all bytes in the end,
/// that is better than a short one; so is one of up to 64 KiB where 4 KiB have come and the end is unknown.
#[inline]
pub(crate) fn take(need: Need) -> Option<Box<[u8]>> {
    debug_assert!(need.least <= need.most, "the end is no less");
    if need.most > SHORT {
        return take_for_long(need);
    }
    thread::take(need.least, need.most)
}

#[inline(never)]
fn take_for_long(need: Need) -> Option<Box<[u8]>> {
    let is_long = need.least > SHORT;
    let from = if is_long { need.least } else { need.most };
    let to = need
        .now
        .saturating_mul(AHEAD)
        .min(need.most.saturating_mul(2));
    let take_long = |lens: RangeInclusive<usize>| {
        let taken = (!lens.is_empty()).then(|| process::take_long(&lens, need.most));
        taken.flatten()
    };
    let long = take_long(from..=to);
    if long.is_some() || is_long {
        return long;
    }
    // Fragments of an unknown sum: 64 KiB in one block spare a copy from a short one (bench `fragments` of benches/peers, 64 KiB:
    // 1.3 times the time without).
    let next = if need.now < WORTH_NEXT { 0 } else { NEXT };
    take_long(SHORT..=to.min(next)).or_else(|| thread::take(need.least, need.least))
}

/// Keeps `block` for the next who asks, or frees it.
#[inline(never)]
pub(crate) fn put(block: Box<[u8]>) {
    if block.len() > SHORT {
        process::put_long(block);
    } else {
        thread::put(block);
    }
}

/// Returns how long a block should be in which `len` bytes find room.
///
/// Short blocks have a few lengths only, so that one fits as well as another; a long one has the length of what it was made
/// for, so that a message of 1 MiB holds 1 MiB.
pub(crate) fn block_len(len: usize) -> usize {
    if len > SHORT {
        len
    } else {
        len.next_power_of_two().max(SHORTEST)
    }
}
