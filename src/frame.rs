//! The frame header (RFC 6455 §5.2): what its bytes say, and whether the peer may say so now.

use crate::error::ProtocolError;
use crate::role::Role;

/// What a frame carries (RFC 6455 §5.2, §11.8).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[doc(alias = "OpCode")]
#[repr(u8)]
pub enum Opcode {
    /// The next part of the message in progress.
    Continuation = 0x0,
    /// A text message, or its first part.
    Text = 0x1,
    /// A binary message, or its first part.
    Binary = 0x2,
    /// The wish to close, or the answer to it.
    Close = 0x8,
    /// A question whether the peer is there.
    Ping = 0x9,
    /// The answer to a Ping.
    Pong = 0xA,
}

impl Opcode {
    /// Returns the opcode in the lower four bits of a frame's first byte.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::ReservedOpcode`] for a value without a meaning.
    #[inline]
    pub const fn parse(bits: u8) -> Result<Self, ProtocolError> {
        Ok(match bits & 0x0F {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            // §5.2 "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
            _ => return Err(ProtocolError::ReservedOpcode),
        })
    }

    /// Tells whether this is a control frame's opcode: the most significant of its four bits is 1 (RFC 6455 §5.5).
    #[inline]
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }

    /// Tells whether a frame with this opcode is the first of a message (RFC 6455 §5.4).
    #[inline]
    #[must_use]
    pub const fn begins_message(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }
}

/// The header of a frame (RFC 6455 §5.2).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-------+-+-------------+-------------------------------+
/// |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
/// |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
/// |N|V|V|V|       |S|             |   (if payload len==126/127)   |
/// | |1|2|3|       |K|             |                               |
/// +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
/// |     Extended payload length continued, if payload len == 127  |
/// + - - - - - - - - - - - - - - - +-------------------------------+
/// |                               |Masking-key, if MASK set to 1  |
/// +-------------------------------+-------------------------------+
/// | Masking-key (continued)       |          Payload Data         |
/// +-------------------------------- - - - - - - - - - - - - - - - +
/// ```
///
/// [`parse`](Self::parse) knows the syntax alone and suits proxies and tools; [`check`](Self::check) knows what a peer
/// may send.
///
/// ```
/// use sansocket::{FrameHeader, Opcode, Role};
///
/// let hello = [0x81, 0x05, b'H', b'e', b'l', b'l', b'o']; // RFC 6455 §5.7
/// let (header, len) = FrameHeader::parse(&hello)?.expect("a whole header");
/// assert_eq!((header.opcode, header.fin, header.len, len), (Opcode::Text, true, 5, 2));
/// header.check(Role::Client, 0, false)?;
/// # Ok::<(), sansocket::ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FrameHeader {
    /// Whether this is the last frame of its message.
    pub fin: bool,
    /// The reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The masking key, if the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload in bytes, at most 2⁶³ − 1.
    pub len: u64,
}

/// A length and a masking key, and what is behind them.
type Tail<'a> = (u64, Option<[u8; 4]>, &'a [u8]);

impl FrameHeader {
    /// The length of the longest header, in bytes.
    pub const MAX_LEN: usize = 14;

    /// The first reserved bit in [`rsv`](Self::rsv): with permessage-deflate, the message is compressed (RFC 7692 §6).
    pub const RSV1: u8 = 0x4;

    /// The longest payload whose length fits in the second byte (§5.2).
    pub(crate) const SHORT_MAX: usize = 125;

    /// The longest payload of a control frame (§5.5).
    pub(crate) const MAX_CONTROL_LEN: u64 = 125;

