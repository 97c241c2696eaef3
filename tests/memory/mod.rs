//! An account of the memory that each thread, and all of them, ask for and hold.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The allocator of the system, with an account for each thread, since tests run in several.
struct Counting;

/// The bytes that all threads hold.
static HELD_BY_ALL: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Returns the bytes that this thread holds.
pub(crate) fn held() -> usize {
    HELD.get()
}

/// Returns how many bytes more this thread holds now than when that was `before`.
pub(crate) fn held_since(before: usize) -> isize {
    held().wrapping_sub(before).cast_signed()
}

/// Returns the bytes that all threads hold, and the pool of the process.
pub(crate) fn held_by_all() -> usize {
    HELD_BY_ALL.load(Ordering::Relaxed)
}

/// Keeps other tests of the process from its pool, which they share, until it is dropped.
pub(crate) struct Alone {
    _guard: MutexGuard<'static, ()>,
}

/// Waits until no other test of the process counts memory; then the pool of the process is empty and has its default limit.
pub(crate) fn alone() -> Alone {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    empty_the_pool();
    Alone { _guard: guard }
}

/// Frees all that the process keeps for connections to come.
pub(crate) fn empty_the_pool() {
    #[cfg(feature = "std")]
    for limit in [0, sansocket::pool::DEFAULT_LIMIT] {
        sansocket::pool::set_limit(limit);
    }
}

/// Returns how often memory was asked for while `run` ran.
pub(crate) fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

/// Returns the most bytes that were held at once while `run` ran, beyond those that were before. Memory that grows counts
/// once, as if it never moved.
pub(crate) fn peak(run: impl FnOnce()) -> usize {
    let before = held();
    PEAK.set(before);
    run();
    PEAK.get().wrapping_sub(before)
}

fn count(more: usize, less: usize) {
    HELD_BY_ALL.fetch_add(more.wrapping_sub(less), Ordering::Relaxed);
    // An error means that the thread ends, when nobody counts any more.
    let _ = ALLOCATIONS.try_with(|all| all.set(all.get() + usize::from(more > 0)));
    let _ = HELD.try_with(|held| {
        // What another thread has allocated may be freed here.
        let now = held.get().wrapping_add(more).wrapping_sub(less);
        held.set(now);
        let _ = PEAK.try_with(|peak| {
            if now.wrapping_sub(peak.get()).cast_signed() > 0 {
                peak.set(now);
            }
        });
    });
}

// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
