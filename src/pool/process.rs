//! The blocks of the process: behind one lock the short ones, behind another the long ones.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums are of lengths that lie in memory, and places in lists of a known length"
)]

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::{Drain, Vec};
use core::mem;
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{SHORT, SHORTEST};

/// The limit of the process until [`set_limit`] is called: 64 MiB, enough for three messages of 16 MiB at work.
pub const DEFAULT_LIMIT: usize = 64 << 20;

/// The part of the limit that is for short blocks.
const SHORT_PART: usize = 8;

/// How many lengths short blocks have: each but the first is twice the one before.
const LENGTHS: usize = (SHORT / SHORTEST).ilog2() as usize + 1;

/// How many bytes a block counts beside its own: its place in a list of which half may be unused.
const PLACE: usize = 2 * size_of::<Box<[u8]>>();

/// The limit, which is read and applied behind a lock.
static LIMIT: AtomicUsize = AtomicUsize::new(DEFAULT_LIMIT);

/// Of which lengths there are short blocks, a bit each: threads that find none there need no lock to know it.
static SHORT_LENGTHS: AtomicUsize = AtomicUsize::new(0);

static SHORT_BLOCKS: Mutex<Short> = Mutex::new(Short::NONE);

static LONG_BLOCKS: Mutex<Long> = Mutex::new(Long::NONE);

/// The short blocks of the process, by length.
struct Short {
    by_length: [Vec<Box<[u8]>>; LENGTHS],
    bytes: usize,
}

/// The long blocks of the process; the latest stands at the end.
struct Long {
    blocks: VecDeque<Box<[u8]>>,
    bytes: usize,
}

/// Sets how many bytes the process keeps at most, beside 64 KiB for each thread. If it has more, it frees them.
///
/// Call it at any time. With 0 the process keeps nothing; to free all that it keeps, set the limit to 0 and back.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
    let mut short = lock(&SHORT_BLOCKS);
    let beyond_short = (short.bytes > Short::limit()).then(|| short.take_all());
    drop(short);
    let mut long = lock(&LONG_BLOCKS);
    let beyond_long = (long.bytes > Long::limit()).then(|| mem::replace(&mut *long, Long::NONE));
    drop(long);
    // Freed here, without a lock.
    drop((beyond_short, beyond_long));
}

/// Takes a short block of `len` bytes, and up to `more` for `list`.
pub(super) fn take_short(len: usize, more: usize, list: &mut Vec<Box<[u8]>>) -> Option<Box<[u8]>> {
    let bit = 1 << place(len);
    if SHORT_LENGTHS.load(Ordering::Relaxed) & bit == 0 {
        return None;
    }
    lock(&SHORT_BLOCKS).take(len, more, list)
}

/// Keeps short blocks as far as the limit allows, and frees the others.
pub(super) fn put_short(mut blocks: Drain<'_, Box<[u8]>>) {
    lock(&SHORT_BLOCKS).put(&mut blocks);
}

/// Takes a long block with one of these lengths: the shortest of those that have `most`, else the shortest.
pub(super) fn take_long(lens: &RangeInclusive<usize>, most: usize) -> Option<Box<[u8]>> {
    lock(&LONG_BLOCKS).take(lens, most)
}

/// Keeps a long block in the place of those that came first, or frees it if it is longer than the limit.
#[inline(never)]
pub(super) fn put_long(block: Box<[u8]>) {
    let mut block = Some(block);
    loop {
        let oldest = lock(&LONG_BLOCKS).put(&mut block);
        // Freed here, without the lock: the system takes its time to free long memory.
        if oldest.is_none() {
            return;
        }
    }
}

impl Short {
    const NONE: Self = Self {
        by_length: [const { Vec::new() }; LENGTHS],
        bytes: 0,
    };

    fn limit() -> usize {
        LIMIT.load(Ordering::Relaxed) / SHORT_PART
    }

    fn take(&mut self, len: usize, more: usize, list: &mut Vec<Box<[u8]>>) -> Option<Box<[u8]>> {
        let blocks = self.by_length.get_mut(place(len))?;
        let taken = blocks.pop()?;
        let more = more.min(blocks.len());
        list.extend(blocks.drain(blocks.len() - more..));
        if blocks.is_empty() {
            SHORT_LENGTHS.fetch_and(!(1 << place(len)), Ordering::Relaxed);
        }
        self.bytes -= (1 + more) * cost(&taken);
        Some(taken)
    }

