//! Receiving masked messages as a server: what a read brings, up to 64 KiB, many messages at once.

use std::hint::black_box;
use std::iter;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::{Config, Connection, Event, FrameHeader, Opcode, mask};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const SIZES: [usize; 4] = [16, 125, 1 << 10, 64 << 10];

/// As many messages as fit into a read, and how many that are.
fn read_of(opcode: Opcode, alphabet: &str, size: usize) -> (Vec<u8>, u64) {
    let mut payload = String::new();
    let mut letters = alphabet.chars().cycle();
    while let Some(letter) = letters
        .next()
        .filter(|letter| payload.len() + letter.len_utf8() <= size)
    {
        payload.push(letter);
    }
    payload.extend(iter::repeat_n(' ', size - payload.len()));

    let header = FrameHeader {
        fin: true,
        rsv: 0,
        opcode,
        mask: Some(KEY),
        len: size as u64,
    };
    let (head, head_len) = header.encode();
    let mut frame = head[..head_len].to_vec();
    frame.extend_from_slice(payload.as_bytes());
    mask::apply(&mut frame[head_len..], KEY, 0);
    let count = ((64 << 10) / frame.len()).max(1);
    (frame.repeat(count), count as u64)
}

fn receiving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive");
    for size in SIZES {
        for (name, opcode, alphabet) in [
            ("binary", Opcode::Binary, "0123456789abcdef"),
            ("ASCII text", Opcode::Text, "0123456789abcdef"),
            ("mixed text", Opcode::Text, "Привет, мир и 世界!"),
        ] {
            let (read, count) = read_of(opcode, alphabet, size);
            let mut buffer = read.clone();
            let mut connection = Connection::server(&Config::default());
            group.throughput(Throughput::Elements(count));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    // The copy stands for the read itself.
                    buffer.copy_from_slice(black_box(&read));
                    let mut input = &mut buffer[..];
                    let mut bytes = 0;
                    while let Some(event) = connection.receive(&mut input).expect("valid frames") {
                        match event {
                            Event::Text(text) => bytes += text.len(),
                            Event::Binary(data) => bytes += data.len(),
                            _ => unreachable!("only messages were sent"),
                        }
                    }
                    bytes
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, receiving);
criterion_main!(benches);
