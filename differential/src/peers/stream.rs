//! Streams of frames: legal ones, and such as are not quite.

use ::sansocket::Role;

use super::mutation;
use crate::random::Random;

/// What an end is to read, and as what.
#[derive(Clone, Debug)]
pub struct Stream {
    pub origin: Origin,
    pub role: Role,
    pub bytes: Vec<u8>,
    /// The most that a peer gets in one read.
    pub most: usize,
}

/// Where a stream comes from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    Legal,
    /// One thing in a frame is not as it should.
    NearlyLegal,
    /// Frames are put together without a thought of what may follow what.
    Hostile,
    Mutated,
    Noise,
}

/// A frame before it is written.
struct Frame {
    first: u8,
    masked: bool,
    /// How many bytes have the length: none, two or eight.
    digits: usize,
    /// The length that is told, if it is not that of the payload.
    told: Option<u64>,
    payload: Vec<u8>,
}

const TEXTS: &[&str] = &[
    "a",
    "~",
    "é",
    "\u{7FF}",
    "\u{800}",
    "€",
    "\u{D7FF}",
    "\u{FFFF}",
    "😀",
    "\u{10FFFF}",
];

/// What no text has, or what a text does not end with.
const NO_TEXTS: &[&[u8]] = &[
    b"\x80",
    b"\xC0\x80",
    b"\xC1\xBF",
    b"\xE0\x9F\xBF",
    b"\xED\xA0\x80",
    b"\xF0\x8F\xBF\xBF",
    b"\xF4\x90\x80\x80",
    b"\xF5",
    b"\xFF",
    b"\xC3",
    b"\xE2\x82",
    b"\xF0\x9F\x98",
    b"\xED\xA0",
    b"\xF4\x90",
];

const CODES: &[u16] = &[
    0, 1, 125, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012,
    1013, 1014, 1015, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 32_768, 65_535,
];

impl Stream {
    /// Returns the stream that these numbers make.
    pub fn random(random: &mut Random) -> Self {
        let origin = match random.below(100) {
            0..15 => Origin::Legal,
            15..45 => Origin::NearlyLegal,
            45..60 => Origin::Hostile,
            60..97 => Origin::Mutated,
            _ => Origin::Noise,
        };
        let role = random.pick(&[Role::Client, Role::Server]);
        let mut bytes = match origin {
            Origin::Legal | Origin::Mutated => legal(random, role, None),
            Origin::NearlyLegal => {
                let wrong = random.below(8);
                legal(random, role, Some(wrong))
            }
            Origin::Hostile => hostile(random, role),
            Origin::Noise => {
                let len = random.len(200);
                random.bytes(len)
            }
        };
        if origin == Origin::Mutated || origin == Origin::Hostile && random.one_in(2) {
            for _ in 0..random.within(1, 3) {
                mutation::mutate(random, &mut bytes);
            }
        }
        let most = match random.below(4) {
            0 => usize::MAX,
            1 => 1 + bytes.len() / 1_000,
            _ => random.within(1, 40) + bytes.len() / 1_000,
        };
        Self {
            origin,
            role,
            bytes,
            most,
        }
    }
}

/// Returns messages and control frames in order, one of which has something wrong with it from frame `wrong` on.
fn legal(random: &mut Random, role: Role, wrong: Option<usize>) -> Vec<u8> {
    let mut frames = Vec::new();
    for _ in 0..random.within(1, 4) {
        push_message(random, role, wrong.is_some(), &mut frames);
    }
    if random.one_in(2) {
        frames.push(close(random, role, wrong.is_some()));
        if random.one_in(2) {
            push_message(random, role, false, &mut frames);
        }
    }
    if let Some(wrong) = wrong
        && random.below(4) > 0
    {
        let at = wrong % frames.len();
        spoil(random, &mut frames[at]);
        if random.one_in(3) {
            let (a, b) = (random.below(frames.len()), random.below(frames.len()));
            frames.swap(a, b);
        }
    }
    write(random, &frames)
}

fn hostile(random: &mut Random, role: Role) -> Vec<u8> {
    let mut frames = Vec::new();
    for _ in 0..random.within(1, 8) {
        let len = random.len(300);
        let payload = match random.below(3) {
            0 => random.bytes(len),
            1 => text(random, len, true),
            _ => text(random, len, false),
        };
        let mut frame = Frame::new(role, random.byte() & 0x8F, payload);
        if random.below(3) > 0 {
            // Most of the bytes would end the stream at once.
            frame.first = frame.first & 0x80 | random.pick(&[0, 0, 1, 1, 2, 2, 8, 9, 10]);
        }
        if random.one_in(4) {
            spoil(random, &mut frame);
        }
        frames.push(frame);
    }
    write(random, &frames)
}

