//! The short blocks of a thread, which are taken and put back without a lock.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::process;

/// The most blocks that a thread keeps beside the last one, and how many bytes they have at most. One connection at work
/// holds at most four.
const MOST_BLOCKS: usize = 16;
const MOST_BYTES: usize = 32 << 10;

/// The blocks that a thread keeps beside the last one; the latest stands at the end.
struct List {
    blocks: Vec<Box<[u8]>>,
    bytes: usize,
}

std::thread_local! {
    /// The block that was put here last: where one connection after the other writes or gathers a little, it is the only
    /// one, and still in the cache.
    static LAST: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };

    static LIST: RefCell<List> = const { RefCell::new(List { blocks: Vec::new(), bytes: 0 }) };
}

/// Takes the last block if it has `least` bytes.
#[inline]
pub(crate) fn take_last(least: usize) -> Option<Box<[u8]>> {
    let taken = LAST.try_with(|last| {
        let block = last.take()?;
        if block.len() >= least {
            return Some(block);
        }
        last.set(Some(block));
        None
    });
    taken.ok().flatten()
}

/// Takes a block of `most` bytes, else one of `least`: the last one, the smallest that fits, or one of the process.
#[inline]
pub(super) fn take(least: usize, most: usize) -> Option<Box<[u8]>> {
    take_last(most).or_else(|| take_other(least, most))
}

#[inline(never)]
fn take_other(least: usize, most: usize) -> Option<Box<[u8]>> {
    // An error means that the thread ends.
    let listed = LIST.try_with(|list| list.borrow_mut().take(least, most));
    let taken = listed.ok().flatten().or_else(|| take_last(least));
    taken.or_else(|| {
        let refilled = LIST.try_with(|list| list.borrow_mut().refill(most));
        refilled.ok().flatten()
    })
}

/// Keeps `block` as the last one, and the one before in the list.
#[inline]
pub(super) fn put(block: Box<[u8]>) {
    // An error means that the thread ends; dropping the block is right then.
    if let Ok(Some(before)) = LAST.try_with(|last| last.replace(Some(block))) {
        put_other(before);
    }
}

#[inline(never)]
fn put_other(block: Box<[u8]>) {
    let _ = LIST.try_with(|list| list.borrow_mut().put(block));
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "`bytes` is the sum of the lengths of `blocks`"
)]
impl List {
    fn take(&mut self, least: usize, most: usize) -> Option<Box<[u8]>> {
        let mut best = None;
        // Of those that are as long, the latest: it may still be in the cache.
        for (at, block) in self.blocks.iter().enumerate().rev() {
            let rank = (block.len() < most, block.len());
            if block.len() >= least && best.is_none_or(|(best, _)| rank < best) {
                best = Some((rank, at));
                if block.len() == super::block_len(most) {
                    break; // none fits better
                }
            }
        }
        let (_, at) = best?;
        let block = self.blocks.remove(at);
        self.bytes -= block.len();
        Some(block)
    }

    /// Takes a block of `len` bytes from the process, and a few more for the list, so that the next ones need no lock.
    fn refill(&mut self, len: usize) -> Option<Box<[u8]>> {
        let len = super::block_len(len);
        let room = (MOST_BYTES - self.bytes).min(MOST_BYTES / 2) / len;
        let more = room
            .min(MOST_BLOCKS - self.blocks.len())
            .min(MOST_BLOCKS / 2);
        let taken = process::take_short(len, more, &mut self.blocks)?;
        self.bytes = self.blocks.iter().map(|block| block.len()).sum();
        Some(taken)
    }

    /// Keeps `block`. If the list is full, its oldest blocks go to the process, until it is half empty.
    fn put(&mut self, block: Box<[u8]>) {
        let (count, bytes) = (self.blocks.len() + 1, self.bytes + block.len());
        if count > MOST_BLOCKS || bytes > MOST_BYTES {
            self.give_away(block.len());
        }
        self.bytes += block.len();
        self.blocks.push(block);
    }

    /// Gives the oldest blocks to the process, so that there will be half of the most there may be with one of `len` more.
    fn give_away(&mut self, len: usize) {
        let (mut count, mut bytes) = (self.blocks.len() + 1, self.bytes + len);
        let given = self.blocks.iter().take_while(|block| {
            let give = count > MOST_BLOCKS / 2 || bytes > MOST_BYTES / 2;
            count -= usize::from(give);
            bytes -= if give { block.len() } else { 0 };
            give
        });
        let given = given.count();
        self.bytes = bytes - len;
        process::put_short(self.blocks.drain(..given));
    }
}

