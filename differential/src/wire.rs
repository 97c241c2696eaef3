//! Messages as bytes of the network: cut into frames (RFC 6455 §5), and those into reads.

use sansocket::Role;

use crate::random::Random;

/// A binary frame and the bits beside its opcode.
const BINARY: u8 = 0x02;
const PING: u8 = 0x89;
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;

/// Appends a compressed message as `receiver` wants it, in one frame or in some, with a Ping between now and then.
pub fn push_message(random: &mut Random, receiver: Role, payload: &[u8], wire: &mut Vec<u8>) {
    let mut rest = payload;
    let mut first = BINARY | RSV1;
    while random.one_in(3) {
        let (now, later) = rest.split_at(random.below(rest.len() + 1));
        push_frame(random, receiver, first, now, wire);
        if random.one_in(4) {
            push_frame(random, receiver, PING, b"ping", wire);
        }
        (first, rest) = (0, later);
    }
    push_frame(random, receiver, first | FIN, rest, wire);
}

fn push_frame(random: &mut Random, receiver: Role, first: u8, payload: &[u8], wire: &mut Vec<u8>) {
    let mask = match receiver {
        Role::Client => 0x00,
        Role::Server => 0x80,
    };
    wire.push(first);
    match payload.len() {
        len @ 0..126 => wire.push(mask | u8::try_from(len).expect("a short frame")),
        len @ 126..65_536 => {
            wire.push(mask | 0x7E);
            wire.extend(u16::try_from(len).expect("two bytes").to_be_bytes());
        }
        len => {
            wire.push(mask | 0x7F);
            wire.extend((len as u64).to_be_bytes());
        }
    }
    if receiver == Role::Client {
        wire.extend_from_slice(payload);
        return;
    }
    let key = [0; 4].map(|_: u8| random.byte());
    wire.extend(key);
    let masked = payload.iter().zip(key.iter().cycle());
    wire.extend(masked.map(|(byte, key)| byte ^ key));
}

/// How long the next read is.
#[derive(Clone, Copy, Debug)]
pub enum Reads {
    Whole,
    Most(usize),
    Random(usize),
}

impl Reads {
    /// Returns how a stream of so many bytes is read.
    pub fn random(random: &mut Random, len: usize) -> Self {
        // A byte at a time takes long where there are many.
        let least = 1 + len / 1_000;
        match random.below(4) {
            0 => Self::Whole,
            1 => Self::Most(least),
            2 => Self::Most(random.within(least, least + 40)),
            _ => Self::Random(2 * least + 20),
        }
    }

    /// Gives `stream` to `take` read by read, until that returns `false`.
    pub fn cut(
        self,
        random: &mut Random,
        mut stream: &mut [u8],
        mut take: impl FnMut(&mut [u8]) -> bool,
    ) {
        while !stream.is_empty() {
            let (read, later) = stream.split_at_mut(self.next(random, stream.len()));
            if !take(read) {
                return;
            }
            stream = later;
        }
    }

    /// Returns the length of the next read of `left` bytes, which are not none.
    fn next(self, random: &mut Random, left: usize) -> usize {
        match self {
            Self::Whole => left,
            Self::Most(most) => most.min(left),
            Self::Random(most) => random.within(1, most.min(left)),
        }
    }
}
