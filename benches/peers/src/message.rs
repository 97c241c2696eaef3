//! The messages, their frames, and the check that each has come as it was sent.

use std::hint::black_box;

use bytes::Bytes;
use sansocket::{FrameHeader, Opcode};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Binary,
    Ascii,
    Mixed,
}

#[derive(Clone)]
pub struct Message {
    pub bytes: Bytes,
    pub is_text: bool,
}

impl Message {
    pub fn new(kind: Kind, size: usize) -> Self {
        let alphabet = match kind {
            Kind::Binary => {
                return Self {
                    bytes: (0..size)
                        .map(|i| (i * 7 + i / 251).to_le_bytes()[0])
                        .collect(),
                    is_text: false,
                };
            }
            Kind::Ascii => "The quick brown fox jumps over the lazy dog. ",
            Kind::Mixed => "Привет, мир и 世界! ",
        };
        let mut text = String::with_capacity(size);
        for letter in alphabet.chars().cycle() {
            if text.len() + letter.len_utf8() > size {
                break;
            }
            text.push(letter);
        }
        text.extend(std::iter::repeat_n(' ', size - text.len()));
        Self {
            bytes: text.into(),
            is_text: true,
        }
    }

    /// The message as a client sends it, in frames of at most `most` bytes of payload.
    pub fn frames(&self, most: usize) -> Vec<u8> {
        let mut frames = Vec::new();
        let mut opcode = if self.is_text {
            Opcode::Text
        } else {
            Opcode::Binary
        };
        let count = self.bytes.chunks(most).count();
        for (i, payload) in self.bytes.chunks(most).enumerate() {
            frame(&mut frames, i + 1 == count, opcode, payload);
            opcode = Opcode::Continuation;
        }
        frames
    }
}

/// Appends a frame as a client sends it.
pub fn frame(frames: &mut Vec<u8>, fin: bool, opcode: Opcode, payload: &[u8]) {
    let header = FrameHeader {
        fin,
        rsv: 0,
        opcode,
        mask: Some(KEY),
        len: payload.len() as u64,
    };
    let (head, len) = header.encode();
    frames.extend_from_slice(&head[..len]);
    frames.extend(payload.iter().zip(KEY.iter().cycle()).map(|(a, b)| a ^ b));
}

/// The payloads of the frames in `bytes`, with their opcodes.
pub fn payloads(mut bytes: &[u8]) -> Vec<(Opcode, Vec<u8>)> {
    let mut found = Vec::new();
    while let Ok(Some((header, len))) = FrameHeader::parse(bytes) {
        let end = len + usize::try_from(header.len).expect("it is in memory");
        let key = header.mask.unwrap_or_default();
        let payload = bytes[len..end].iter().zip(key.iter().cycle());
        found.push((header.opcode, payload.map(|(a, b)| a ^ b).collect()));
        bytes = &bytes[end..];
    }
    assert!(bytes.is_empty(), "a frame was not written to its end");
    found
}

/// Counts what is received.
#[derive(Default)]
pub struct Tally {
    pub count: u64,
    /// What each message must be, while that is checked.
    pub expected: Option<Message>,
}

impl Tally {
    /// Takes a message.
    #[inline]
    pub fn take(&mut self, is_text: bool, payload: &[u8]) {
        self.count += 1;
        black_box((is_text, payload.as_ptr(), payload.len()));
        if self.expected.is_some() {
            self.check(is_text, payload);
        }
    }

    #[cold]
    fn check(&self, is_text: bool, payload: &[u8]) {
        let expected = self.expected.as_ref().expect("there is one");
        assert!(
            expected.is_text == is_text && expected.bytes == payload,
            "message {} has come as another one",
            self.count
        );
    }
}