    /// Reads the header at the start of `bytes` and returns it with its own length, `None` if more bytes are wanted
    /// (RFC 6455 §5.2).
    ///
    /// # Errors
    ///
    /// As soon as the bytes show it: [`ReservedOpcode`](ProtocolError::ReservedOpcode),
    /// [`LengthNotMinimal`](ProtocolError::LengthNotMinimal) or
    /// [`LengthOutOfRange`](ProtocolError::LengthOutOfRange).
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the rest is a part of the whole"
    )]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        let &[first, second, ref rest @ ..] = bytes else {
            return match bytes {
                [first] => Opcode::parse(*first).map(|_| None),
                _ => Ok(None),
            };
        };
        let opcode = Opcode::parse(first)?;
        let Some((len, mask, rest)) = Self::parse_tail(second, rest)? else {
            return Ok(None);
        };
        let header = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 0x7,
            opcode,
            mask,
            len,
        };
        Ok(Some((header, bytes.len() - rest.len())))
    }

    /// Does what [`parse`](Self::parse) and [`check`](Self::check) do together for a data frame without reserved bits. `None`
    /// for all others, and for those that are incomplete or wrong.
    #[inline(always)]
    pub(crate) fn parse_data(bytes: &[u8], role: Role, in_message: bool) -> Option<(Self, usize)> {
        let &[first, second, ref rest @ ..] = bytes else {
            return None;
        };
        // All but FIN, which may be as it is.
        let opcode = match (first & 0x7F, in_message) {
            (0x00, true) => Opcode::Continuation,
            (0x01, false) => Opcode::Text,
            (0x02, false) => Opcode::Binary,
            _ => return None,
        };
        let tail = Self::parse_tail(second, rest).ok()??;
        Self::from_tail(first, opcode, tail, bytes, role)
    }

    /// Does what [`parse`](Self::parse) and [`check`](Self::check) do together for a Ping or Pong. `None` for all others, and
    /// for those that are incomplete or wrong.
    #[inline(always)]
    pub(crate) fn parse_ping_pong(bytes: &[u8], role: Role) -> Option<(Self, usize)> {
        let &[first, second, ref rest @ ..] = bytes else {
            return None;
        };
        // FIN and no reserved bit
        let opcode = match first {
            0x89 => Opcode::Ping,
            0x8A => Opcode::Pong,
            _ => return None,
        };
        let len = u64::from(second & 0x7F);
        if len > Self::MAX_CONTROL_LEN {
            return None;
        }
        let tail = Self::parse_key(second, len, rest)?;
        Self::from_tail(first, opcode, tail, bytes, role)
    }

    /// Returns the header of `bytes` without reserved bits and its length, if it is masked as `role` asks for.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the rest is a part of the whole"
    )]
    fn from_tail(
        first: u8,
        opcode: Opcode,
        (len, mask, rest): Tail<'_>,
        bytes: &[u8],
        role: Role,
    ) -> Option<(Self, usize)> {
        if mask.is_some() != (role == Role::Server) {
            return None;
        }
        let header = Self {
            fin: first & 0x80 != 0,
            rsv: 0,
            opcode,
            mask,
            len,
        };
        Some((header, bytes.len() - rest.len()))
    }

    /// Reads what follows the first byte: the length and the masking key.
    #[inline]
    fn parse_tail(second: u8, rest: &[u8]) -> Result<Option<Tail<'_>>, ProtocolError> {
        let (len, rest) = match second & 0x7F {
            126 => match rest.split_first_chunk() {
                Some((len, rest)) => (minimal(u16::from_be_bytes(*len).into(), 126)?, rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((len, rest)) => (minimal(u64::from_be_bytes(*len), 1 << 16)?, rest),
                None => return unfinished_length(rest),
            },
            len => (u64::from(len), rest),
        };
        Ok(Self::parse_key(second, len, rest))
    }

    /// Reads what follows the length: the masking key, if there is one.
    #[inline]
    fn parse_key(second: u8, len: u64, rest: &[u8]) -> Option<Tail<'_>> {
        if second & 0x80 == 0 {
            return Some((len, None, rest));
        }
        let (key, rest) = rest.split_first_chunk()?;
        Some((len, Some(*key), rest))
    }

    /// Checks every rule that holds for a frame received by `role`, so that RFC 6455 can be read beside it.
    ///
    /// `rsv_in_use` has the reserved bits that an extension defines for the first frame of a message (RFC 7692 §6 does so
    /// with RSV1); `in_message` tells whether a message is in progress, its last frame yet to come.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, in the order of the bytes that show it.
    #[inline]
    pub fn check(self, role: Role, rsv_in_use: u8, in_message: bool) -> Result<(), ProtocolError> {
        use ProtocolError as E;

        // §5.2 "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
        let defined = if self.opcode.begins_message() {
            rsv_in_use
        } else {
            0
        };
        ensure(self.rsv & !defined == 0, E::ReservedBits)?;
        if self.opcode.is_control() {
            // §5.5 "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
            ensure(self.fin, E::FragmentedControlFrame)?;
        } else {
            // §5.4 "an opcode other than 0" begins a message, "the opcode set to 0" continues it.
            let continues = self.opcode == Opcode::Continuation;
            ensure(in_message || !continues, E::UnexpectedContinuation)?;
            // §5.4 "The fragments of one message MUST NOT be interleaved between the fragments of another message"
            ensure(continues || !in_message, E::ExpectedContinuation)?;
        }
        // §5.1 "a client MUST mask all frames that it sends to the server", "A server MUST NOT mask any frames"
        match role {
            Role::Server => ensure(self.mask.is_some(), E::UnmaskedFrame)?,
            Role::Client => ensure(self.mask.is_none(), E::MaskedFrame)?,
        }
        if self.opcode.is_control() {
            ensure(self.len <= Self::MAX_CONTROL_LEN, E::OversizedControlFrame)?;
            // §5.5.1 "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer"
            let half_a_code = self.opcode == Opcode::Close && self.len == 1;
            ensure(!half_a_code, E::TruncatedCloseCode)?;
        }
        Ok(())
    }

    /// Checks what the first bytes of a header show already: an error is reported at the byte that makes it certain.
    ///
    /// The arguments are those of [`check`](Self::check); `bytes` may be anything from nothing to a whole header.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse) and [`check`](Self::check).
    pub fn check_prefix(
        bytes: &[u8],
        role: Role,
        rsv_in_use: u8,
        in_message: bool,
    ) -> Result<(), ProtocolError> {
        Self::check_start(bytes, role, rsv_in_use, in_message)?;
        Self::parse(bytes).map(drop)
    }

    /// Checks what the first two bytes of a header show, as far as they are there.
    pub(crate) fn check_start(
        bytes: &[u8],
        role: Role,
        rsv_in_use: u8,
        in_message: bool,
    ) -> Result<(), ProtocolError> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(());
        };
        // What is not known yet is assumed to be as it should.
        let mut header = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 0x7,
            opcode: Opcode::parse(first)?,
            mask: (role == Role::Server).then_some([0; 4]),
            len: 0,
        };
        header.check(role, rsv_in_use, in_message)?;
        let Some(&second) = rest.first() else {
            return Ok(());
        };
        header.mask = (second & 0x80 != 0).then_some([0; 4]);
        header.len = u64::from(second & 0x7F);
        header.check(role, rsv_in_use, in_message)
    }

    /// Returns the length of the header, in bytes: 2 to 14.
    #[inline]
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "at most 14")]
    pub const fn encoded_len(self) -> usize {
        let len = match self.len {
            0..=125 => 2,
            126..=0xFFFF => 4,
            _ => 10,
        };
        if self.mask.is_some() { len + 4 } else { len }
    }

    /// Returns the header in its only legal form and that form's length; the bytes behind it are zero (RFC 6455 §5.2).
    #[inline]
    #[must_use]
    pub const fn encode(self) -> ([u8; Self::MAX_LEN], usize) {
        let (word, len) = self.to_word();
        let [bytes @ .., _, _] = word.to_le_bytes();
        (bytes, len)
    }

    /// Returns what [`encode`](Self::encode) does in a word whose lowest byte is the first, all of it in registers.
    #[inline(always)]
    pub(crate) const fn to_word(self) -> (u128, usize) {
        Self::word(self.first(), self.mask, self.len)
    }

    /// Returns the first byte.
    #[inline(always)]
    pub(crate) const fn first(self) -> u8 {
        (self.fin as u8) << 7 | (self.rsv & 0x7) << 4 | self.opcode as u8
    }

    /// Returns what [`to_word`](Self::to_word) does of a header with this first byte.
    #[inline(always)]
    #[expect(clippy::arithmetic_side_effects, reason = "at most 14")]
    pub(crate) const fn word(first: u8, mask: Option<[u8; 4]>, len: u64) -> (u128, usize) {
        // What is short needs but one register, and no shift by a length that is not known.
        if len <= Self::SHORT_MAX as u64 {
            let word = len << 8 | first as u64;
            return match mask {
                Some(key) => {
                    let key = u32::from_le_bytes(key) as u64;
                    ((word | 0x80 << 8 | key << 16) as u128, 6)
                }
                None => (word as u128, 2),
            };
        }
        let masked = (mask.is_some() as u128) << 15;
        // §5.2 "the minimal number of bytes MUST be used to encode the length"
        let (word, len) = match len {
            ..=0xFFFF => (126 << 8 | ((len.swap_bytes() >> 48) as u128) << 16, 4),
            _ => (127 << 8 | (len.swap_bytes() as u128) << 16, 10),
        };
        let word = word | masked | first as u128;
        match mask {
            Some(key) => (
                word | (u32::from_le_bytes(key) as u128) << (8 * len),
                len + 4,
            ),
            None => (word, len),
        }
    }
}

