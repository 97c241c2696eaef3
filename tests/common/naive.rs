//! Frames read and written word for word from the figure of RFC 6455 §5.2, as an oracle for the crate.

use sansocket::Role;

/// A frame as it was found, its payload unmasked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload: Vec<u8>,
    /// The length of the frame with its header, in bytes.
    pub(crate) size: usize,
}

/// Returns the length of the first frame, in bytes with its header; the bytes may end before it does.
pub(crate) fn first_len(bytes: &[u8]) -> usize {
    let (extended, len) = match bytes[1] & 0x7F {
        126 => (2, number(&bytes[2..4])),
        127 => (8, number(&bytes[2..10])),
        len => (0, len.into()),
    };
    let key = if bytes[1] & 0x80 == 0 { 0 } else { 4 };
    2 + extended + key + len
}

/// Reads frames until the bytes end, which must be at the end of a frame.
pub(crate) fn parse(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let all = bytes.len();
        let mut next = |count: usize| {
            let (taken, rest) = bytes.split_at(count);
            bytes = rest;
            taken.to_vec()
        };
        let head = next(2);
        let len = match head[1] & 0x7F {
            126 => {
                let len = number(&next(2));
                assert!(len > 125, "the shortest form holds up to 125");
                len
            }
            127 => {
                let len = number(&next(8));
                assert!(len > 0xFFFF, "the middle form holds up to 65,535");
                len
            }
            len => len.into(),
        };
        let key = (head[1] & 0x80 != 0).then(|| {
            let key = next(4);
            [key[0], key[1], key[2], key[3]]
        });
        let mut payload = next(len);
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key.map_or(0, |key| key[i % 4]);
        }
        frames.push(Frame {
            fin: head[0] & 0x80 != 0,
            rsv: head[0] >> 4 & 7,
            opcode: head[0] & 0xF,
            key,
            payload,
            size: all - bytes.len(),
        });
    }
    frames
}

/// Describes the frames that `role` has sent, each as an event would be, with `...` behind one without FIN.
pub(crate) fn describe(bytes: &[u8], role: Role) -> Vec<String> {
    let described = parse(bytes).into_iter().map(|frame| {
        assert_eq!(
            frame.key.is_some(),
            role == Role::Client,
            "clients mask, servers do not"
        );
        assert_eq!(frame.rsv, 0, "no extension, no reserved bits");
        let payload = super::show(&frame.payload);
        let more = if frame.fin { "" } else { "..." };
        match frame.opcode {
            0 => format!("continuation {payload}{more}"),
            1 => format!("text {payload}{more}"),
            2 => format!("binary {payload}{more}"),
            8 => close(&frame.payload),
            9 => format!("ping {payload}"),
            10 => format!("pong {payload}"),
            opcode => panic!("opcode {opcode} was sent"),
        }
    });
    described.collect()
}

fn close(payload: &[u8]) -> String {
    match payload {
        [] => "close".into(),
        [_] => panic!("half a code was sent"),
        [a, b] => format!("close {}", u16::from_be_bytes([*a, *b])),
        [a, b, reason @ ..] => {
            let reason = str::from_utf8(reason).expect("a reason is UTF-8");
            format!("close {} {reason:?}", u16::from_be_bytes([*a, *b]))
        }
    }
}

/// Puts masks on frames that stand without, each with another key; the bytes may be any frames, the last one cut short.
pub(crate) fn mask_all(mut frames: &[u8]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut key = [0x37_u8, 0xfa, 0x21, 0x3d];
    while let [first, rest @ ..] = frames {
        masked.push(*first);
        let [second, rest @ ..] = rest else { break };
        masked.push(second | 0x80);
        let extended = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let (extended, rest) = rest.split_at(rest.len().min(extended));
        masked.extend(extended);
        let len = match (second & 0x7F, extended.len()) {
            (126, 2) | (127, 8) => number(extended),
            (126 | 127, _) => break,
            (len, _) => len.into(),
        };
        masked.extend(key);
        let (payload, rest) = rest.split_at(rest.len().min(len));
        masked.extend(payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b));
        key = key.map(|byte| byte.wrapping_mul(31).wrapping_add(7));
        frames = rest;
    }
    masked
}

/// Returns a frame without a mask.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(u8::try_from(len).expect("at most 125")),
        len @ 126..=0xFFFF => {
            frame.push(126);
            frame.extend(u16::try_from(len).expect("two bytes").to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

fn number(bytes: &[u8]) -> usize {
    let number = bytes
        .iter()
        .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    usize::try_from(number).unwrap_or(usize::MAX)
}
