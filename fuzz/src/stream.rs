//! Frames as a peer may send them, good and bad.

use flate2::{Compress, Compression, FlushCompress};
use sansocket::{FrameHeader, Role};

use crate::choices::Choices;

/// Returns what a peer sends to `role`: frames that are right for the most part, and arbitrary bytes.
pub fn stream(choices: &mut Choices<'_>, role: Role, deflate: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut message = None;
    while !choices.is_empty() {
        let what = choices.byte();
        if what >= 0xF0 {
            bytes.extend_from_slice(choices.bytes());
            continue;
        }
        let opcode = match what & 7 {
            0..=3 => {
                data(&mut bytes, choices, what, &mut message, role, deflate);
                continue;
            }
            4 => 0x89,
            5 => 0x8A,
            6 => 0x88,
            _ => choices.byte(),
        };
        frame(&mut bytes, opcode, role, &choices.payload());
    }
    bytes
}

/// Appends the next frame of a message, which is compressed or not, or of another one.
fn data(
    bytes: &mut Vec<u8>,
    choices: &mut Choices<'_>,
    what: u8,
    message: &mut Option<bool>,
    role: Role,
    deflate: bool,
) {
    let fin = if what & 8 == 0 { 0x80 } else { 0 };
    let opcode = if message.is_some() { 0 } else { 1 + (what & 1) };
    let is_compressed = message.unwrap_or(deflate && what & 0x40 != 0);
    let rsv1 = if is_compressed && message.is_none() {
        0x40
    } else {
        0
    };
    let payload = match what & 0x30 {
        0x30 if is_compressed => BOMB.with(Vec::clone),
        0x10 if is_compressed => compressed(&choices.payload(), fin != 0),
        _ => choices.payload(),
    };
    frame(bytes, fin | rsv1 | opcode, role, &payload);
    *message = (fin == 0).then_some(is_compressed);
}

std::thread_local! {
    /// Much more than any limit, made once.
    static BOMB: Vec<u8> = compressed(&vec![0; 1 << 20], true);
}

/// Appends a frame to `role`.
pub fn frame(bytes: &mut Vec<u8>, first: u8, role: Role, payload: &[u8]) {
    let masked = if role == Role::Server { 0x80 } else { 0 };
    bytes.push(first);
    let len = payload.len();
    if let Ok(len @ 0..126) = u8::try_from(len) {
        bytes.push(masked + len);
    } else if let Ok(len) = u16::try_from(len) {
        bytes.push(masked + 126);
        bytes.extend_from_slice(&len.to_be_bytes());
    } else {
        bytes.push(masked + 127);
        bytes.extend_from_slice(&(len as u64).to_be_bytes());
    }
    if masked == 0 {
        bytes.extend_from_slice(payload);
        return;
    }
    let key = [0x80, 1, 0x7F, 0xFF];
    bytes.extend_from_slice(&key);
    push_masked(bytes, payload, key);
}

fn push_masked(bytes: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    for (at, byte) in bytes[start..].iter_mut().enumerate() {
        *byte ^= key[at % 4];
    }
}

/// Takes the frames of a message apart; returns whether it is compressed, and its payload.
///
/// # Panics
///
/// If `bytes` are anything else.
#[must_use]
pub fn open(mut bytes: &[u8]) -> (bool, Vec<u8>) {
    let compressed = bytes[0] & 0x40 != 0;
    let mut payload = Vec::new();
    while !bytes.is_empty() {
        let header = FrameHeader::parse(bytes).expect("a header");
        let (header, len) = header.expect("a whole one");
        let len_of_payload = usize::try_from(header.len).expect("short");
        let (frame, rest) = bytes[len..].split_at(len_of_payload);
        push_masked(&mut payload, frame, header.mask.unwrap_or_default());
        bytes = rest;
    }
    (compressed, payload)
}

/// Returns `payload` as a compressed message, or as a fragment of one (RFC 7692 §7.2.1).
fn compressed(payload: &[u8], last: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 100);
    Compress::new(Compression::fast(), false)
        .compress_vec(payload, &mut out, FlushCompress::Sync)
        .expect("there is room");
    if last {
        out.truncate(out.len().saturating_sub(4));
    }
    out
}
