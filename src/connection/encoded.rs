//! A frame as bytes: its header, and its payload, masked if it has a key.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "there is as much room as `frame_room` says, and sums are of lengths that lie in memory"
)]

use crate::buffer::Buffer;
use crate::frame::FrameHeader;
use crate::mask;

/// Returns how much room a frame with `len` bytes of payload is written in.
#[inline]
pub(super) const fn frame_room(len: usize) -> usize {
    size_of::<u128>() + len
}

/// Appends a frame to `queue`, which has room for it.
#[inline(always)]
pub(super) fn append_frame(queue: &mut Buffer, header: FrameHeader, payload: &[u8]) {
    debug_assert_eq!(header.len, payload.len() as u64, "a frame with its payload");
    let (first, key) = (header.first(), header.mask);
    // Where the length fits in the second byte, or nothing is masked, there is little code.
    if payload.len() <= FrameHeader::SHORT_MAX {
        append_parts(queue, first, key, payload);
    } else if let Some(key) = key {
        append_longer(queue, first, key, payload);
    } else {
        append_parts(queue, first, None, payload);
    }
}

#[inline(never)]
fn append_longer(queue: &mut Buffer, first: u8, key: [u8; 4], payload: &[u8]) {
    append_parts(queue, first, Some(key), payload);
}

/// Appends a frame with this first byte.
#[inline(always)]
pub(super) fn append_parts(queue: &mut Buffer, first: u8, key: Option<[u8; 4]>, payload: &[u8]) {
    let head = FrameHeader::word(first, key, payload.len() as u64);
    let (_, head_len) = head;
    let room = queue.append(head_len + payload.len(), frame_room(payload.len()));
    fill(room, head, key, payload);
}

/// Writes a frame to the beginning of `room`, as long as [`frame_room`] says; returns its length.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn encode_frame(room: &mut [u8], header: FrameHeader, payload: &[u8]) -> usize {
    let head = header.to_word();
    let (_, head_len) = head;
    fill(room, head, header.mask, payload);
    head_len + payload.len()
}

/// Writes a frame whose header is the word `head` to the beginning of `room`.
#[inline(always)]
fn fill(room: &mut [u8], (head, head_len): (u128, usize), key: Option<[u8; 4]>, payload: &[u8]) {
    let head = head.to_le_bytes();
    // All of the word, whose unused end the payload overwrites: a copy of known length is one move.
    room[..head.len()].copy_from_slice(&head);
    let body = &mut room[head_len..][..payload.len()];
    match key {
        Some(key) => mask::copy(body, payload, key, 0),
        None => mask::copy_plain(body, payload),
    }
}
