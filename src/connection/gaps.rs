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
#[expect(
    clippy::box_collection,
    reason = "most queues have none, and a pointer is smaller"
)]
pub(super) struct Gaps(Option<Box<VecDeque<Gap>>>);

impl Gaps {
    /// Tells whether there are none.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn push(&mut self, gap: Gap) {
        self.0.get_or_insert_with(spare::take).push_back(gap);
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&Gap> {
        self.0.as_ref()?.get(index)
    }

    #[inline]
    pub(super) fn last(&self) -> Option<&Gap> {
        self.0.as_ref()?.back()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Gap> {
        self.0.iter_mut().flat_map(|gaps| gaps.iter_mut())
    }

    /// Drops the first `count` gaps.
    pub(super) fn drop_front(&mut self, count: usize) {
        if let Some(gaps) = &mut self.0 {
            gaps.drain(..count);
        }
    }

    /// Drops all gaps and gives the list back.
    pub(super) fn release(&mut self) {
        if let Some(gaps) = self.0.take() {
            spare::put(gaps);
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
    #![expect(
        clippy::box_collection,
        clippy::unnecessary_box_returns,
        reason = "the box is kept, too"
    )]

    use alloc::boxed::Box;
    use alloc::collections::VecDeque;
    use core::cell::Cell;

    use crate::connection::gaps::Gap;

    /// The longest list that is kept, in gaps.
    const MOST: usize = 1 << 10;

    std::thread_local! {
        static SPARE: Cell<Option<Box<VecDeque<Gap>>>> = const { Cell::new(None) };
    }

    pub(super) fn take() -> Box<VecDeque<Gap>> {
        SPARE
            .try_with(Cell::take)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    pub(super) fn put(mut gaps: Box<VecDeque<Gap>>) {
        gaps.clear();
        if gaps.capacity() <= MOST {
            // An error means that the thread ends; dropping the list is right then.
            let _ = SPARE.try_with(|spare| spare.set(Some(gaps)));
        }
    }
}

#[cfg(not(feature = "std"))]
mod spare {
    //! Stands for the spare list where there are no threads to keep it.
    #![expect(
        clippy::box_collection,
        clippy::unnecessary_box_returns,
        reason = "as with the feature `std`"
    )]

    use alloc::boxed::Box;
    use alloc::collections::VecDeque;

    use crate::connection::gaps::Gap;

    pub(super) fn take() -> Box<VecDeque<Gap>> {
        Box::default()
    }

    pub(super) fn put(gaps: Box<VecDeque<Gap>>) {
        drop(gaps);
    }
}
