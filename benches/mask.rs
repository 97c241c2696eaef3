//! Masking: the byte loop of RFC 6455 §5.3, each kernel, and the copy of as many bytes as the limit.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use sansocket::mask::{self, Kernel};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const SIZES: [usize; 10] = [
    5,
    16,
    64,
    125,
    1 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    1 << 20,
    16 << 20,
];
/// Every kernel; what this CPU does not have is left out.
const KERNELS: [Kernel; 3] = [Kernel::Portable, Kernel::Avx2, Kernel::Avx512];
/// The length of a cache line.
const LINE: usize = 64;

fn masking(criterion: &mut Criterion) {
    for (name, shift) in [("mask aligned", 0), ("mask unaligned", 3)] {
        let mut group = criterion.benchmark_group(name);
        group.warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_millis(800));
        group.sample_size(40);
        for size in SIZES {
            let mut memory = vec![0x5a; size + LINE + shift];
            let begin = memory.as_ptr().align_offset(LINE) + shift;
            let payload = &mut memory[begin..][..size];
            group.throughput(Throughput::Bytes(size as u64));
            measure(&mut group, payload);
        }
        group.finish();
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, payload: &mut [u8]) {
    let source = payload.to_vec();
    let size = payload.len();
    group.bench_function(BenchmarkId::new("byte loop", size), |bencher| {
        bencher.iter(|| byte_loop(black_box(payload), KEY));
    });
    for kernel in KERNELS.into_iter().filter(|kernel| kernel.is_supported()) {
        group.bench_function(BenchmarkId::new(format!("{kernel:?}"), size), |bencher| {
            bencher.iter(|| kernel.apply(black_box(payload), KEY, 0));
        });
    }
    group.bench_function(BenchmarkId::new("apply", size), |bencher| {
        bencher.iter(|| mask::apply(black_box(payload), KEY, 0));
    });
    group.bench_function(BenchmarkId::new("copy", size), |bencher| {
        bencher.iter(|| mask::copy(black_box(payload), black_box(&source), KEY, 0));
    });
    group.bench_function(BenchmarkId::new("memcpy", size), |bencher| {
        bencher.iter(|| black_box(&mut *payload).copy_from_slice(black_box(&source)));
    });
}

/// One byte after the other, and kept so: this is what the other versions are compared with.
fn byte_loop(payload: &mut [u8], key: [u8; 4]) {
    for (i, octet) in payload.iter_mut().enumerate() {
        *octet = black_box(*octet ^ key[i % 4]);
    }
}

criterion_group!(benches, masking);
criterion_main!(benches);
