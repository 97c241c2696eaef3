//! Masking (RFC 6455 §5.3): one loop of safe code, compiled once for every CPU, and once more for AVX2 and for AVX-512.
//!
//! A payload is treated in blocks whose size its length decides. What is left behind the last whole block is covered by
//! one more block that overlaps it, so that no length pays for a loop over single bytes.

#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86;

/// Masks or unmasks `payload` in place; both are the same operation (RFC 6455 §5.3).
///
/// `offset` is the index of `payload[0]` in the payload of its frame, so a frame may be treated in pieces.
///
/// ```
/// let mut payload = *b"Hello";
/// sansocket::mask::apply(&mut payload, [0x37, 0xfa, 0x21, 0x3d], 0);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]); // RFC 6455 §5.7
/// ```
#[inline]
pub fn apply(payload: &mut [u8], key: [u8; 4], offset: usize) {
    dispatch(payload, None, key_word(key, offset), false);
}

/// Unmasks `payload` in place and tells whether the result is ASCII, which the same pass finds out at next to no cost.
///
/// `offset` is that of [`apply`].
#[inline(always)]
#[must_use]
pub fn apply_ascii(payload: &mut [u8], key: [u8; 4], offset: usize) -> bool {
    apply_asked(payload, key, offset, true)
}

/// Does what [`apply_ascii`] does, but tells `false` unless it is `asked`.
#[inline(always)]
pub(crate) fn apply_asked(payload: &mut [u8], key: [u8; 4], offset: usize, asked: bool) -> bool {
    let seen = dispatch(payload, None, key_word(key, offset), asked);
    asked && seen.is_ascii()
}

/// Copies `source` to `target` and masks it, in one pass (RFC 6455 §5.3).
///
/// `offset` is the index of `source[0]` in the payload of its frame.
///
/// # Panics
///
/// If the two differ in length, as [`slice::copy_from_slice`] does.
#[inline(always)]
pub fn copy(target: &mut [u8], source: &[u8], key: [u8; 4], offset: usize) {
    assert_room(target, source);
    let key = key_word(key, offset);
    // What is short does not pay for a call, nor what is below 128 bytes, as nobody asks whether it is ASCII (bench `send`).
    let _ = match source.len() {
        0..DISPATCH_MIN => short(target, Some(source), key),
        DISPATCH_MIN..128 => ends::<64>(target, Some(source), key, xor_block),
        _ => long::<false, true>(target, source, key),
    };
}

/// Does what [`copy`] does, and if `asked` tells whether the result is ASCII; `false` otherwise.
#[inline]
pub(crate) fn copy_asked(
    target: &mut [u8],
    source: &[u8],
    key: [u8; 4],
    offset: usize,
    asked: bool,
) -> bool {
    assert_room(target, source);
    let seen = dispatch(target, Some(source), key_word(key, offset), asked);
    asked && seen.is_ascii()
}

#[inline(always)]
fn assert_room(target: &[u8], source: &[u8]) {
    assert_eq!(
        target.len(),
        source.len(),
        "a masking copy needs as much room as there are bytes"
    );
}

/// Does what [`slice::copy_from_slice`] does; what is short is copied without a call, as if masked with zeroes.
#[inline(always)]
pub(crate) fn copy_plain(target: &mut [u8], source: &[u8]) {
    if (16..DISPATCH_MIN).contains(&source.len()) {
        let _ = short(target, Some(source), 0);
    } else {
        target.copy_from_slice(source);
    }
}

/// A version of the masking loop.
///
/// [`apply`] and [`copy`] choose one by themselves. Public for the benches and tests of this crate alone, and no part of its
/// interface.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Kernel {
    /// What every CPU of the target has; on x86-64, registers of 16 bytes.
    Portable,
    /// Registers of 32 bytes, on x86-64 CPUs with AVX2.
    Avx2,
    /// Registers of 64 bytes, on x86-64 CPUs with AVX-512; shorter ones below 1 KiB.
    Avx512,
}

impl Kernel {
    /// Tells whether this CPU can run the kernel, and this build has it.
    #[inline]
    #[must_use]
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(all(target_arch = "x86_64", feature = "std"))]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(all(target_arch = "x86_64", feature = "std"))]
            Self::Avx512 => std::arch::is_x86_feature_detected!("avx512f"),
            #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Does what [`apply`] does, with this kernel if it is supported and with the portable one if not.
    pub fn apply(self, payload: &mut [u8], key: [u8; 4], offset: usize) {
        let key = key_word(key, offset);
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        if let Some(kernel) = x86::Supported::new(self) {
            kernel.run::<false, false>(payload, &[], key);
            return;
        }
        xor_portable::<false, false>(payload, &[], key);
    }
}

