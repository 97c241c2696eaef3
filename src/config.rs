//! Settings of a connection: limits on the peer, and our own behaviour.

use crate::compression::CompressionMemory;
#[cfg(feature = "deflate")]
use crate::deflate::Params;
use crate::setters::setters;

/// The most that a peer can make a connection spend (RFC 6455 §10.4).
///
/// ```
/// use sansocket::Limits;
///
/// let limits = Limits::default().with_message(1 << 20);
/// assert_eq!(limits.message, 1 << 20);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest frame that is received, in bytes of payload, compressed or not. A longer one fails the connection with 1009 at its
    /// header. Default: 64 MiB, as much as a message.
    pub frame: u64,
    /// The longest message that is received, in bytes. A longer one fails the connection with 1009 at the header that
    /// shows it, a compressed one when that many bytes have come out. Default: 64 MiB, four times the largest message of the
    /// conformance suite. Memory grows with the bytes that have arrived, never with an announced length.
    ///
    /// Where compression was agreed on, this bounds work, too: one byte on the wire may become 1,032, so 65 KB may become
    /// 64 MiB, which takes some 0.2 s. The limit is for one message; a peer may send many.
    pub message: u64,
    /// The most frames in a message that is fragmented. One more fails the connection with 1008. Default: 131,072, twice
    /// as many as the conformance suite sends.
    pub fragments: u32,
    /// The most frames without payload in a message that is fragmented, which cost work and carry nothing. One more fails
    /// the connection with 1008. An empty message in one frame is taken always. Default: 1,024.
    pub empty_fragments: u32,
    /// The most control frames between two fragments of a message. One more fails the connection with 1008. Outside of a
    /// message they cost no memory and are not counted. Default: 65,536, a ping each second for 18 hours.
    pub control_frames: u32,
}

impl Limits {
    setters! {
        with_frame frame: u64,
        with_message message: u64,
        with_fragments fragments: u32,
        with_empty_fragments empty_fragments: u32,
        with_control_frames control_frames: u32,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: 64 << 20,
            message: 64 << 20,
            fragments: 131_072,
            empty_fragments: 1_024,
            control_frames: 65_536,
        }
    }
}

/// How a connection behaves. The defaults suit a server or client that exchanges whole messages.
///
/// ```
/// use sansocket::{Config, Delivery};
///
/// let config = Config::default().with_delivery(Delivery::Chunks).with_fragment_size(16 << 10);
/// assert_eq!(config.fragment_size, 16 << 10);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Limits on the memory and work that a peer may cause.
    pub limits: Limits,
    /// Whether messages are received whole or in chunks. Default: whole.
    pub delivery: Delivery,
    /// Whether the Close frame that answers a [`ProtocolError`](crate::ProtocolError) has the error's text as its reason, so
    /// that a log of the peer tells the fault. Default: true.
    pub error_reason: bool,
    /// The most payload in a frame that we send, in bytes; 0 counts as 1. Longer messages are fragmented, so that control
    /// frames can go out between the fragments. Default: no limit but that of the type, 4 GiB.
    pub fragment_size: u32,
    /// The bytes waiting to be written at which no more data is taken from the application. Pings, answers and a Close frame
    /// are taken still, and a message is taken whole if the queue was below the limit before. Default: 64 MiB; more than 4 GiB counts as 4 GiB.
    pub outgoing_limit: usize,
    /// How hard messages are compressed, where that was agreed on: from 1, fast, to 9, small. 0 counts as 1, a higher number as 9.
    /// Default: 6.
    pub compression_level: u8,
    /// The shortest message that is compressed without being asked for, in bytes. Default: 128, since shorter ones hardly get
    /// shorter.
    pub compression_threshold: u32,
    /// The memory kept between two messages to compress the next one, where context takeover was agreed on. Default: the engine.
    pub compression_memory: CompressionMemory,
    /// The bytes waiting to be written from which on
    /// [`Connection::is_congested`](crate::Connection::is_congested) is true; more than `outgoing_limit` counts as that. Default: 1 MiB.
    pub high_watermark: u32,
    /// `is_congested` is false again at this many bytes; more than `high_watermark` counts as that. Default: 256 KiB.
    pub low_watermark: u32,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Params>,
}

impl Config {
    setters! {
        with_limits limits: Limits,
        with_delivery delivery: Delivery,
        with_error_reason error_reason: bool,
        with_fragment_size fragment_size: u32,
        with_outgoing_limit outgoing_limit: usize,
        with_compression_level compression_level: u8,
        with_compression_threshold compression_threshold: u32,
        with_compression_memory compression_memory: CompressionMemory,
        with_high_watermark high_watermark: u32,
        with_low_watermark low_watermark: u32,
    }

    /// Returns these settings for connections whose ends have agreed on permessage-deflate (RFC 7692), with these parameters.
    ///
    /// [`Accepted::connection`](crate::handshake::Accepted::connection) and
    /// [`Established::connection`](crate::handshake::Established::connection) do it by themselves; a connection that was opened
    /// without them needs it where the handshake has agreed on the extension, and nowhere else.
    ///
    /// Compressing secrets together with text that an attacker may choose tells the attacker about the secrets by the length
    /// of the result: [`Compress::Never`](crate::Compress::Never) is for such messages.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn with_deflate(self, params: Params) -> Self {
        self.agreed(Some(params))
    }

    /// Returns these settings for connections whose ends have agreed on permessage-deflate with these parameters, or have not.
    #[cfg(feature = "deflate")]
    pub(crate) const fn agreed(mut self, deflate: Option<Params>) -> Self {
        self.deflate = deflate;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            delivery: Delivery::Messages,
            error_reason: true,
            fragment_size: u32::MAX,
            outgoing_limit: 64 << 20,
            compression_level: 6,
            compression_threshold: 128,
            compression_memory: CompressionMemory::Engine,
            high_watermark: 1 << 20,
            low_watermark: 256 << 10,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }
}

/// How received messages are delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// Each when it is complete, as [`Event::Text`](crate::Event::Text) or [`Event::Binary`](crate::Event::Binary).
    Messages,
    /// As the bytes arrive, as [`Event::Chunk`](crate::Event::Chunk): a message of any length goes through the memory of
    /// one read. [`Limits::message`] applies as well. The boundaries of chunks depend on the reads. A chunk with invalid UTF-8
    /// is not delivered, not even its valid start. [`Chunk::frame_end`](crate::Chunk::frame_end) is true where a frame ends, also
    /// one without payload. The adapters deliver chunks by `read_event` alone.
    Chunks,
}