/// Returns `len` if it needs the form it was found in, whose least value is `least`.
#[inline]
fn minimal(len: u64, least: u64) -> Result<u64, ProtocolError> {
    ensure(len >= least, ProtocolError::LengthNotMinimal)?;
    // §5.2 "the most significant bit MUST be 0"
    ensure(len >> 63 == 0, ProtocolError::LengthOutOfRange)?;
    Ok(len)
}

/// Reports what the first bytes of a length of eight show already.
#[cold]
fn unfinished_length<T>(bytes: &[u8]) -> Result<Option<T>, ProtocolError> {
    ensure(
        bytes.first().is_none_or(|first| first & 0x80 == 0),
        ProtocolError::LengthOutOfRange,
    )?;
    ensure(
        bytes.len() < 6 || bytes.iter().take(6).any(|&b| b != 0),
        ProtocolError::LengthNotMinimal,
    )?;
    Ok(None)
}

#[inline]
fn ensure(rule: bool, otherwise: ProtocolError) -> Result<(), ProtocolError> {
    if rule { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the first two bytes are, and wherever the header ends, the fast ways find what the other does.
    #[test]
    fn the_fast_ways_find_what_the_other_does() {
        for [first, second] in (0..=u16::MAX).map(u16::to_be_bytes) {
            for tail in [[0; 12], [1; 12], [0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9]] {
                let mut bytes = [0; 14];
                bytes[..2].copy_from_slice(&[first, second]);
                bytes[2..].copy_from_slice(&tail);
                for len in [0, 1, 2, 3, 4, 6, 8, 10, 13, 14] {
                    check_fast_ways(&bytes[..len]);
                }
            }
        }
    }

    fn check_fast_ways(bytes: &[u8]) {
        let known = FrameHeader::parse(bytes).ok().flatten();
        for (role, in_message) in [Role::Server, Role::Client]
            .into_iter()
            .flat_map(|role| [(role, false), (role, true)])
        {
            let legal = known.filter(|(header, _)| header.check(role, 0, in_message).is_ok());
            let data = legal.filter(|(header, _)| !header.opcode.is_control());
            let control =
                legal.filter(|(header, _)| matches!(header.opcode, Opcode::Ping | Opcode::Pong));
            assert_eq!(FrameHeader::parse_data(bytes, role, in_message), data);
            assert_eq!(FrameHeader::parse_ping_pong(bytes, role), control);
        }
    }
}