/// From this length on, wider registers pay for finding out whether there are any (bench `mask`).
const DISPATCH_MIN: usize = 64;

/// From this length on, a block more at the beginning pays for writing none that lies across two lines of the cache, and the
/// widest registers pay (bench `mask`).
const LINES_MIN: usize = 1 << 10;

/// Runs the best kernel for the length. Short payloads do not ask for any, and are masked where they are received or sent.
#[inline(always)]
fn dispatch(target: &mut [u8], source: Option<&[u8]>, key: u64, asked: bool) -> Seen {
    if target.len() < DISPATCH_MIN {
        return short(target, source, key);
    }
    match (asked, source) {
        (true, Some(source)) => long::<true, true>(target, source, key),
        (true, None) => long::<true, false>(target, &[], key),
        (false, Some(source)) => long::<false, true>(target, source, key),
        (false, None) => long::<false, false>(target, &[], key),
    }
}

/// Runs the best kernel. `SEEN` says whether anyone asks what has been written, `COPY` whether it comes from `source`: each of
/// the four ways has its own code, which needs fewer registers than one for all (bench `mask`).
#[inline(never)]
fn long<const SEEN: bool, const COPY: bool>(target: &mut [u8], source: &[u8], key: u64) -> Seen {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    return x86::run_best::<SEEN, COPY>(target, source, key);
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    xor_portable::<SEEN, COPY>(target, source, key)
}

/// [`xor`] with the registers that every CPU has; not inlined, so that those who find wider ones save none for it.
#[inline(never)]
fn xor_portable<const SEEN: bool, const COPY: bool>(
    target: &mut [u8],
    source: &[u8],
    key: u64,
) -> Seen {
    xor(target, COPY.then_some(source), key).if_asked::<SEEN>()
}

/// Writes `source`, or `target` itself, XOR `key` to `target`.
#[inline(always)]
fn xor(target: &mut [u8], source: Option<&[u8]>, key: u64) -> Seen {
    match target.len() {
        // First, as `short` ones seldom come here.
        LINES_MIN.. => lines::<128>(target, source, key),
        0..64 => short(target, source, key),
        64..128 => blocks::<32>(target, source, key),
        128..LINES_MIN => blocks::<128>(target, source, key),
    }
}

/// [`xor`] for less than 64 bytes, without a loop over blocks.
#[inline(always)]
fn short(target: &mut [u8], source: Option<&[u8]>, key: u64) -> Seen {
    match target.len() {
        0..8 => bytes(target, source, key),
        8..16 => ends::<8>(target, source, key, xor_block),
        16..32 => ends::<16>(target, source, key, xor_block),
        _ => ends::<32>(target, source, key, xor_vectors),
    }
}

/// The loop of [`xor`] over blocks of `B` bytes, no more than there are, and one more that ends where the payload does.
#[inline(always)]
#[expect(clippy::arithmetic_side_effects, reason = "there is a whole block")]
fn blocks<const B: usize>(target: &mut [u8], source: Option<&[u8]>, key: u64) -> Seen {
    let mut seen = [0; B];
    // Read before the loop writes over its beginning.
    let Some(&last) = source.unwrap_or(target).last_chunk::<B>() else {
        return Seen(0);
    };
    let last_key = turn(key, target.len() - B);
    match source {
        None => {
            for block in target.as_chunks_mut::<B>().0 {
                *block = xor_block(*block, key, &mut seen);
            }
        }
        Some(source) => {
            let source = source.as_chunks::<B>().0;
            for (block, from) in target.as_chunks_mut::<B>().0.iter_mut().zip(source) {
                *block = xor_block(*from, key, &mut seen);
            }
        }
    }
    if let Some(block) = target.last_chunk_mut::<B>() {
        *block = xor_block(last, last_key, &mut seen);
    }
    Seen::any(&seen)
}

