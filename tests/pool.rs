//! The pool: how much memory threads and the process keep for connections to come, and who gets it.
#![cfg(feature = "std")] // without it there is no pool

mod common;
mod memory;

use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

use common::{fresh, naive};
use memory::{allocations, alone, empty_the_pool, held, held_by_all, held_since};
use sansocket::{Connection, Event, Role, pool};

/// What a thread keeps at most beside its short blocks: boxes that say where payloads lie.
const BOXES: usize = 1 << 10;

/// The most short blocks that a thread keeps, in bytes.
const THREAD: usize = 64 << 10;

/// What other tests may hold more than before, as they begin and end, in bytes.
const NOISE: usize = 16 << 10;

/// Returns a message of `len` bytes that is gathered, as it comes in two frames.
fn gathered(conn: &mut Connection, len: usize) -> Event<'static> {
    let mut first = naive::frame(0x02, &vec![7; len]);
    assert!(conn.receive(&mut &mut first[..]).expect("legal").is_none());
    let mut last = bytes::BytesMut::from(&[0x80, 0][..]);
    let event = conn.receive_bytes(&mut last).expect("legal");
    event.expect("a message")
}

/// Has messages of these lengths gathered, all held at once, and drops them in this order.
fn gather(lens: &[usize]) {
    let mut conn = fresh(Role::Client);
    let all: Vec<_> = lens.iter().map(|&len| gathered(&mut conn, len)).collect();
    drop(all);
}

/// Returns how often memory was asked for to gather a message of `len` bytes.
fn asked_for(len: usize) -> usize {
    let mut conn = fresh(Role::Client);
    let mut frame = naive::frame(0x82, &vec![7; len]);
    let most = frame.len() * 3 / 4;
    let (first, rest) = frame.split_at_mut(most);
    allocations(|| {
        assert!(conn.receive(&mut &mut *first).expect("legal").is_none());
        conn.receive(&mut &mut *rest)
            .expect("legal")
            .expect("a message");
    })
}

/// Returns how often memory was asked for to gather the first fragment of a message, of `len` bytes.
fn fragment_asks_for(len: usize) -> usize {
    let mut conn = fresh(Role::Client);
    let mut frame = naive::frame(0x02, &vec![7; len]);
    allocations(|| {
        let event = conn.receive(&mut &mut *frame).expect("legal");
        assert!(event.is_none());
    })
}

/// Receives a message of `len` bytes by reads of 64 KiB.
fn hear_long(conn: &mut Connection, len: usize) {
    let mut read = vec![0; 64 << 10];
    read[..2].copy_from_slice(&[0x82, 127]);
    read[2..10].copy_from_slice(&(len as u64).to_be_bytes());
    let mut rest = len + 10;
    while rest > 0 {
        let count = rest.min(read.len());
        rest -= count;
        let event = conn.receive(&mut &mut read[..count]).expect("legal");
        assert_eq!(event.is_some(), rest == 0);
        drop(event);
        read.fill(0);
    }
}

/// Returns how many bytes more all threads hold than `before`.
fn more_than(before: usize) -> usize {
    held_by_all().saturating_sub(before)
}

/// S-13: where each thread serves a connection, and each connection has heard a message of 16 MiB and is idle, the process keeps
/// 64 MiB at most and each thread 64 KiB.
#[test]
fn threads_with_idle_connections_keep_little() {
    let _alone = alone();
    let threads = 200;
    let before = held_by_all();
    let (done, finished) = mpsc::channel();
    let idle: Vec<_> = (0..threads)
        .map(|number| {
            let (end, ended) = mpsc::channel::<()>();
            let done = done.clone();
            let thread = thread::spawn(move || {
                let mut conn = fresh(Role::Client);
                hear_long(&mut conn, 16 << 20);
                gather(&[100, 5_000, 20_000, 30_000, 100_000]);
                done.send(()).expect("the test waits");
                // The end of the test ends the thread.
                ended.recv().expect_err("nothing is sent");
            });
            // A few work at the same time.
            if number >= 8 {
                finished.recv().expect("a thread has finished");
            }
            (thread, end)
        })
        .collect();
    finished.iter().take(8).for_each(drop);
    let kept = more_than(before);
    assert!(kept >= 16 << 20, "{kept} bytes: long memory is kept");
    assert!(
        kept <= pool::DEFAULT_LIMIT + threads * THREAD,
        "{kept} bytes"
    );
    for (thread, end) in idle {
        drop(end);
        thread.join().expect("no panic");
    }
}

