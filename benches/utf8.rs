//! UTF-8: text checked whole and in pieces, beside the validators of `std` and `simdutf8` that need it whole.

#[path = "shared/text.rs"]
mod text;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::{InvalidUtf8, Utf8Validator};

const SIZES: [usize; 5] = [16, 125, 1 << 10, 64 << 10, 1 << 20];
/// The lengths of pieces: characters of two, three and four bytes lie across their ends.
const PIECES: [usize; 2] = [61, 1_021];

fn check(text: &[u8], piece: usize) -> Result<(), InvalidUtf8> {
    let mut utf8 = Utf8Validator::new();
    for piece in text.chunks(piece) {
        utf8.push(piece)?;
    }
    utf8.finish()
}

fn checking(criterion: &mut Criterion) {
    for (name, alphabet) in text::ALPHABETS {
        let mut group = criterion.benchmark_group(format!("utf8 {name}"));
        group.warm_up_time(Duration::from_millis(500));
        group.measurement_time(Duration::from_secs(2));
        for size in SIZES {
            let text = text::repeat(alphabet, size).into_bytes();
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new("whole", size), |bencher| {
                bencher.iter(|| check(black_box(&text), size));
            });
            for piece in PIECES.into_iter().filter(|piece| *piece < size) {
                let id = BenchmarkId::new(format!("in pieces of {piece}"), size);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| check(black_box(&text), piece));
                });
            }
            group.bench_function(BenchmarkId::new("std", size), |bencher| {
                bencher.iter(|| std::str::from_utf8(black_box(&text)).is_ok());
            });
            group.bench_function(BenchmarkId::new("simdutf8", size), |bencher| {
                bencher.iter(|| simdutf8::basic::from_utf8(black_box(&text)).is_ok());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, checking);
criterion_main!(benches);
