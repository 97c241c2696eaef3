//! The faults of a peer: rules that it broke, and a stream that it cut short.

use core::fmt;

/// The rule of the protocol, or the limit, that the peer broke.
///
/// After one the connection has failed (RFC 6455 §7.1.7): the Close frame that tells the peer is already queued, and no
/// further byte is parsed. [`ProtocolError::close_code`] is the code in that frame, and the error's text the reason, as
/// [`Config::error_reason`](crate::Config::error_reason) says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A client sent a frame without a mask (RFC 6455 §5.1).
    UnmaskedFrame,
    /// A server sent a frame with a mask (RFC 6455 §5.1).
    MaskedFrame,
    /// A reserved bit is set that no negotiated extension gives a meaning (RFC 6455 §5.2).
    ReservedBits,
    /// The opcode is one of 3–7 and 11–15, which have no meaning (RFC 6455 §5.2).
    ReservedOpcode,
    /// The payload length does not stand in its shortest form (RFC 6455 §5.2).
    LengthNotMinimal,
    /// The payload length has its most significant bit set (RFC 6455 §5.2).
    LengthOutOfRange,
    /// A continuation frame came without a message to continue (RFC 6455 §5.4).
    UnexpectedContinuation,
    /// A new message began before the last one had ended (RFC 6455 §5.4).
    ExpectedContinuation,
    /// A control frame has more than 125 bytes of payload (RFC 6455 §5.5).
    OversizedControlFrame,
    /// A control frame is fragmented (RFC 6455 §5.5).
    FragmentedControlFrame,
    /// The payload of a Close frame is one byte, half a code (RFC 6455 §5.5.1).
    TruncatedCloseCode,
    /// A Close frame carries a code that must not be sent (RFC 6455 §7.4).
    InvalidCloseCode,
    /// The reason in a Close frame is not UTF-8 (RFC 6455 §5.5.1).
    InvalidCloseReason,
    /// A text message is not UTF-8 (RFC 6455 §8.1).
    InvalidUtf8,
    /// A compressed message is not DEFLATE data, or is cut short (RFC 7692 §7.2.2).
    InvalidCompression,
    /// A compressed message goes on and on, and hardly anything comes out of it (RFC 6455 §10.4): it has more than 64 KiB and
    /// sixteen times what came out, a block with BFINAL counting for 1 KiB.
    CompressionOverhead,
    /// A frame is longer than [`Limits::frame`](crate::Limits::frame) (RFC 6455 §10.4).
    FrameTooLarge,
    /// A message is longer than [`Limits::message`](crate::Limits::message) (RFC 6455 §10.4).
    MessageTooLarge,
    /// A message has more frames than [`Limits::fragments`](crate::Limits::fragments) (RFC 6455 §10.4).
    TooManyFragments,
    /// A message has more empty frames than
    /// [`Limits::empty_fragments`](crate::Limits::empty_fragments) (RFC 6455 §10.4).
    TooManyEmptyFragments,
    /// More control frames than [`Limits::control_frames`](crate::Limits::control_frames) came between two fragments of
    /// a message (RFC 6455 §10.4).
    TooManyControlFrames,
}

impl ProtocolError {
    /// Returns the text that [`Display`](fmt::Display) writes, which our Close frame has as its reason: at most 123 bytes.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::UnmaskedFrame => "a client sent a frame without a mask",
            Self::MaskedFrame => "a server sent a frame with a mask",
            Self::ReservedBits => "a reserved bit is set without an extension that defines it",
            Self::ReservedOpcode => "the opcode is reserved",
            Self::LengthNotMinimal => "the payload length is not in its shortest form",
            Self::LengthOutOfRange => "the payload length has its most significant bit set",
            Self::UnexpectedContinuation => "a continuation frame has no message to continue",
            Self::ExpectedContinuation => "a message began within another one",
            Self::OversizedControlFrame => "a control frame is longer than 125 bytes",
            Self::FragmentedControlFrame => "a control frame is fragmented",
            Self::TruncatedCloseCode => "the payload of a close frame is a single byte",
            Self::InvalidCloseCode => "the code of a close frame must not be sent",
            Self::InvalidCloseReason => "the reason of a close frame is not UTF-8",
            Self::InvalidUtf8 => "a text message is not UTF-8",
            Self::InvalidCompression => "a compressed message is not valid DEFLATE data",
            Self::CompressionOverhead => "a compressed message is far longer than what it holds",
            Self::FrameTooLarge => "a frame is longer than the limit",
            Self::MessageTooLarge => "a message is longer than the limit",
            Self::TooManyFragments => "a message has more frames than the limit",
            Self::TooManyEmptyFragments => "a message has more empty frames than the limit",
            Self::TooManyControlFrames => "more control frames than the limit interrupt a message",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for ProtocolError {}

/// The place where a stream ended before the peer's Close frame (RFC 6455 §7.1.5).
///
/// [`ReceiveHalf::receive_eof`](crate::ReceiveHalf::receive_eof) returns the last three, an opening handshake the first two.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum UnexpectedEof {
    /// Before the first byte of an opening handshake: the peer was perhaps a port probe or a health check.
    BeforeHead,
    /// Within the head of an opening handshake.
    InHead,
    /// Within the header or the payload of a frame.
    InFrame,
    /// Between two fragments of a message.
    InMessage,
    /// Between two messages: no message was cut, and only the closing handshake is missing.
    BetweenMessages,
}

impl fmt::Display for UnexpectedEof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeHead => "the stream ended before the first byte of the opening handshake",
            Self::InHead => "the stream ended within the head of the opening handshake",
            Self::InFrame => "the stream ended within a frame",
            Self::InMessage => "the stream ended between two fragments of a message",
            Self::BetweenMessages => "the stream ended between two messages, without a close frame",
        })
    }
}

impl core::error::Error for UnexpectedEof {}