/// S-13: a thread keeps 64 KiB of short blocks at most, however many there were, and of whatever lengths.
#[test]
fn a_thread_keeps_64_kib() {
    let _alone = alone();
    let mixed: Vec<_> = (0..2_000).map(|number| 1 << (number % 16)).collect();
    let lens = [
        &[200; 1_000][..],
        &[3_000; 100],
        &[16 << 10; 100],
        &[32 << 10; 20],
        &[33 << 10; 20],
    ];
    for lens in lens.into_iter().chain([&mixed[..]]) {
        let keep = || {
            let before = held();
            gather(lens);
            empty_the_pool();
            held_since(before)
        };
        let kept = thread::scope(|scope| scope.spawn(keep).join().expect("no panic"));
        let most = (THREAD + BOXES).cast_signed();
        assert!(kept <= most, "{kept} bytes of {:?}", &lens[..1]);
        let least = if lens[0] > 32 << 10 { 0 } else { 256 };
        assert!(kept >= least, "{kept} bytes of {:?}", &lens[..1]);
    }
}

/// S-13: the process keeps what its limit says, however many blocks there were, and of whatever lengths.
#[test]
fn the_process_keeps_its_limit() {
    let _alone = alone();
    let limit = 8 << 20;
    let mixed: Vec<_> = (0..20_000).map(|number| 1 << (number % 18)).collect();
    pool::set_limit(limit);
    for lens in [
        &vec![200; 20_000][..],
        &[20_000; 2_000],
        &[100_000; 200],
        &[3 << 20; 5],
        &[9 << 20; 2],
        &mixed,
        &[1 << 20; 20],
    ] {
        let before = held_by_all();
        gather(lens);
        let kept = more_than(before);
        assert!(kept <= limit + THREAD + BOXES, "{kept} bytes");
        pool::set_limit(0);
        let kept = more_than(before);
        assert!(
            kept <= THREAD + BOXES,
            "{kept} bytes where nothing may be kept"
        );
        pool::set_limit(limit);
    }
}

/// Short blocks have an eighth of the limit, the lists that they stand in included.
#[test]
fn short_blocks_have_an_eighth() {
    let _alone = alone();
    // With the second one, the list of the shortest has half of its memory unused.
    for limit in [8 << 20, 4_603_200] {
        for len in [200, 1_000, 30_000] {
            pool::set_limit(limit);
            let before = held_by_all();
            gather(&vec![len; (4 << 20) / len]);
            let by_all = more_than(before);
            let most = limit / 8 + THREAD;
            assert!((limit / 10..=most).contains(&by_all), "{by_all} bytes");
            // Of the shortest a thread keeps little: 17 blocks.
            let most = limit / 8 + 17 * 256 + BOXES;
            assert!(len > 256 || by_all <= most, "{by_all} bytes of {limit}");
            empty_the_pool();
        }
    }
}

/// That some short blocks were taken makes no room for more than those.
#[test]
fn short_blocks_make_room_for_as_many() {
    let _alone = alone();
    let limit = 8 << 20;
    pool::set_limit(limit);
    let before = held_by_all();
    let mut conn = fresh(Role::Client);
    let mut first: Vec<_> = (0..20_000).map(|_| gathered(&mut conn, 200)).collect();
    let second = first.split_off(10_000);
    drop(first);
    thread::spawn(|| gather(&[200])).join().expect("no panic");
    drop(second);
    let kept = more_than(before);
    let most = limit / 8 + THREAD;
    assert!((limit / 10..=most).contains(&kept), "{kept} bytes");
}

/// A thread that takes the last short block of one length leaves those of the others.
#[test]
fn a_length_that_is_used_up_leaves_the_others() {
    let _alone = alone();
    let gives = || gather(&[&[200; 40][..], &[20_000; 10]].concat());
    thread::spawn(gives).join().expect("no panic");
    let needs = || {
        let mut conn = fresh(Role::Client);
        let all: Vec<_> = (0..100).map(|_| gathered(&mut conn, 200)).collect();
        let before = held();
        let kept = gathered(&mut conn, 20_000);
        let taken = held_since(before);
        drop((all, kept));
        taken
    };
    let taken = thread::spawn(needs).join().expect("no panic");
    assert!(taken < 1 << 10, "{taken} bytes anew");
}

