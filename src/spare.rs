//! A box that a thread keeps for the next who needs one, so that it costs no allocation in steady state.
#![expect(clippy::unnecessary_box_returns, reason = "the box is kept, too")]

use alloc::boxed::Box;
#[cfg(feature = "std")]
use core::cell::Cell;

/// Where a thread keeps its box. Without the feature `std` there is no such place: boxes come and go.
#[cfg(feature = "std")]
pub(crate) type Place<T> = std::thread::LocalKey<Cell<Option<Box<T>>>>;

/// A value of which a thread keeps one.
pub(crate) trait Spare: Default + 'static {
    /// Returns where it is kept.
    #[cfg(feature = "std")]
    fn place() -> &'static Place<Self>;
}

/// Returns the spare box of the thread, or a new one; the value in it is that which was [put](put) there, or the default.
#[inline]
pub(crate) fn take<T: Spare>() -> Box<T> {
    #[cfg(feature = "std")]
    if let Ok(Some(spare)) = T::place().try_with(Cell::take) {
        return spare;
    }
    Box::default()
}

/// Keeps a box for the next who asks.
#[inline]
pub(crate) fn put<T: Spare>(value: Box<T>) {
    // An error means that the thread ends; dropping the box is right then.
    #[cfg(feature = "std")]
    let _ = T::place().try_with(|place| place.set(Some(value)));
    #[cfg(not(feature = "std"))]
    drop(value);
}
