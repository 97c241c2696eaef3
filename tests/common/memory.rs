//! An account of the memory that each thread holds, since tests run in several.
//!
//! A test file that counts declares it as a module of its own, as it replaces the allocator of the whole file.
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait")]
#![allow(dead_code, reason = "no test file uses all of it")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

/// The allocator of the system, with an account for each thread.
struct Counting;

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Returns the bytes that this thread holds.
pub(crate) fn held() -> usize {
    HELD.get()
}

/// Returns how many bytes more this thread holds now than when `held` was `before`.
pub(crate) fn held_since(before: usize) -> isize {
    held().wrapping_sub(before).cast_signed()
}

/// Returns how often memory was asked for while `run` ran.
pub(crate) fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

/// Returns the most bytes that this thread held while `run` ran, beyond those that it held before.
pub(crate) fn peak(run: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    run();
    // A thread that frees what another has allocated holds less than nothing.
    PEAK.get().wrapping_sub(before)
}

fn count(more: usize, less: usize) {
    // An error means that the thread ends, when nobody counts any more.
    let _ = ALLOCATIONS.try_with(|all| all.set(all.get() + usize::from(more > 0)));
    let _ = HELD.try_with(|held| {
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
