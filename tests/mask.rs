//! Masking by itself (RFC 6455 §5.3): in pieces, twice, and with each version of the loop.

use proptest::prelude::*;
use sansocket::mask::{self, Kernel};

/// RFC 6455 §5.3, word for word: `j = i MOD 4; transformed-octet-i = original-octet-i XOR masking-key-octet-j`.
fn naive(payload: &[u8], key: [u8; 4], offset: usize) -> Vec<u8> {
    payload
        .iter()
        .enumerate()
        .map(|(i, octet)| octet ^ key[(offset % 4 + i % 4) % 4])
        .collect()
}

/// Payloads as long as the blocks of the loop, and a bit more or less.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let octet = || prop_oneof![any::<u8>(), 0_u8..128];
    prop_oneof![
        prop::collection::vec(octet(), 0..40),
        prop::collection::vec(0_u8..128, 60..140),
        prop::collection::vec(octet(), 100..600),
        prop::collection::vec(octet(), 1_000..1_700),
    ]
}

/// Where a payload may begin within its frame.
fn offset() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..8, any::<usize>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    /// M-01, M-07: in place, copied, and by each kernel, at any place in memory and in the frame.
    #[test]
    fn every_way_to_mask_is_that_of_the_rfc(
        payload in payload(),
        shift in 0_usize..16,
        key: [u8; 4],
        offset in offset(),
    ) {
        let expected = naive(&payload, key, offset);
        let source = [&vec![0; shift][..], &payload].concat();

        let mut masked = source.clone();
        mask::apply(&mut masked[shift..], key, offset);
        prop_assert_eq!(&masked[shift..], &expected[..]);

        let mut masked = source.clone();
        let ascii = mask::apply_ascii(&mut masked[shift..], key, offset);
        prop_assert_eq!(&masked[shift..], &expected[..]);
        prop_assert_eq!(ascii, expected.is_ascii());

        let mut masked = vec![0; source.len()];
        mask::copy(&mut masked[shift..], &source[shift..], key, offset);
        prop_assert_eq!(&masked[shift..], &expected[..]);

        for kernel in [Kernel::Portable, Kernel::Avx2, Kernel::Avx512] {
            let mut masked = source.clone();
            kernel.apply(&mut masked[shift..], key, offset);
            prop_assert_eq!(&masked[shift..], &expected[..], "{:?}", kernel);
        }
    }

    /// M-07: masking in pieces is masking in one, and masking twice is nothing.
    #[test]
    fn pieces_are_masked_as_the_whole(payload in payload(), key: [u8; 4], cut: prop::sample::Index) {
        let cut = cut.index(payload.len() + 1);
        let mut whole = payload.clone();
        mask::apply(&mut whole, key, 0);

        let mut pieces = payload.clone();
        let (first, second) = pieces.split_at_mut(cut);
        mask::apply(first, key, 0);
        mask::apply(second, key, cut);
        prop_assert_eq!(&pieces, &whole);

        mask::apply(&mut whole, key, 0);
        prop_assert_eq!(whole, payload);
    }
}

/// Two high bits in the same place of two words do not hide each other.
#[test]
fn two_high_bits_are_seen() {
    for len in 9..300 {
        for at in 0..len - 8 {
            let mut payload = vec![b'a'; len];
            payload[at] |= 0x80;
            payload[at + 8] |= 0x80;
            assert!(!mask::apply_ascii(&mut payload, [1, 2, 3, 4], 0), "{at}");
        }
    }
}

/// A kernel is there or is not, and the portable one always is.
#[test]
fn the_portable_kernel_is_always_there() {
    assert!(Kernel::Portable.is_supported());
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    let known = [
        (Kernel::Avx2, std::arch::is_x86_feature_detected!("avx2")),
        (
            Kernel::Avx512,
            std::arch::is_x86_feature_detected!("avx512f"),
        ),
    ];
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    let known = [(Kernel::Avx2, false), (Kernel::Avx512, false)];
    for (kernel, is_there) in known {
        assert_eq!(kernel.is_supported(), is_there, "{kernel:?}");
    }
}

/// A copy needs as much room as there is to copy.
#[test]
#[should_panic(expected = "a masking copy needs as much room as there are bytes")]
fn a_copy_into_too_little_room_panics() {
    mask::copy(&mut [0; 3], b"Hello", [0; 4], 0);
}
