//! Sending: messages queued and taken off the queue again, copied, shared and in fragments, or written at once, as both
//! roles.

use std::hint::black_box;

use bytes::{Buf, Bytes};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::{Config, Connection, Fin, Message, MessageKind};

const SIZES: [usize; 7] = [16, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20];
/// As many messages as make this many bytes are sent before they are written.
const WRITE: usize = 64 << 10;
const FRAGMENT: usize = 4 << 10;

/// Takes off what is queued, as a vectored write does. The bytes themselves stay where they are.
fn write(connection: &mut Connection) -> usize {
    let outgoing = connection.outgoing();
    let mut len = 0;
    while outgoing.has_remaining() {
        let chunk = black_box(outgoing.chunk()).len();
        outgoing.advance(chunk);
        len += chunk;
    }
    len
}

/// Sends one message.
type Send = fn(&mut Connection, &Bytes);

fn copied(connection: &mut Connection, data: &Bytes) {
    connection.send_binary(data).expect("room");
}

fn shared(connection: &mut Connection, data: &Bytes) {
    let message = Message::Binary(data.clone());
    connection.send(message).expect("room");
}

fn at_once(connection: &mut Connection, data: &Bytes) {
    let sent = connection.write_binary(data, |slices| {
        black_box(slices).iter().map(|slice| slice.len()).sum()
    });
    sent.expect("room");
}

fn in_fragments(connection: &mut Connection, data: &Bytes) {
    let parts = data.chunks(FRAGMENT);
    let count = parts.len();
    for (i, part) in parts.enumerate() {
        let fin = if i + 1 == count { Fin::Last } else { Fin::More };
        let sent = connection.send_fragment(MessageKind::Binary, part, fin);
        sent.expect("room");
    }
}

const SENDS: [(&str, Send, usize); 4] = [
    ("copied", copied, 0),
    ("shared", shared, 0),
    ("at once", at_once, 0),
    ("in fragments of 4 KiB", in_fragments, 2 * FRAGMENT),
];

fn sending(criterion: &mut Criterion) {
    let config = Config::default();
    // A constant key shows what unpredictable ones cost.
    let connections = [
        ("server", Connection::server(&config)),
        ("client", Connection::client(&config)),
        (
            "client with a constant key",
            Connection::client_with_keys(&config, || [0x37, 0xfa, 0x21, 0x3d]),
        ),
    ];
    for (role, mut connection) in connections {
        let mut group = criterion.benchmark_group(format!("send {role}"));
        for size in SIZES {
            let data = Bytes::from(vec![0x5a; size]);
            let count = (WRITE / size).max(1);
            group.throughput(Throughput::ElementsAndBytes {
                elements: count as u64,
                bytes: (count * size) as u64,
            });
            for (name, send, _) in SENDS.into_iter().filter(|(_, _, least)| size >= *least) {
                group.bench_function(BenchmarkId::new(name, size), |bencher| {
                    bencher.iter(|| {
                        for _ in 0..count {
                            send(&mut connection, black_box(&data));
                        }
                        write(&mut connection)
                    });
                });
            }
        }
        group.finish();
    }
}

fn control(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("send Ping");
    let mut connection = Connection::server(&Config::default());
    group.throughput(Throughput::Elements(1));
    for size in [0, 32, 125] {
        let payload = vec![b'a'; size];
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                connection.ping(black_box(&payload)).expect("room");
                write(&mut connection)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sending, control);
criterion_main!(benches);