    fn put(&mut self, blocks: &mut Drain<'_, Box<[u8]>>) {
        let limit = Self::limit();
        while let [block, ..] = blocks.as_slice() {
            let (place, bytes) = (place(block.len()), self.bytes + cost(block));
            if bytes > limit {
                return;
            }
            if let Some(list) = self.by_length.get_mut(place) {
                list.extend(blocks.next());
                self.bytes = bytes;
                SHORT_LENGTHS.fetch_or(1 << place, Ordering::Relaxed);
            }
        }
    }

    fn take_all(&mut self) -> Self {
        SHORT_LENGTHS.store(0, Ordering::Relaxed);
        mem::replace(self, Self::NONE)
    }
}

impl Long {
    const NONE: Self = Self {
        blocks: VecDeque::new(),
        bytes: 0,
    };

    fn limit() -> usize {
        let limit = LIMIT.load(Ordering::Relaxed);
        limit - limit / SHORT_PART
    }

    fn take(&mut self, lens: &RangeInclusive<usize>, most: usize) -> Option<Box<[u8]>> {
        let mut best = None;
        // Of those that are as long, the latest: it may still be in the cache.
        for (at, block) in self.blocks.iter().enumerate().rev() {
            let rank = (block.len() < most, block.len());
            if lens.contains(&block.len()) && best.is_none_or(|(best, _)| rank < best) {
                best = Some((rank, at));
                if block.len() == most {
                    break; // none fits better: queues give hundreds of blocks back that are alike
                }
            }
        }
        let (_, at) = best?;
        let block = self.blocks.remove(at)?;
        self.bytes -= cost(&block);
        Some(block)
    }

    /// Keeps the block if there is room for it; else returns the oldest one, unless all the room is too little.
    fn put(&mut self, block: &mut Option<Box<[u8]>>) -> Option<Box<[u8]>> {
        let (len, limit) = (block.as_deref().map_or(0, cost), Self::limit());
        if self.bytes + len <= limit {
            self.blocks.extend(block.take());
            self.bytes += len;
            return None;
        }
        if len > limit {
            return None;
        }
        let oldest = self.blocks.pop_front()?;
        self.bytes -= cost(&oldest);
        Some(oldest)
    }
}

/// Returns what is behind the lock, also where a thread has panicked with it: no panic leaves a block half kept.
fn lock<T>(pool: &Mutex<T>) -> MutexGuard<'_, T> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns how many bytes `block` counts.
fn cost(block: &[u8]) -> usize {
    block.len() + PLACE
}

