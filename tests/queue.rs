//! The memory of the outgoing queue: blocks that are neither moved nor copied while they wait, and go back when written.
#![cfg(feature = "std")] // without it there is no pool, and no vectored write that shows where bytes lie

mod common;
mod memory;

use std::io::IoSlice;
use std::ops::Range;

use bytes::{Buf, Bytes};
use common::{BOTH, connection, fresh, naive, take};
use memory::{allocations, alone, empty_the_pool, held, held_since};
use sansocket::{Config, Connection, Role};

/// The longest block of the queue.
const BLOCK: usize = 64 << 10;

/// Returns a connection that takes any number of bytes to write.
fn unlimited(role: Role) -> Connection {
    let config = Config::default()
        .with_outgoing_limit(usize::MAX)
        .with_high_watermark(u32::MAX);
    connection(role, &config)
}

/// Returns where each byte of a queue lies in memory, as ranges in the order in which they go out.
fn places(conn: &mut Connection) -> Vec<Range<usize>> {
    let mut slices = vec![IoSlice::new(&[]); 10_000];
    let outgoing = &*conn.outgoing();
    let count = outgoing.chunks_vectored(&mut slices);
    let mut places: Vec<Range<usize>> = Vec::new();
    for slice in &slices[..count] {
        let begin = slice.as_ptr().addr();
        let end = begin + slice.len();
        match places.last_mut() {
            Some(last) if last.end == begin => last.end = end,
            _ => places.push(begin..end),
        }
    }
    places
}

/// Tells whether `places` begin with what is left of `before` without its first `written` bytes.
fn is_unmoved(before: &[Range<usize>], mut written: usize, places: &[Range<usize>]) -> bool {
    let mut places = places.iter();
    before.iter().all(|range| {
        let gone = written.min(range.len());
        written -= gone;
        let rest = range.start + gone..range.end;
        rest.is_empty()
            || places
                .next()
                .is_some_and(|place| place.start == rest.start && place.end >= rest.end)
    })
}

/// T-06: bytes that wait stay where they are, however much is queued behind them and written before them.
#[test]
fn bytes_that_wait_are_not_moved() {
    let _alone = alone();
    for role in BOTH {
        for len in [10, 125, 1_000, 8 << 10, 70_000] {
            let mut conn = unlimited(role);
            conn.send_binary(&vec![1; len]).expect("open");
            for total in [1_000, 100_000, 3_000_000] {
                let before = places(&mut conn);
                while conn.buffered() < total {
                    conn.send_binary(&vec![2; len]).expect("open");
                }
                let after = places(&mut conn);
                assert!(is_unmoved(&before, 0, &after), "{len} to {total}, {role:?}");
                // Not all of what waited before, lest nothing is left to compare.
                let written = conn.buffered().min(total) / 3;
                conn.outgoing().advance(written);
                let rest = places(&mut conn);
                assert!(
                    is_unmoved(&after, written, &rest),
                    "{len} to {total}, {role:?}"
                );
            }
        }
    }
}

/// T-06: a message of any length lies in blocks of 64 KiB at most, and its bytes are right, also where a block ends inside
/// of a header or a masking key.
#[test]
fn frames_may_lie_in_several_blocks() {
    let _alone = alone();
    for role in BOTH {
        for first in [0, 1, 100, 1_008, 1_015, 1_020, 32_000] {
            for len in [
                0,
                100,
                5_000,
                BLOCK - 14,
                BLOCK,
                BLOCK + 1,
                200_000,
                1 << 20,
            ] {
                let mut conn = unlimited(role);
                conn.send_binary(&vec![1; first]).expect("open");
                let payload: Vec<_> = (0..len).map(|i| (i % 251).to_le_bytes()[0]).collect();
                for _ in 0..3 {
                    conn.send_binary(&payload).expect("open");
                }
                let most = places(&mut conn).iter().map(Range::len).max();
                assert!(most <= Some(BLOCK), "{most:?} of {len}");
                let frames = naive::parse(&take(&mut conn));
                assert_eq!(frames.len(), 4);
                assert!(frames[1..].iter().all(|frame| frame.payload == payload));
            }
        }
    }
}

