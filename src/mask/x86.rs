//! The kernels that not every x86-64 CPU has, and which of them to run on this one.

use core::sync::atomic::{AtomicU8, Ordering};

use super::{Kernel, LINES_MIN, Seen, lines, long, xor, xor_portable};

/// The best kernel of this CPU, as a number; another number until it is asked for.
///
/// `is_x86_feature_detected!` remembers its answer as well, but not without a call in sight, for which all registers would be
/// saved that masking needs (bench `mask`).
static BEST: AtomicU8 = AtomicU8::new(u8::MAX);

const PORTABLE: u8 = Kernel::Portable as u8;
const AVX2: u8 = Kernel::Avx2 as u8;
const AVX512: u8 = Kernel::Avx512 as u8;

/// Runs the best kernel of this CPU.
#[inline(always)]
pub(super) fn run_best<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    let kernel = match BEST.load(Ordering::Relaxed) {
        PORTABLE => Kernel::Portable,
        AVX2 => Kernel::Avx2,
        AVX512 => Kernel::Avx512,
        _ => return find_and_run::<SEEN, COPY>(target, source, key),
    };
    run::<SEEN, COPY>(kernel, target, source, key)
}

#[cold]
#[inline(never)]
fn find_and_run<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    let mut widest_first = [Kernel::Avx512, Kernel::Avx2].into_iter();
    let best = widest_first.find(|kernel| kernel.is_supported());
    BEST.store(best.unwrap_or(Kernel::Portable) as u8, Ordering::Relaxed);
    long::<SEEN, COPY>(target, source, key)
}

/// Runs a kernel that [is supported](Kernel::is_supported).
#[inline(always)]
pub(super) fn run<const SEEN: bool, const COPY: bool>(
    kernel: Kernel,
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    #[expect(
        unsafe_code,
        clippy::multiple_unsafe_ops_per_block,
        reason = "calls of `target_feature` functions, of which one is made"
    )]
    // SAFETY: this CPU has the registers of the kernel, as all who call this have asked before.
    unsafe {
        match kernel {
            Kernel::Portable => xor_portable::<SEEN, COPY>(target, source, key),
            Kernel::Avx2 => xor_avx2::<SEEN, COPY>(target, source, key),
            Kernel::Avx512 => xor_avx512::<SEEN, COPY>(target, source, key),
        }
    }
}

/// [`xor`] with 32-byte registers: the same safe code, so nothing else can differ.
#[target_feature(enable = "avx2")]
fn xor_avx2<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    xor(target, COPY.then_some(source), key).if_asked::<SEEN>()
}

/// [`xor`] with 64-byte registers, where they pay.
#[target_feature(enable = "avx512f")]
fn xor_avx512<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    if target.len() < LINES_MIN {
        return xor_avx2::<SEEN, COPY>(target, source, key);
    }
    lines::<256>(target, COPY.then_some(source), key).if_asked::<SEEN>()
}
