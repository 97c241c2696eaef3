//! An allocator that counts, by thread: the harness has but one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[derive(Clone, Copy, Default)]
pub struct Count {
    /// How often memory was asked for.
    pub calls: u64,
    /// How many bytes were asked for.
    pub asked: u64,
    /// How many bytes are in use.
    pub live: i64,
}

thread_local! {
    static COUNT: Cell<Count> = const { Cell::new(Count { calls: 0, asked: 0, live: 0 }) };
}

/// What has been counted so far.
pub fn count() -> Count {
    COUNT.get()
}

fn note(calls: u64, asked: usize, live: i64) {
    let count = COUNT.get();
    COUNT.set(Count {
        calls: count.calls + calls,
        asked: count.asked + asked as u64,
        live: count.live + live,
    });
}

fn signed(len: usize) -> i64 {
    i64::try_from(len).expect("it is in memory")
}

pub struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: `System` does all of it; the counters are plain numbers that need no memory themselves.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), signed(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), signed(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        note(1, len, signed(len) - signed(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, len) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(0, 0, -signed(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}
