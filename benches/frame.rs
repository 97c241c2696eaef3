//! Frame headers: read, checked and written, a thousand at a time.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::{FrameHeader, Opcode, ProtocolError, Role};

const COUNT: usize = 1_000;
/// A payload length for each form that a header has.
const LENGTHS: [u64; 3] = [125, 65_535, 65_536];

/// Headers as `role` receives them.
fn headers(role: Role, len: u64) -> Vec<FrameHeader> {
    let header = FrameHeader {
        fin: true,
        rsv: 0,
        opcode: Opcode::Binary,
        mask: (role == Role::Server).then_some([0x37, 0xfa, 0x21, 0x3d]),
        len,
    };
    vec![header; COUNT]
}

/// Parses all headers in `bytes`; returns the sum of the lengths that they announce.
fn parse(
    mut bytes: &[u8],
    check: impl Fn(FrameHeader) -> Result<(), ProtocolError>,
) -> Result<u64, ProtocolError> {
    let mut sum = 0_u64;
    while let Some((header, len)) = FrameHeader::parse(bytes)? {
        check(header)?;
        sum = sum.wrapping_add(header.len);
        bytes = &bytes[len..];
    }
    Ok(sum)
}

fn headers_of(role: Role, criterion: &mut Criterion) {
    let name = match role {
        Role::Client => "frame without a key",
        Role::Server => "frame with a key",
    };
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(COUNT as u64));
    for len in LENGTHS {
        let headers = headers(role, len);
        let mut bytes = Vec::new();
        for header in &headers {
            let (head, len) = header.encode();
            bytes.extend_from_slice(&head[..len]);
        }
        group.bench_function(BenchmarkId::new("parse", len), |bencher| {
            bencher.iter(|| parse(black_box(&bytes), |_| Ok(())));
        });
        group.bench_function(BenchmarkId::new("parse, check", len), |bencher| {
            bencher.iter(|| parse(black_box(&bytes), |header| header.check(role, 0, false)));
        });
        group.bench_function(BenchmarkId::new("encode", len), |bencher| {
            bencher.iter(|| {
                for &header in black_box(&headers) {
                    black_box(header.encode());
                }
            });
        });
        // What a header costs of which each byte comes alone.
        let first = &bytes[..headers[0].encoded_len()];
        group.bench_function(BenchmarkId::new("check each prefix", len), |bencher| {
            bencher.iter(|| {
                for _ in 0..COUNT {
                    for end in 1..=first.len() {
                        let prefix = black_box(&first[..end]);
                        FrameHeader::check_prefix(prefix, role, 0, false)?;
                    }
                }
                Ok::<_, ProtocolError>(())
            });
        });
    }
    group.finish();
}

fn parsing(criterion: &mut Criterion) {
    for role in [Role::Client, Role::Server] {
        headers_of(role, criterion);
    }
}

criterion_group!(benches, parsing);
criterion_main!(benches);