/// A short block is kept if the limit is met to the byte.
#[test]
fn a_short_block_may_meet_the_limit() {
    let _alone = alone();
    // An eighth of the limit is for short blocks, of which each counts two pointers with their lengths.
    let limit = 8 * 18 * (256 + 2 * size_of::<Box<[u8]>>());
    let anew = |limit| {
        empty_the_pool();
        pool::set_limit(limit);
        thread::spawn(|| gather(&[200; 60]))
            .join()
            .expect("no panic");
        pool::set_limit(limit);
        let needs = || {
            let before = held();
            let mut conn = fresh(Role::Client);
            let all: Vec<_> = (0..60).map(|_| gathered(&mut conn, 200)).collect();
            let taken = held_since(before);
            drop(all);
            taken
        };
        thread::spawn(needs).join().expect("no panic")
    };
    let (met, passed) = (anew(limit), anew(limit - 8));
    assert_eq!(passed - met, 256, "one block less is kept");
}

/// A limit that is met to the byte frees nothing.
#[test]
fn a_limit_may_be_met() {
    let _alone = alone();
    // Seven eighths of the limit are for long blocks, of which each counts two pointers with their lengths.
    let limit = 1_200_000;
    let len = limit / 8 * 7 - 2 * size_of::<Box<[u8]>>();
    gather(&[10, len]);
    for (limit, asked) in [(limit, 0), (limit - 8, 1)] {
        pool::set_limit(limit);
        assert_eq!(asked_for(len), asked, "with a limit of {limit}");
    }
}

/// A lower limit frees what is beyond at once, and the limit before what comes next.
#[test]
fn a_lower_limit_frees_memory() {
    let _alone = alone();
    let before = held_by_all();
    let lens = [&[1 << 20; 20][..], &[10_000; 500]].concat();
    gather(&lens);
    assert!(more_than(before) > 24 << 20);
    for limit in [64 << 20, 2 << 20, 0] {
        pool::set_limit(limit);
        let kept = more_than(before);
        assert!(kept <= limit + THREAD + BOXES, "{kept} bytes of {limit}");
        gather(&lens);
        let kept = more_than(before);
        assert!(kept <= limit + THREAD + BOXES, "{kept} bytes of {limit}");
    }
    assert!(asked_for(1 << 20) > 0);
    assert!(asked_for(1 << 20) > 0, "nothing is kept");
}

/// Memory that one thread has given back serves another one: long blocks at once, short ones where there are many.
#[test]
fn memory_serves_another_thread() {
    let _alone = alone();
    let gives = |lens: &'static [usize]| {
        let giver = thread::spawn(|| gather(lens));
        giver.join().expect("no panic");
    };
    for (lens, len) in [
        (&[8 << 20][..], 8 << 20),
        (&[40_000], 40_000),
        (&[20_000; 10], 20_000),
        (&[200; 100], 200),
    ] {
        gives(lens);
        // The first message takes a box that says where it lies, too, and none is to spare in a new thread.
        let asks = thread::spawn(move || asked_for(len));
        let asked = asks.join().expect("no panic");
        assert!(asked <= 2, "{asked} times for {len} bytes");
        let needs = move || {
            let before = held();
            let kept = gathered(&mut fresh(Role::Client), len);
            let taken = held_since(before);
            drop(kept);
            taken
        };
        gives(lens);
        let taken = thread::spawn(needs).join().expect("no panic");
        assert!(taken < 1 << 10, "{taken} bytes anew of {len}");
    }
}

/// Short blocks that were taken from the process make room for others, however long that goes on.
#[test]
fn short_blocks_come_and_go() {
    let _alone = alone();
    pool::set_limit(4 << 20); // 512 KiB of it for short blocks, which are 15 of 32 KiB
    for round in 0..40 {
        let giver = thread::spawn(|| gather(&[20_000; 10]));
        giver.join().expect("no panic");
        let needs = || {
            let before = held();
            let kept = gathered(&mut fresh(Role::Client), 20_000);
            let taken = held_since(before);
            drop(kept);
            taken
        };
        let taken = thread::spawn(needs).join().expect("no panic");
        assert!(taken < 1 << 10, "{taken} bytes anew in round {round}");
    }
}