#[cfg(test)]
mod tests {
    use super::super::SHORT;
    use super::*;

    const NONE: List = List {
        blocks: Vec::new(),
        bytes: 0,
    };

    /// Returns a block with `mark` as its first byte.
    fn block(len: usize, mark: u8) -> Box<[u8]> {
        let mut block = alloc::vec![0; len];
        block[0] = mark;
        block.into()
    }

    /// Returns a list in which blocks of these lengths were put, each with its place as its mark.
    fn list(lens: &[usize]) -> List {
        let mut list = NONE;
        for (mark, &len) in (0..).zip(lens) {
            list.put(block(len, mark));
        }
        list
    }

    /// Returns the marks of the blocks, whose lengths have to be counted right.
    fn marks(list: &List) -> Vec<u8> {
        assert_eq!(
            list.bytes,
            list.blocks.iter().map(|block| block.len()).sum()
        );
        list.blocks.iter().map(|block| block[0]).collect()
    }

    /// A thread keeps 16 blocks and 32 KiB in its list. If that is passed, the latest half stays.
    #[test]
    fn a_full_list_keeps_its_latest_half() {
        for (lens, kept) in [
            (&[512; 16][..], 0..16),
            (&[512; 17], 9..17),
            (&[4 << 10; 8], 0..8),
            (&[4 << 10; 9], 5..9),
            (&[16 << 10; 2], 0..2),
            (&[16 << 10; 3], 2..3),
            (&[32 << 10; 2], 1..2),
            (&[16 << 10, 8 << 10, 4 << 10, 4 << 10, 4 << 10, 256], 2..6),
            (&[256, 256, 16 << 10, 8 << 10, 4 << 10, 8 << 10], 4..6),
        ] {
            let kept: Vec<u8> = kept.collect();
            assert_eq!(marks(&list(lens)), kept, "of {lens:?}");
        }
    }

    /// Of its blocks a thread takes the shortest that has all bytes, else the shortest; of equals the latest.
    #[test]
    fn the_best_block_is_taken() {
        let lens = [4_096, 1_024, 2_048, 1_024, 2_048, 512];
        for (least, most, mark) in [
            (300, 300, Some(5)),
            (300, 1_024, Some(3)),
            (300, 1_025, Some(4)),
            (300, 4_096, Some(0)),
            (300, 5_000, Some(5)),
            (600, 5_000, Some(3)),
            (4_097, 5_000, None),
        ] {
            let mut list = list(&lens);
            let taken = list.take(least, most);
            assert_eq!(taken.as_ref().map(|block| block[0]), mark, "{least} {most}");
            assert_eq!(marks(&list).len(), 6 - usize::from(mark.is_some()));
        }
    }

    /// With one block of the process come as many as fit into half of the list, and into the rest of it.
    #[test]
    fn a_list_is_refilled_to_half() {
        let give = |len: usize| {
            let given = std::thread::spawn(move || (0..200).for_each(|_| put(block(len, 0))));
            given.join().expect("no panic");
        };
        for (len, had, more) in [
            (512, &[][..], 8),
            (512, &[256; 12], 4),
            (512, &[256; 16], 0),
            (512, &[15 << 10, 15 << 10], 4),
            (2 << 10, &[], 8),
            (4 << 10, &[], 4),
            (4 << 10, &[20 << 10], 3),
            (16 << 10, &[], 1),
            (SHORT, &[], 0),
        ] {
            give(len);
            let mut list = list(had);
            let taken = list.refill(len - 1).expect("there is one");
            assert_eq!(taken.len(), len);
            let count = marks(&list).len() - had.len();
            assert_eq!(count, more, "of {len} bytes beside {had:?}");
        }
    }

    /// The last block is taken if it has the least that is needed.
    #[test]
    fn the_last_block_is_taken_if_it_is_long_enough() {
        put(block(512, 1));
        assert!(take_last(513).is_none());
        assert!(take_last(512).is_some_and(|block| block[0] == 1));
        assert!(take_last(0).is_none(), "it was taken");
    }
}
