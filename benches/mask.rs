//! Masking: the byte loop of RFC 6455 §5.3, each kernel, and the copy of as many bytes as the limit.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::mask::{self, Kernel};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const SIZES: [usize; 8] = [5, 16, 64, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20];

fn masking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        // Payloads lie at any address, so this one begins at an odd one.
        let mut memory = vec![0x5a; size + 3];
        let payload = &mut memory[3..];
        let copied = payload.to_vec();

        group.bench_function(BenchmarkId::new("scalar", size), |bencher| {
            bencher.iter(|| scalar(black_box(payload), KEY));
        });
        for kernel in [Kernel::Portable, Kernel::Avx2]
            .into_iter()
            .filter(|kernel| kernel.is_supported())
        {
            group.bench_function(BenchmarkId::new(format!("{kernel:?}"), size), |bencher| {
                bencher.iter(|| kernel.apply(black_box(payload), KEY, 0));
            });
        }
        group.bench_function(BenchmarkId::new("apply", size), |bencher| {
            bencher.iter(|| mask::apply(black_box(payload), KEY, 0));
        });
        group.bench_function(BenchmarkId::new("copy", size), |bencher| {
            bencher.iter(|| mask::copy(black_box(payload), black_box(&copied), KEY, 0));
        });
        group.bench_function(BenchmarkId::new("memcpy", size), |bencher| {
            bencher.iter(|| black_box(&mut *payload).copy_from_slice(black_box(&copied)));
        });
    }
    group.finish();
}

/// One byte after the other, and kept so: this is what the other versions are compared with.
fn scalar(payload: &mut [u8], key: [u8; 4]) {
    for (i, octet) in payload.iter_mut().enumerate() {
        *octet = black_box(*octet ^ key[i % 4]);
    }
}

criterion_group!(benches, masking);
criterion_main!(benches);