/// [`xor`] for long payloads: whole lines of the cache, `B` bytes at once, and a block at each end that covers what lies
/// beside them.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "there are whole blocks"
)]
fn lines<const B: usize>(target: &mut [u8], source: Option<&[u8]>, key: u64) -> Seen {
    const LINE: usize = 64;
    const { assert!(B >= LINE, "what covers the end covers the beginning") };
    // Read before the loop writes over them.
    let from = source.unwrap_or(target);
    let (Some(&first), Some(&last)) = (from.first_chunk::<LINE>(), from.last_chunk::<B>()) else {
        return Seen(0);
    };
    let begin = target.as_ptr().align_offset(LINE) % LINE;
    let source = source.map(|source| source[begin..].as_chunks::<B>().0.as_flattened());
    let inner = target[begin..].as_chunks_mut::<B>().0.as_flattened_mut();
    let inner = words(inner, source, turn(key, begin));

    let mut seen = [0; B];
    let last_key = turn(key, target.len() - B);
    if let (Some(block), Some(seen)) = (target.first_chunk_mut::<LINE>(), seen.first_chunk_mut()) {
        *block = xor_block(first, key, seen);
    }
    if let Some(block) = target.last_chunk_mut::<B>() {
        *block = xor_block(last, last_key, &mut seen);
    }
    Seen(inner.0 | Seen::any(&seen).0)
}

/// [`xor`] for whole words, in a loop so plain that the compiler makes it as wide as the registers are.
#[inline(always)]
fn words(target: &mut [u8], source: Option<&[u8]>, key: u64) -> Seen {
    let mut seen = 0;
    let words = target.as_chunks_mut().0.iter_mut();
    match source {
        None => {
            for word in words {
                let plain = u64::from_le_bytes(*word) ^ key;
                *word = plain.to_le_bytes();
                seen |= plain;
            }
        }
        Some(source) => {
            for (word, from) in words.zip(source.as_chunks().0) {
                let plain = u64::from_le_bytes(*from) ^ key;
                *word = plain.to_le_bytes();
                seen |= plain;
            }
        }
    }
    Seen(seen)
}

/// [`blocks`] for payloads that the first and the last block cover, each treated by `xor_block`.
#[inline(always)]
#[expect(clippy::arithmetic_side_effects, reason = "there is a whole block")]
fn ends<const B: usize>(
    target: &mut [u8],
    source: Option<&[u8]>,
    key: u64,
    xor_block: impl Fn([u8; B], u64, &mut [u8; B]) -> [u8; B],
) -> Seen {
    let mut seen = [0; B];
    let from = source.unwrap_or(target);
    let (Some(&first), Some(&last)) = (from.first_chunk::<B>(), from.last_chunk::<B>()) else {
        return Seen(0);
    };
    let last_key = turn(key, target.len() - B);
    if let Some(block) = target.first_chunk_mut::<B>() {
        *block = xor_block(first, key, &mut seen);
    }
    if let Some(block) = target.last_chunk_mut::<B>() {
        *block = xor_block(last, last_key, &mut seen);
    }
    Seen::any(&seen)
}

#[inline(always)]
fn xor_block<const B: usize>(mut block: [u8; B], key: u64, seen: &mut [u8; B]) -> [u8; B] {
    let words = block.as_chunks_mut().0.iter_mut();
    for (word, seen) in words.zip(seen.as_chunks_mut().0) {
        let plain = u64::from_le_bytes(*word) ^ key;
        *word = plain.to_le_bytes();
        *seen = (u64::from_le_bytes(*seen) | plain).to_le_bytes();
    }
    block
}

/// [`xor_block`] by words of which four fill a register of any CPU: fewer are not written as a vector, and to read by vectors
/// what was just written by words makes the CPU wait (`make bench-peers`, table `ping`).
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "half of the word is the key"
)]
fn xor_vectors<const B: usize>(mut block: [u8; B], key: u64, seen: &mut [u8; B]) -> [u8; B] {
    let key = key as u32;
    let words = block.as_chunks_mut().0.iter_mut();
    for (word, seen) in words.zip(seen.as_chunks_mut().0) {
        let plain = u32::from_le_bytes(*word) ^ key;
        *word = plain.to_le_bytes();
        *seen = (u32::from_le_bytes(*seen) | plain).to_le_bytes();
    }
    block
}

