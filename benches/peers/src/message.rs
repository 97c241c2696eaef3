//! The messages, their frames, and the check that each has come as it was sent.

#[path = "../../shared/json.rs"]
mod json;
#[path = "../../shared/text.rs"]
mod text;

use std::hint::black_box;

use bytes::{Buf, Bytes};
use sansocket::deflate::Params;
use sansocket::{Config, Event, FrameHeader, Opcode, ReceiveHalf, SendHalf};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Binary,
    Ascii,
    Mixed,
    Emoji,
}

#[derive(Clone)]
pub struct Message {
    pub bytes: Bytes,
    pub is_text: bool,
}

impl Message {
    pub fn new(kind: Kind, size: usize) -> Self {
        let [(_, ascii), (_, mixed), (_, emoji)] = text::ALPHABETS;
        let bytes = match kind {
            Kind::Binary => (0..size)
                .map(|i| (i * 7 + i / 251).to_le_bytes()[0])
                .collect(),
            Kind::Ascii => text::repeat(ascii, size).into(),
            Kind::Mixed => text::repeat(mixed, size).into(),
            Kind::Emoji => text::repeat(emoji, size).into(),
        };
        Self {
            bytes,
            is_text: kind != Kind::Binary,
        }
    }

    /// A stream of different messages of JSON, to be compressed.
    pub fn stream(size: usize) -> Vec<Self> {
        let messages = json::messages(size).into_iter();
        messages
            .map(|text| Self {
                bytes: text.into(),
                is_text: false,
            })
            .collect()
    }

    /// The message as a client sends it, in frames of at most `most` bytes of payload, with a Ping after each so many.
    pub fn frames(&self, most: usize, ping_after: Option<usize>) -> Vec<u8> {
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
            if ping_after.is_some_and(|after| (i + 1) % after == 0) {
                frame(&mut frames, true, Opcode::Ping, b"");
            }
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

/// What both ends do, where they agree on permessage-deflate: take over the context or not.
fn params(takeover: bool) -> Params {
    Params::default()
        .with_server_no_context_takeover(!takeover)
        .with_client_no_context_takeover(!takeover)
}

/// The frames of a client that compresses.
pub fn compressed(messages: &[Message], takeover: bool) -> Vec<u8> {
    let config = Config::default().with_compression_threshold(0);
    let mut sender = SendHalf::client(&config.with_deflate(params(takeover)), || KEY);
    let mut frames = Vec::new();
    for message in messages {
        sender
            .send_binary(&message.bytes)
            .expect("an open connection");
        let len = sender.outgoing().remaining();
        frames.extend_from_slice(&sender.outgoing().copy_to_bytes(len));
    }
    frames
}

/// The messages in the frames of a server that compresses.
pub fn inflated(mut frames: Vec<u8>, takeover: bool) -> Vec<Vec<u8>> {
    let mut receiver = ReceiveHalf::client(&Config::default().with_deflate(params(takeover)));
    let mut input = &mut frames[..];
    let mut messages = Vec::new();
    while let Some(event) = receiver.receive(&mut input).expect("valid frames") {
        match event {
            Event::Binary(data) => messages.push(data.to_vec()),
            Event::Text(text) => messages.push(text.as_bytes().to_vec()),
            _ => panic!("only messages were sent"),
        }
    }
    messages
}

/// Counts what is received.
#[derive(Default)]
pub struct Tally {
    pub count: u64,
    /// What the messages must be, over and over, while that is checked.
    pub expected: Vec<Message>,
}

impl Tally {
    /// Takes a message.
    #[inline]
    pub fn take(&mut self, is_text: bool, payload: &[u8]) {
        self.count += 1;
        black_box((is_text, payload.as_ptr(), payload.len()));
        if !self.expected.is_empty() {
            self.check(is_text, payload);
        }
    }

    #[cold]
    fn check(&self, is_text: bool, payload: &[u8]) {
        let turn = (self.count - 1) % self.expected.len() as u64;
        let expected = &self.expected[usize::try_from(turn).expect("it is in memory")];
        assert!(
            expected.is_text == is_text && expected.bytes == payload,
            "message {} has come as another one",
            self.count
        );
    }
}