/// S-03: what waits takes a tenth and 64 KiB more than its length, of which nothing is asked for twice, and each block goes
/// back once it is written.
#[test]
fn memory_follows_what_waits() {
    let _alone = alone();
    for role in BOTH {
        for len in [20, 125, 3_000, 8 << 10, 100_000] {
            for total in [
                30_000,
                64 << 10,
                200_000,
                400_000,
                700_000,
                1 << 20,
                16 << 20,
            ] {
                // In a thread of its own, which has no other memory to use again.
                let fill = move || check_memory(role, len, total);
                std::thread::spawn(fill).join().expect("no panic");
            }
        }
    }
}

fn check_memory(role: Role, len: usize, total: usize) {
    let message = vec![7; len];
    let mut conn = unlimited(role);
    let before = held();
    let check = |conn: &Connection, spare: usize| {
        empty_the_pool();
        // The lists of blocks and write points are as long as the queue has been.
        let lists = total / 100 + (4 << 10);
        let most = conn.buffered() + conn.buffered() / 10 + BLOCK + lists + spare;
        let held = held_since(before);
        assert!(held <= most.cast_signed(), "{held} of {most} for {len}");
    };
    let asked = allocations(|| {
        while conn.buffered() < total {
            conn.send_binary(&message).expect("open");
        }
    });
    // A block each, and a few lists that grow.
    assert!(asked <= total / BLOCK + 50, "{asked} times for {len}");
    check(&conn, 0);
    for _ in 0..20 {
        conn.outgoing().advance(total / 20 - 7);
        // What the thread keeps of what was written.
        check(&conn, 64 << 10);
        while conn.buffered() < total / 2 {
            conn.send_binary(&message).expect("open");
        }
        check(&conn, 64 << 10);
    }
}

/// S-13: few bytes that wait hold little memory, on each of many connections.
#[test]
fn short_messages_that_wait_hold_little() {
    let _alone = alone();
    for role in BOTH {
        let mut all: Vec<_> = (0..1_000).map(|_| fresh(role)).collect();
        empty_the_pool();
        let before = held();
        for conn in &mut all {
            conn.send_binary(&[7; 125]).expect("open");
        }
        let held = held_since(before);
        assert!(held <= 1_000 * 256 + (32 << 10), "{held} bytes, {role:?}");
    }
}

/// S-13: a queue that is always behind by a few hundred KiB asks for no memory in steady state.
#[test]
fn a_long_queue_in_steady_state_allocates_nothing() {
    let _alone = alone();
    for role in BOTH {
        for len in [100, 5_000, 20_000] {
            let message = vec![7; len];
            let mut conn = fresh(role);
            let mut round = || {
                while conn.buffered() < 500_000 {
                    conn.send_binary(&message).expect("open");
                }
                let ping = &mut [0x89, 0x80, 0, 0, 0, 0][..];
                let ping = match role {
                    Role::Server => ping,
                    Role::Client => &mut [0x89, 0][..],
                };
                let mut input = ping;
                while conn.receive(&mut input).expect("legal").is_some() {}
                while conn.buffered() > 300_000 {
                    let some = conn.outgoing().chunk().len().min(1_460);
                    conn.outgoing().advance(some);
                }
            };
            (0..30).for_each(|_| round());
            let asked = allocations(|| (0..10).for_each(|_| round()));
            assert_eq!(asked, 0, "{len}, {role:?}");
        }
    }
}

/// T-06: shared payloads lie where the caller put them, in any mix with copied ones, and are let go when they are written.
#[test]
fn shared_payloads_are_let_go() {
    let _alone = alone();
    let payload = Bytes::from(vec![7; 5_000]);
    let mut conn = unlimited(Role::Server);
    for i in 0..100 {
        conn.send_binary(&vec![1; i * 100]).expect("open");
        conn.send(payload.clone()).expect("open");
    }
    let shared = places(&mut conn)
        .iter()
        .filter(|place| place.start == payload.as_ptr().addr())
        .count();
    assert_eq!(shared, 100);
    while conn.buffered() > 0 {
        let some = conn.buffered().min(777);
        conn.outgoing().advance(some);
    }
    assert!(payload.is_unique(), "nobody else has the payload");
}