/// Returns the place of the list of short blocks of `len` bytes.
fn place(len: usize) -> usize {
    (len / SHORTEST).checked_ilog2().unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::sync::mpsc;
    use std::thread;

    use super::super::{Need, put, take};
    use super::*;

    /// The most short blocks that come in one batch, beside the one that was asked for.
    const MORE: usize = 8;

    fn blocks(len: usize, count: usize) -> Vec<Box<[u8]>> {
        (0..count).map(|_| alloc::vec![0; len].into()).collect()
    }

    fn take_short(len: usize) -> Option<Box<[u8]>> {
        take(Need {
            least: len,
            now: len,
            most: len,
        })
    }

    /// Returns the long blocks of these lengths, of which each has its place in the list as its first byte.
    fn long(lens: &[usize]) -> Long {
        let mut long = Long::NONE;
        for (at, &len) in (0..).zip(lens) {
            let mut block = alloc::vec![0; len];
            block[0] = at;
            assert!(long.put(&mut Some(block.into())).is_none(), "there is room");
        }
        long
    }

    /// Of long blocks a need takes the shortest that has all bytes, else the shortest; of equals the latest.
    #[test]
    fn the_best_long_block_is_taken() {
        let lens = [60_000, 40_000, 50_000, 40_000, 50_000];
        for (range, most, place) in [
            (40_000..=60_000, 45_000, Some(4)),
            (40_000..=60_000, 40_000, Some(3)),
            (40_000..=60_000, 50_000, Some(4)),
            (40_000..=60_000, 60_000, Some(0)),
            (40_000..=60_000, 70_000, Some(3)),
            (40_001..=59_999, 70_000, Some(4)),
            (40_001..=49_999, 0, None),
        ] {
            let mut long = long(&lens);
            let before = long.bytes;
            let taken = long.take(&range, most);
            assert_eq!(taken.as_ref().map(|block| block[0]), place, "{range:?}");
            let len = taken.map_or(0, |block| cost(&block));
            assert_eq!(long.bytes, before - len);
        }
    }

    /// Long blocks have their part of the limit, to the byte: one that does not fit takes the place of the oldest, one by one, and one
    /// that is longer than that part takes none.
    #[test]
    fn the_oldest_long_blocks_make_room() {
        let half = Long::limit() / 2 - PLACE;
        let mut long = long(&[half, half]);
        assert_eq!(long.bytes, Long::limit());

        let mut block = Some(alloc::vec![7; SHORT + 1].into());
        let oldest = long.put(&mut block).expect("the oldest one");
        assert_eq!((oldest[0], oldest.len()), (0, half));
        assert!(block.is_some() && long.bytes == half + PLACE);
        assert!(long.put(&mut block).is_none() && block.is_none());
        assert_eq!(long.bytes, half + SHORT + 1 + 2 * PLACE);

        let mut block = Some(alloc::vec![7; Long::limit() - PLACE + 1].into());
        assert!(long.put(&mut block).is_none() && block.is_some());
        let kept: Vec<_> = long.blocks.iter().map(|block| block[0]).collect();
        assert_eq!(kept, [1, 7]);

        let mut block = Some(alloc::vec![8; Long::limit() - PLACE].into());
        for _ in 0..2 {
            assert!(long.put(&mut block).is_some());
        }
        assert!(long.put(&mut block).is_none() && block.is_none());
        assert_eq!(long.bytes, Long::limit());
    }

    /// Checks that a thread does `first`, and then `second` while another thread has both locks.
    fn check_second_needs_no_lock(first: fn(), second: fn()) {
        let (step, steps) = mpsc::channel();
        let (locked, go_on) = mpsc::channel();
        let worker = thread::spawn(move || {
            first();
            step.send(()).expect("the test waits");
            go_on.recv().expect("the test locks");
            second();
            step.send(()).expect("the test waits");
        });
        steps.recv().expect("the first is done");
        let locks = (lock(&SHORT_BLOCKS), lock(&LONG_BLOCKS));
        locked.send(()).expect("the worker waits");
        let done = steps.recv_timeout(Duration::from_secs(20));
        drop(locks);
        done.expect("the second needs no lock");
        worker.join().expect("no panic");
    }

    /// A thread that needs as many short blocks as it has given back meets no lock.
    #[test]
    fn short_blocks_of_a_thread_need_no_lock() {
        fn round() {
            let held = [300, 3_000, 8_000, 16_000].map(|len| {
                take_short(len)
                    .unwrap_or_else(|| alloc::vec![0; super::super::block_len(len)].into())
            });
            held.into_iter().for_each(put);
        }
        // What is short may take the block that what is longer asks for, so that a few rounds pass before each has its own.
        let rounds = || (0..10).for_each(|_| round());
        check_second_needs_no_lock(rounds, rounds);
    }

    /// Short blocks come from the process and go there by batches: one lock is met for several.
    #[test]
    fn short_blocks_move_by_batches() {
        thread::spawn(|| blocks(512, 100).into_iter().for_each(put))
            .join()
            .expect("no panic");
        check_second_needs_no_lock(
            || assert!(take_short(512).is_some(), "one of the other thread"),
            || (0..MORE).for_each(|_| assert!(take_short(512).is_some(), "of the same batch")),
        );
        // The last one and 16 others stay. One more, and 9 go.
        check_second_needs_no_lock(
            || blocks(512, 18).into_iter().for_each(put),
            || blocks(512, MORE).into_iter().for_each(put),
        );
    }

    /// A thread that panics with a lock leaves the pool to the others.
    #[test]
    fn a_panic_with_a_lock_does_no_harm() {
        let panics = || {
            let _locks = (lock(&SHORT_BLOCKS), lock(&LONG_BLOCKS));
            panic!("with both locks");
        };
        thread::spawn(panics).join().expect_err("it panics");
        assert!(SHORT_BLOCKS.is_poisoned() && LONG_BLOCKS.is_poisoned());
        blocks(1_024, 100).into_iter().for_each(put);
        put(alloc::vec![0; 5 << 20].into());
        let long = Need {
            least: 5 << 20,
            now: 5 << 20,
            most: 5 << 20,
        };
        assert!(take(long).is_some());
        assert!(
            thread::spawn(|| take_short(1_024))
                .join()
                .expect("no panic")
                .is_some()
        );
    }
}