fn push_message(random: &mut Random, role: Role, broken: bool, frames: &mut Vec<Frame>) {
    let most = if random.one_in(40) { 70_000 } else { 300 };
    let len = random.len(most);
    let is_text = random.below(3) > 0;
    let payload = if is_text {
        let broken = broken && random.one_in(3);
        text(random, len, broken)
    } else {
        random.bytes(len)
    };
    let mut opcode = if is_text { 1 } else { 2 };
    let mut rest = &payload[..];
    while random.one_in(2) {
        let (now, later) = rest.split_at(random.below(rest.len() + 1));
        frames.push(Frame::new(role, opcode, now.to_vec()));
        (opcode, rest) = (0, later);
        push_control(random, role, frames);
    }
    frames.push(Frame::new(role, 0x80 | opcode, rest.to_vec()));
    push_control(random, role, frames);
}

fn push_control(random: &mut Random, role: Role, frames: &mut Vec<Frame>) {
    while random.one_in(4) {
        let len = random.pick(&[0, 1, 4, 124, 125]);
        let opcode = random.pick(&[9, 10]);
        frames.push(Frame::new(role, 0x80 | opcode, random.bytes(len)));
    }
}

fn close(random: &mut Random, role: Role, broken: bool) -> Frame {
    let code = if broken {
        random.pick(CODES)
    } else {
        random.pick(&[1000, 1001, 1011, 3000, 4999])
    };
    let len = random.pick(&[0, 0, 1, 5, 122, 123]);
    let broken = broken && random.one_in(4);
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(text(random, len, broken));
    payload.truncate(125);
    if !broken {
        let end =
            2 + str::from_utf8(&payload[2..]).map_or_else(|error| error.valid_up_to(), str::len);
        payload.truncate(end);
    }
    match random.below(8) {
        0 => payload.clear(),
        1 if broken => payload.truncate(1),
        _ => {}
    }
    Frame::new(role, 0x88, payload)
}

/// Returns about `len` bytes of text; something in `broken` text is no character, perhaps the last.
fn text(random: &mut Random, len: usize, broken: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(len + 8);
    let bad = if random.one_in(2) {
        len
    } else {
        random.below(len + 1)
    };
    let ascii = random.one_in(3);
    let mut done = !broken;
    while text.len() < len {
        if !done && text.len() >= bad {
            text.extend_from_slice(random.pick(NO_TEXTS));
            done = true;
        }
        let character = if ascii { "x" } else { random.pick(TEXTS) };
        text.extend_from_slice(character.as_bytes());
    }
    if !done {
        text.extend_from_slice(random.pick(NO_TEXTS));
    }
    text
}

/// Does something to a frame that it should not have.
fn spoil(random: &mut Random, frame: &mut Frame) {
    match random.below(10) {
        0 => frame.first ^= 0x10 << random.below(3),
        1 => frame.first = frame.first & 0xF0 | random.byte() & 0x0F,
        2 => frame.first ^= 0x80,
        3 => frame.masked = !frame.masked,
        4 | 5 => frame.digits = random.pick(&[2, 8]),
        6 => {
            frame.digits = 8;
            let bits = random.pick(&[0, 6, 7, 8, 15, 16, 17, 31, 32, 62, 63]);
            frame.told = Some(1_u64 << bits | u64::from(random.byte()));
        }
        7 => {
            let len = frame.payload.len();
            let told = random.below(2 * len + 4);
            frame.told = Some(told as u64);
        }
        8 => {
            // A long control frame, if it is one.
            let len = random.within(120, 300);
            frame.payload.resize(len, b'y');
            frame.digits = 2;
        }
        _ => frame.first = frame.first & 0xF0 | random.pick(&[0, 1, 2, 8, 9, 10]),
    }
}

impl Frame {
    fn new(role: Role, first: u8, payload: Vec<u8>) -> Self {
        Self {
            first,
            masked: role == Role::Server,
            digits: match payload.len() {
                0..126 => 0,
                126..0x1_0000 => 2,
                _ => 8,
            },
            told: None,
            payload,
        }
    }
}

fn write(random: &mut Random, frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        let len = frame.told.unwrap_or(frame.payload.len() as u64);
        let len = len.to_be_bytes();
        let mask = u8::from(frame.masked) << 7;
        bytes.push(frame.first);
        match frame.digits {
            0 => bytes.push(mask | len[7] & 0x7F),
            2 => {
                bytes.push(mask | 0x7E);
                bytes.extend_from_slice(&len[6..]);
            }
            _ => {
                bytes.push(mask | 0x7F);
                bytes.extend_from_slice(&len);
            }
        }
        let key = if frame.masked {
            let key = [0; 4].map(|_: u8| random.byte());
            bytes.extend(key);
            key
        } else {
            [0; 4]
        };
        let masked = frame.payload.iter().zip(key.iter().cycle());
        bytes.extend(masked.map(|(byte, key)| byte ^ key));
    }
    bytes
}
