//! The places in the outgoing queue where Pings and Pongs may go out in between.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::Bytes;

/// A gap between two frames.
#[derive(Debug)]
pub(super) struct Gap {
    /// Where the frame behind it begins.
    pub(super) begin: usize,
    /// Where `payload` belongs; `begin` if there is none.
    pub(super) end: usize,
    /// The payload of the frame behind it, unless that was copied.
    pub(super) payload: Bytes,
}

/// The gaps of a queue, in order. The list is a spare one of the thread's while there are any, so that it costs neither memory
/// in an idle connection nor an allocation in steady state.
#[derive(Debug, Default)]
pub(super) struct Gaps(Option<Box<List>>);

#[derive(Debug, Default)]
struct List {
    gaps: VecDeque<Gap>,
    /// How many bytes of the payloads wait to be written.
    payload: usize,
}

impl Gaps {
    /// Tells whether there are none.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sum of lengths that lie in memory"
    )]
    pub(super) fn push(&mut self, gap: Gap) {
        let list = self.0.get_or_insert_with(spare::take);
        list.payload += gap.payload.len();
        list.gaps.push_back(gap);
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&Gap> {
        self.0.as_ref()?.gaps.get(index)
    }

    #[inline]
    pub(super) fn last(&self) -> Option<&Gap> {
        self.0.as_ref()?.gaps.back()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Gap> {
        self.0.iter_mut().flat_map(|list| list.gaps.iter_mut())
    }

    /// Returns how many bytes of the payloads wait to be written.
    #[inline]
    pub(super) fn payload(&self) -> usize {
        self.0.as_ref().map_or(0, |list| list.payload)
    }

    /// Says that `count` more bytes of the payloads have been written.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no more is written than waits"
    )]
    pub(super) fn advance(&mut self, count: usize) {
        if let Some(list) = &mut self.0 {
            list.payload -= count;
        }
    }

    /// Drops the first `count` gaps.
    pub(super) fn drop_front(&mut self, count: usize) {
        if let Some(list) = &mut self.0 {
            list.gaps.drain(..count);
        }
    }

    /// Drops all gaps and gives the list back.
    pub(super) fn release(&mut self) {
        if let Some(list) = self.0.take() {
            spare::put(list);
        }
    }
}

impl Drop for Gaps {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(feature = "std")]
mod spare {
    //! The list that the thread has used last.
    #![expect(clippy::unnecessary_box_returns, reason = "the box is kept, too")]

    use alloc::boxed::Box;
    use core::cell::Cell;

    use crate::connection::gaps::List;

    /// The longest list that is kept, in gaps.
    const MOST: usize = 1 << 10;

    std::thread_local! {
        static SPARE: Cell<Option<Box<List>>> = const { Cell::new(None) };
    }

    pub(super) fn take() -> Box<List> {
        SPARE
            .try_with(Cell::take)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    pub(super) fn put(mut list: Box<List>) {
        list.gaps.clear();
        list.payload = 0;
        if list.gaps.capacity() <= MOST {
            // An error means that the thread ends; dropping the list is right then.
            let _ = SPARE.try_with(|spare| spare.set(Some(list)));
        }
    }
}

#[cfg(not(feature = "std"))]
mod spare {
    //! Stands for the spare list where there are no threads to keep it.
    #![expect(clippy::unnecessary_box_returns, reason = "as with the feature `std`")]

    use alloc::boxed::Box;

    use crate::connection::gaps::List;

    pub(super) fn take() -> Box<List> {
        Box::default()
    }

    pub(super) fn put(list: Box<List>) {
        drop(list);
    }
}