/// A thread that ends leaves none of the memory that it kept, unless the process has it.
#[test]
fn a_thread_that_ends_leaves_nothing() {
    let _alone = alone();
    let one = || thread::spawn(|| gather(&[200, 1_000, 20_000, 20_000, 20_000])).join();
    one().expect("no panic");
    empty_the_pool();
    let before = held_by_all();
    for _ in 0..10 {
        one().expect("no panic");
    }
    empty_the_pool();
    let left = more_than(before);
    assert!(left < NOISE, "{left} bytes");
}

/// A connection may work in the destructor of a thread, where the thread keeps nothing any more.
#[test]
fn a_connection_works_in_a_destructor() {
    struct Late(Option<Event<'static>>);

    impl Drop for Late {
        fn drop(&mut self) {
            drop(self.0.take());
            gather(&[200, 20_000, 100_000, 100_000]);
            let mut conn = fresh(Role::Client);
            conn.send_binary(&[7; 100]).expect("open");
            conn.ping(&[7; 100]).expect("open");
        }
    }

    std::thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }

    let _alone = alone();
    for first in [true, false] {
        let work = move || {
            let late = |event| LATE.set(Some(Late(event)));
            if first {
                late(None);
            }
            // What is used first is destroyed last, or the other way round.
            late(Some(gathered(&mut fresh(Role::Client), 20_000)));
        };
        let before = held_by_all();
        thread::spawn(work).join().expect("no panic");
        empty_the_pool();
        let left = more_than(before);
        assert!(left < NOISE, "{left} bytes");
    }
}

/// Of long blocks, those that came last are kept, and a block that is too long drives out none.
#[test]
fn the_oldest_make_room() {
    const KIB: usize = 1 << 10;
    let _alone = alone();
    pool::set_limit(4_600 * KIB); // 4,025 KiB of it for long blocks
    gather(&[10]); // leaves the box that says where a payload lies
    gather(&[1_000 * KIB, 100 * KIB, 2_500 * KIB]);
    // The block of 1,000 KiB is the latest once it was used.
    assert_eq!(asked_for(1_000 * KIB), 0);
    gather(&[6_000 * KIB]);
    assert_eq!(asked_for(450 * KIB), 1);
    let asked = [1_000, 2_500, 450, 100].map(|len| asked_for(len * KIB));
    assert_eq!(asked, [0, 0, 0, 1]);
}

/// A fragment of 4 KiB, with others of an unknown sum to come, takes a block of up to 64 KiB; a shorter one takes none that is
/// long.
#[test]
fn a_fragment_takes_no_more_than_64_kib() {
    let _alone = alone();
    for (block, fragment, asked) in [
        (64 << 10, 4 << 10, 0),
        (64 << 10, 32 << 10, 0),
        (33 << 10, 4 << 10, 0),
        (64 << 10, (4 << 10) - 1, 1),
        ((64 << 10) + 1, 4 << 10, 1),
        ((64 << 10) + 1, 32 << 10, 1),
        // A block that is short serves any need of its length.
        (32 << 10, 32 << 10, 0),
    ] {
        empty_the_pool();
        let asks = || {
            gather(&[block]);
            fragment_asks_for(fragment)
        };
        let found = thread::scope(|scope| scope.spawn(asks).join().expect("no panic"));
        assert_eq!(found, asked, "{fragment} bytes, and a block of {block}");
    }
}

/// A message of 32 KiB takes a short block, and leaves a long one to those that are longer.
#[test]
fn a_short_message_takes_no_long_block() {
    let _alone = alone();
    let asks = |len| {
        empty_the_pool();
        let asks = || {
            gather(&[40_000]);
            let before = held();
            let asked = asked_for(len);
            (asked, held_since(before) > 30_000)
        };
        thread::scope(|scope| scope.spawn(asks).join().expect("no panic"))
    };
    assert_eq!(asks((32 << 10) + 1), (0, false));
    assert_eq!(asks(32 << 10), (1, true));
}
