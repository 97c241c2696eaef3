//! What no library can do without: the copy of a read or write, and the least work on top of it.

use std::io::{Read, Write};

use super::{Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{READ, Transport};

/// Copies, and knows from the first message how long all are.
struct Copy {
    transport: Transport,
    buffer: Box<[u8]>,
    /// Bytes read beyond the last message.
    waiting: usize,
}

pub(super) fn copy(_: Role, transport: Transport) -> Box<dyn Socket> {
    Box::new(Copy {
        transport,
        buffer: vec![0; READ].into(),
        waiting: 0,
    })
}

impl Socket for Copy {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        let len = self.transport.message_len();
        while tally.count < until {
            self.waiting += self.transport.read(&mut self.buffer).expect("memory");
            tally.count += (self.waiting / len) as u64;
            self.waiting %= len;
        }
    }

    fn send(&mut self, message: &Message, count: u64, _: u64) {
        for _ in 0..count {
            self.transport.write_all(&message.bytes).expect("memory");
        }
    }
}

/// Unmasks in place by words of eight bytes, and trusts every header.
struct Unmask {
    transport: Transport,
    buffer: Vec<u8>,
    /// The bytes in the buffer that are done with.
    used: usize,
    filled: usize,
    /// A client masks.
    role: Role,
}

pub(super) fn unmask(role: Role, transport: Transport) -> Box<dyn Socket> {
    Box::new(Unmask {
        transport,
        buffer: vec![0; READ],
        used: 0,
        filled: 0,
        role,
    })
}

impl Unmask {
    /// Returns where the payload of the next frame begins and ends.
    fn header(&self) -> Option<(usize, usize)> {
        let bytes = &self.buffer[self.used..self.filled];
        let (len, begin) = match bytes.get(1)? & 0x7F {
            126 => (
                usize::from(u16::from_be_bytes(*bytes[2..].first_chunk()?)),
                8,
            ),
            127 => {
                let len = u64::from_be_bytes(*bytes[2..].first_chunk()?);
                (usize::try_from(len).ok()?, 14)
            }
            len => (usize::from(len), 6),
        };
        Some((self.used + begin, self.used + begin + len))
    }
}

impl Socket for Unmask {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        while tally.count < until {
            let read = self.transport.read(&mut self.buffer[self.filled..]);
            self.filled += read.expect("memory");
            while let Some((begin, end)) = self.header() {
                if end > self.filled {
                    self.buffer.resize(self.buffer.len().max(end + READ), 0);
                    break;
                }
                let (head, payload) = self.buffer[..end].split_at_mut(begin);
                let key = *head.last_chunk().expect("a key");
                xor(payload, key);
                tally.take(head[self.used] & 0x0F == 1, payload);
                self.used = end;
            }
            if self.used == self.filled {
                (self.used, self.filled) = (0, 0);
            } else if self.filled == self.buffer.len() {
                self.buffer.copy_within(self.used..self.filled, 0);
                self.filled -= self.used;
                self.used = 0;
            }
        }
    }

    fn send(&mut self, message: &Message, count: u64, _: u64) {
        for _ in 0..count {
            let head = [0x82, 0];
            self.transport.write_all(&head).expect("memory");
            for piece in message.bytes.chunks(READ) {
                self.buffer[..piece.len()].copy_from_slice(piece);
                if self.role == Role::Client {
                    xor(&mut self.buffer[..piece.len()], [1, 2, 3, 4]);
                }
                let written = self.transport.write_all(&self.buffer[..piece.len()]);
                written.expect("memory");
            }
        }
    }
}

fn xor(payload: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}
