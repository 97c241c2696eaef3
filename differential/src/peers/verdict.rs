//! What has come of a stream.

use std::fmt::{self, Write};

/// What an end of a connection makes of a stream.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    pub messages: Vec<Message>,
    pub end: End,
    /// The code in the Close frame that was sent, if one was sent and has a code.
    pub code: Option<u16>,
}

/// A message as it was delivered. The bytes are those of the peer: a broken one may call something text that is not.
#[derive(Clone, Eq, PartialEq)]
pub struct Message {
    pub text: bool,
    pub data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum End {
    /// More bytes are wanted.
    #[default]
    Open,
    /// The peer's Close frame came.
    Closed,
    /// The connection failed.
    Failed,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.text { "text" } else { "binary" };
        write!(f, "{kind} {}", hex(&self.data))
    }
}

/// Returns bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the code of the Close frame in what an end has sent.
///
/// # Panics
///
/// If that is not a row of short frames, of which only the last is a Close frame.
#[must_use]
pub fn close_code(mut sent: &[u8]) -> Option<u16> {
    while let [first, second, rest @ ..] = sent {
        let (len, rest) = match (second & 0x7F, rest) {
            (126, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]).into(), rest),
            (len @ 0..126, rest) => (usize::from(len), rest),
            _ => panic!("a long frame was sent"),
        };
        let (key, rest) = match rest {
            [a, b, c, d, rest @ ..] if second & 0x80 != 0 => ([*a, *b, *c, *d], rest),
            _ => ([0; 4], rest),
        };
        let (payload, rest) = rest.split_at(len);
        if *first == 0x88 {
            assert!(rest.is_empty(), "something was sent behind a Close frame");
            return match payload {
                [high, low, ..] => Some(u16::from_be_bytes([high ^ key[0], low ^ key[1]])),
                _ => None,
            };
        }
        assert_eq!(*first, 0x8A, "neither a Pong nor a Close frame was sent");
        sent = rest;
    }
    None
}
