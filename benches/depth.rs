//! The outgoing queue at any depth: what queueing a copied message takes beside `memcpy` of the same bytes into blocks of the
//! same kind, with 1 to 400 MiB waiting, and what writing takes; then a short message on each of many connections.
//!
//! `cargo bench --bench depth` prints medians of rounds that take turns, in ns a message, and their ratios.

use std::hint::black_box;
use std::time::Instant;

use bytes::Buf;
use sansocket::{Config, Connection};

const MESSAGE: usize = 8 << 10;
/// The length of a server's header.
const HEADER: usize = 4;
/// What the queue takes from the pool and gives back to it.
const BLOCK: usize = 64 << 10;
/// What the pool of the process keeps of such blocks.
const KEPT: usize = 56 << 20;
/// More than waits.
const WHOLE: usize = usize::MAX;
const PIECES: [usize; 2] = [1_460, 16 << 10];

/// Times `work`, in ns for each of `count`.
fn time(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    let count = u32::try_from(count).expect("a few thousand");
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn connection(is_client: bool) -> Connection {
    let config = Config::default().with_outgoing_limit(usize::MAX);
    if is_client {
        Connection::client_with_keys(&config, || [0x37, 0xfa, 0x21, 0x3d])
    } else {
        Connection::server(&config)
    }
}

/// Copies `count` messages into blocks, of which `kept` are used again. Each lies where it would behind a header.
fn copy(message: &[u8], count: usize, kept: &mut Vec<Box<[u8]>>) -> Vec<Box<[u8]>> {
    let mut blocks = Vec::new();
    let mut left = count;
    while left > 0 {
        let mut block = kept.pop().unwrap_or_else(|| vec![0; BLOCK].into());
        for room in block.chunks_exact_mut(HEADER + MESSAGE).take(left) {
            room[HEADER..].copy_from_slice(black_box(message));
            left -= 1;
        }
        blocks.push(block);
    }
    blocks
}

/// Writes all that waits, `piece` bytes at a time.
fn write(connection: &mut Connection, piece: usize) {
    while connection.buffered() > 0 {
        let outgoing = connection.outgoing();
        let mut left = piece.min(outgoing.remaining());
        while left > 0 {
            let len = black_box(outgoing.chunk()).len().min(left);
            outgoing.advance(len);
            left -= len;
        }
    }
}

fn deep(mib: usize, rounds: usize, is_client: bool) {
    let message = vec![0x5a; MESSAGE];
    let count = (mib << 20) / MESSAGE;
    let mut connection = connection(is_client);
    let mut kept = Vec::new();
    let [mut copies, mut queues, mut ratios] = [const { Vec::new() }; 3];
    let mut writes = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (piece, write_times) in PIECES.into_iter().zip(&mut writes) {
            let mut blocks = Vec::new();
            let by_copy = time(count, || blocks = copy(&message, count, &mut kept));
            // As the pool does: so many blocks are kept, and the others freed.
            blocks.truncate(KEPT / BLOCK);
            kept.append(&mut blocks);
            let by_queue = time(count, || {
                for _ in 0..count {
                    let sent = connection.send_binary(black_box(&message));
                    sent.expect("there is no limit");
                }
            });
            write_times.push(time(count, || write(&mut connection, piece)));
            ratios.push(by_queue / by_copy);
            copies.push(by_copy);
            queues.push(by_queue);
        }
    }
    let role = if is_client { "client" } else { "server" };
    let [by_segment, by_record] = writes.map(median);
    println!(
        "{role} {mib:>4} MiB: memcpy {:>6.0}, queue {:>6.0}, ratio {:.2}; written by 1,460 B {by_segment:>5.0}, by 16 KiB {by_record:>5.0}",
        median(copies),
        median(queues),
        median(ratios)
    );
}

/// A short message on each of 10,000 connections, then each written; and each written at once.
fn wide(count: usize, rounds: usize) {
    let message = [0x5a; 125];
    let mut all: Vec<_> = (0..count).map(|_| connection(false)).collect();
    let send = |connection: &mut Connection| {
        let sent = connection.send_binary(black_box(&message));
        sent.expect("there is no limit");
    };
    let [mut queues, mut writes, mut both] = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        queues.push(time(count, || {
            for connection in &mut all {
                send(connection);
            }
        }));
        writes.push(time(count, || {
            for connection in &mut all {
                write(connection, WHOLE);
            }
        }));
        both.push(time(count, || {
            for connection in &mut all {
                send(connection);
                write(connection, WHOLE);
            }
        }));
    }
    println!(
        "{count} connections: queue {:.1}, then write {:.1}; each at once {:.1}",
        median(queues),
        median(writes),
        median(both)
    );
}

fn main() {
    // `cargo test --benches` only shows that it runs.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let depths: &[_] = if is_bench {
        &[(1, 200), (40, 20), (400, 5)]
    } else {
        &[(1, 1)]
    };
    for &(mib, rounds) in depths {
        deep(mib, rounds, false);
        deep(mib, rounds, true);
    }
    wide(10_000, if is_bench { 100 } else { 1 });
}