/// [`xor`] for the lengths that hold no word.
#[inline(always)]
fn bytes(target: &mut [u8], source: Option<&[u8]>, key: u64) -> Seen {
    let mut seen = 0;
    // In a register, of which the next byte is always the lowest.
    let mut keys = key;
    let mut next = |byte: u8| {
        let [key, ..] = keys.to_le_bytes();
        keys = keys.rotate_right(8);
        seen |= byte ^ key;
        byte ^ key
    };
    match source {
        None => {
            for byte in target {
                *byte = next(*byte);
            }
        }
        Some(source) => {
            for (byte, from) in target.iter_mut().zip(source) {
                *byte = next(*from);
            }
        }
    }
    Seen(seen.into())
}

/// All bytes that were written, combined by OR, in as many places as a word has.
struct Seen(u64);

impl Seen {
    #[inline(always)]
    fn any<const B: usize>(seen: &[u8; B]) -> Self {
        let words = seen.as_chunks().0.iter();
        Self(words.fold(0, |all, &word| all | u64::from_le_bytes(word)))
    }

    /// Forgets what nobody asks for, so that the compiler leaves out what finds it.
    #[inline(always)]
    fn if_asked<const SEEN: bool>(self) -> Self {
        if SEEN { self } else { Self(0) }
    }

    #[inline(always)]
    fn is_ascii(&self) -> bool {
        self.0 & 0x8080_8080_8080_8080 == 0
    }
}

/// Returns the key twice in a word, as it stands `offset` bytes into the payload: octet `i` meets `key[i % 4]`.
#[inline(always)]
fn key_word(key: [u8; 4], offset: usize) -> u64 {
    let key = u64::from(u32::from_le_bytes(key));
    turn(key << 32 | key, offset)
}

/// Returns the key as it stands `offset` bytes further on.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "at most 56 bits"
)]
fn turn(key: u64, offset: usize) -> u64 {
    key.rotate_right((offset % 8 * 8) as u32)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// RFC 6455 §5.3, word for word: `j = i MOD 4; transformed-octet-i = original-octet-i XOR masking-key-octet-j`.
    fn naive(payload: &[u8], key: [u8; 4], offset: usize) -> Vec<u8> {
        payload
            .iter()
            .enumerate()
            .map(|(i, octet)| octet ^ key[(i + offset) % 4])
            .collect()
    }

    /// M-01, M-07: every length around every block size, at every phase and alignment, equals the byte loop.
    #[test]
    fn every_version_equals_the_byte_loop() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let all: Vec<u8> = (0..1_440_u32)
            .map(|i| (i * 7 + i / 256).to_le_bytes()[0])
            .collect();
        for len in (0..300).chain([511, 512, 513, 1_023, 1_024, 1_025, 1_087, 1_300, 1_400]) {
            for offset in (0..5).chain([13, 31, 33]) {
                let source = &all[offset..offset + len];
                let expected = naive(source, key, offset);

                let mut portable = source.to_vec();
                assert_eq!(
                    xor(&mut portable, None, key_word(key, offset)).is_ascii(),
                    expected.is_ascii(),
                    "bits of {len} at {offset}"
                );
                assert_eq!(portable, expected, "portable {len} at {offset}");

                let mut dispatched = all[..offset + len].to_vec();
                assert_eq!(
                    apply_ascii(&mut dispatched[offset..], key, offset),
                    expected.is_ascii()
                );
                assert_eq!(
                    dispatched[offset..],
                    expected,
                    "dispatched {len} at {offset}"
                );

                let mut room = alloc::vec![0; len + 1];
                let copied = &mut room[1..];
                copy(copied, source, key, offset);
                assert_eq!(copied, expected, "copied {len} at {offset}");

                copy_plain(copied, source);
                assert_eq!(copied, source, "plain {len} at {offset}");
            }
        }
    }

    #[test]
    fn one_high_bit_anywhere_is_seen() {
        let key = [1, 2, 3, 4];
        for len in (1..260).chain([1_300, 1_536]) {
            let ascii = naive(&alloc::vec![b' '; len], key, 0);
            let mut target = alloc::vec![0; len];
            assert!(copy_asked(&mut target, &ascii, key, 0, true), "{len}");
            assert!(apply_ascii(&mut ascii.clone(), key, 0), "{len}");
            for at in 0..len {
                let mut source = ascii.clone();
                source[at] ^= 0x80;
                let seen = copy_asked(&mut target, &source, key, 0, true);
                assert!(!seen, "bit at {at} of {len}, copied");
                let seen = apply_ascii(&mut source, key, 0);
                assert!(!seen, "bit at {at} of {len}");
            }
        }
    }
}
