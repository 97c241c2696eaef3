//! The kernels that not every x86-64 CPU has, and which of them to run on this one.

use core::sync::atomic::{AtomicU8, Ordering};

use super::{Kernel, LINES_MIN, Seen, lines, xor, xor_portable};

/// The best kernel that is supported, as a number; another number until it is asked for.
///
/// `is_x86_feature_detected!` remembers its answer as well, but behind a call, for which the registers that masking uses would
/// have to be saved (bench `mask`).
static BEST: AtomicU8 = AtomicU8::new(u8::MAX);

const PORTABLE: u8 = Kernel::Portable as u8;
const AVX2: u8 = Kernel::Avx2 as u8;
const AVX512: u8 = Kernel::Avx512 as u8;

/// A kernel that this CPU can run.
#[derive(Clone, Copy)]
pub(super) struct Supported(Kernel);

impl Supported {
    /// Returns the kernel if this CPU can run it.
    pub(super) fn new(kernel: Kernel) -> Option<Self> {
        kernel.is_supported().then_some(Self(kernel))
    }

    /// Returns the best kernel, once [`find`](Self::find) has found it.
    #[inline(always)]
    fn known() -> Option<Self> {
        match BEST.load(Ordering::Relaxed) {
            PORTABLE => Some(Self(Kernel::Portable)),
            AVX2 => Some(Self(Kernel::Avx2)),
            AVX512 => Some(Self(Kernel::Avx512)),
            _ => None,
        }
    }

    /// Finds the best kernel.
    fn find() -> Self {
        let widest_first = [Kernel::Avx512, Kernel::Avx2];
        let best = widest_first.into_iter().find_map(Self::new);
        let best = best.unwrap_or(Self(Kernel::Portable));
        BEST.store(best.0 as u8, Ordering::Relaxed);
        best
    }

    /// Runs the kernel.
    #[inline(always)]
    pub(super) fn run<const SEEN: bool, const COPY: bool>(
        self,
        target: &mut [u8],
        source: &[u8],
        key: u64,
    ) -> Seen {
        if self.0 == Kernel::Portable {
            return xor_portable::<SEEN, COPY>(target, source, key);
        }
        #[expect(
            unsafe_code,
            clippy::multiple_unsafe_ops_per_block,
            reason = "two `target_feature` functions, of which one is called"
        )]
        // SAFETY: this CPU has the registers of the kernel: `new` has asked for them, and `known` returns only what `new` has.
        unsafe {
            if self.0 == Kernel::Avx512 {
                xor_avx512::<SEEN, COPY>(target, source, key)
            } else {
                xor_avx2::<SEEN, COPY>(target, source, key)
            }
        }
    }
}

/// Runs the best kernel.
#[inline(always)]
pub(super) fn run_best<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    match Supported::known() {
        Some(kernel) => kernel.run::<SEEN, COPY>(target, source, key),
        None => find_and_run::<SEEN, COPY>(target, source, key),
    }
}

#[cold]
#[inline(never)]
fn find_and_run<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    Supported::find().run::<SEEN, COPY>(target, source, key)
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
