//! Sending (RFC 6455 §6.1): messages to frames, frames to bytes.

mod answer;
#[cfg(feature = "std")]
mod at_once;
mod whole;

pub use answer::Reply;

use bytes::Buf;

use super::closing::{Closing, Outcome, TransportAction};
use super::outgoing::{Outgoing, SHARED_MIN};
use super::unsent::{SendError, Unsent};
use crate::buffer::Buffer;
use crate::close::CloseFrame;
use crate::compression::Compress;
use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::deflate::Deflater;
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, Opcode};
use crate::message::{Message, MessageKind, Outbound, OutboundKind};
use crate::role::Role;
use crate::utf8::Utf8Validator;

/// The source of a client's masking keys: a function that returns another key each time.
///
/// [`random::mask_key`](crate::random::mask_key) is the one to use. RFC 6455 §5.3 demands that no key can be predicted
/// from those before it; one that returns the same keys again is for tests.
pub type MaskKeySource = fn() -> [u8; 4];

/// Whether frames are masked (RFC 6455 §5.1): a server's are not, a client's are.
#[derive(Clone, Copy, Debug)]
enum Masking {
    Server,
    Client(MaskKeySource),
}

impl Masking {
    /// Returns the key of the next frame, if it has one.
    #[inline]
    fn key(self) -> Option<[u8; 4]> {
        match self {
            Self::Server => None,
            Self::Client(keys) => Some(keys()),
        }
    }

    #[inline]
    const fn role(self) -> Role {
        match self {
            Self::Server => Role::Server,
            Self::Client(_) => Role::Client,
        }
    }
}

/// The sending half of a connection: the outgoing queue, and the closing handshake that decides which messages may still go into
/// it.
#[derive(Debug)]
pub struct SendHalf {
    masking: Masking,
    outgoing: Outgoing,
    closing: Closing,
    /// The message that [`send_fragment`](Self::send_fragment) has begun.
    message: Option<Begun>,
    fragment_size: u32,
    /// Shorter messages go out as they are: in one frame, and not compressed.
    plain_below: u32,
    /// Present if permessage-deflate was agreed on.
    #[cfg(feature = "deflate")]
    deflater: Option<Deflater>,
}

/// A message that has begun and not ended.
#[derive(Clone, Copy, Debug)]
struct Begun {
    kind: MessageKind,
    utf8: Utf8Validator,
    compressed: bool,
}

/// The first byte of a frame but for FIN: its opcode and its reserved bits.
#[derive(Clone, Copy)]
struct Start {
    opcode: Opcode,
    rsv: u8,
}

impl Start {
    const CONTINUATION: Self = Self {
        opcode: Opcode::Continuation,
        rsv: 0,
    };

    /// Returns the start of a message; RSV1 says that it is compressed (RFC 7692 §6).
    #[inline]
    const fn message(kind: MessageKind, compressed: bool) -> Self {
        let opcode = match kind {
            MessageKind::Text => Opcode::Text,
            MessageKind::Binary => Opcode::Binary,
        };
        Self {
            opcode,
            rsv: if compressed { FrameHeader::RSV1 } else { 0 },
        }
    }

    #[inline]
    const fn control(opcode: Opcode) -> Self {
        Self { opcode, rsv: 0 }
    }
}

impl SendHalf {
    /// Returns the sending half of a server.
    #[must_use]
    pub fn server(config: &Config) -> Self {
        Self::new(Masking::Server, config)
    }

    /// Returns the sending half of a client that takes its masking keys from `keys`.
    #[must_use]
    pub fn client(config: &Config, keys: MaskKeySource) -> Self {
        Self::new(Masking::Client(keys), config)
    }

    fn new(masking: Masking, config: &Config) -> Self {
        let limit = u32::try_from(config.outgoing_limit).unwrap_or(u32::MAX);
        let fragment_size = config.fragment_size.max(1);
        let plain_below = fragment_size.saturating_add(1);
        #[cfg(feature = "deflate")]
        let deflater = config.deflate.map(|params| {
            Deflater::new(
                params,
                masking.role(),
                config.compression_level,
                config.compression_memory,
                config.compression_threshold,
            )
        });
        #[cfg(feature = "deflate")]
        let plain_below = deflater.as_ref().map_or(plain_below, |deflater| {
            plain_below.min(deflater.threshold())
        });
        Self {
            masking,
            outgoing: Outgoing::new(limit, config.high_watermark, config.low_watermark),
            closing: Closing::new(config.error_reason),
            message: None,
            fragment_size,
            plain_below,
            #[cfg(feature = "deflate")]
            deflater,
        }
    }

    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed), [`MessageInProgress`](SendError::MessageInProgress) or
    /// [`QueueFull`](SendError::QueueFull); nothing is queued then.
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.send_whole(MessageKind::Text, text.as_bytes())
    }

    /// Queues a binary message.
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text).
    #[inline]
    pub fn send_binary(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.send_whole(MessageKind::Binary, data)
    }

    /// Queues a message. A server does not copy a large payload.
    ///
    /// `message` is anything that becomes a [`Message`]; [`Message::compress`] says whether it is to be compressed, where that was
    /// agreed on.
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text), with the message handed back.
    pub fn send(&mut self, message: impl Into<Outbound>) -> Result<(), Unsent> {
        self.send_outbound(message.into())
    }

    fn send_outbound(&mut self, Outbound { message, compress }: Outbound) -> Result<(), Unsent> {
        let copied = |len| compress == Compress::Auto && (self.copies_all() || len < SHARED_MIN);
        let sent = match &message {
            Message::Text(text) if copied(text.len()) => self.send_text(text),
            Message::Binary(data) if copied(data.len()) => self.send_binary(data),
            _ => return self.send_shared(message, compress),
        };
        sent.map_err(|error| Unsent { error, message })
    }

    /// Tells whether payloads of any length are copied: to mask them.
    fn copies_all(&self) -> bool {
        matches!(self.masking, Masking::Client(_))
    }

    /// Queues a message whose payload a server does not copy, unless it is compressed.
    fn send_shared(&mut self, message: Message, compress: Compress) -> Result<(), Unsent> {
        if let Err(error) = self.may_begin() {
            return Err(Unsent { error, message });
        }
        let kind = message.kind();
        let mut payload = message.into_bytes();
        if self.send_compressed(kind, &payload, compress) {
            return Ok(());
        }
        let mut start = Start::message(kind, false);
        if self.copies_all() {
            self.fragment(start, &payload, Fin::Last);
            return Ok(());
        }
        while payload.len() > self.fragment_size() {
            let fragment = payload.split_to(self.fragment_size());
            let header = header(false, start, None, fragment.len());
            self.outgoing.push_shared(header, fragment);
            start = Start::CONTINUATION;
        }
        let header = header(true, start, None, payload.len());
        self.outgoing.push_shared(header, payload);
        Ok(())
    }

    /// Queues the next fragment of a message, the first one beginning it and the one with `fin` ending it
    /// (RFC 6455 §5.4). No other message can be sent in between; control frames can.
    ///
    /// Text may be cut anywhere, also inside a character. Where compression was agreed on, the message is compressed, unless
    /// [`MessageKind::compress`] of the first fragment says something else.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed), [`QueueFull`](SendError::QueueFull), [`InvalidUtf8`](SendError::InvalidUtf8) if
    /// the text is not UTF-8, or [`MessageInProgress`](SendError::MessageInProgress) if the message that has begun is of
    /// the other kind; nothing is queued then.
    pub fn send_fragment(
        &mut self,
        kind: impl Into<OutboundKind>,
        data: &[u8],
        fin: Fin,
    ) -> Result<(), SendError> {
        self.send_next(kind.into(), data, fin)
    }

    fn send_next(
        &mut self,
        OutboundKind { kind, compress }: OutboundKind,
        data: &[u8],
        fin: Fin,
    ) -> Result<(), SendError> {
        self.may_send()?;
        let mut message = self.message.unwrap_or_else(|| Begun {
            kind,
            utf8: Utf8Validator::new(),
            compressed: self.compresses((fin == Fin::Last).then_some(data.len()), compress),
        });
        if message.kind != kind {
            return Err(SendError::MessageInProgress);
        }
        if kind == MessageKind::Text {
            message
                .utf8
                .push(data)
                .map_err(|_| SendError::InvalidUtf8)?;
            if fin == Fin::Last {
                message.utf8.finish().map_err(|_| SendError::InvalidUtf8)?;
            }
        }
        let start = match self.message {
            Some(_) => Start::CONTINUATION,
            None => Start::message(kind, message.compressed),
        };
        let compressed = if message.compressed {
            self.compress(data, fin)
        } else {
            None
        };
        self.fragment(start, compressed.as_deref().unwrap_or(data), fin);
        self.message = (fin == Fin::More).then_some(message);
        Ok(())
    }

    /// Queues a Ping with up to 125 bytes of payload (RFC 6455 §5.5.2).
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed), [`ControlTooLong`](SendError::ControlTooLong), or
    /// [`QueueFull`](SendError::QueueFull) while 4 KiB of Pings and Pongs wait.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.may_send_control(payload)?;
        if !self.outgoing.takes_pings() {
            return Err(SendError::QueueFull);
        }
        self.push_control(Opcode::Ping, payload);
        Ok(())
    }

    /// Queues a Pong that nobody asked for, with up to 125 bytes of payload (RFC 6455 §5.5.3).
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed), [`ControlTooLong`](SendError::ControlTooLong) or
    /// [`QueueFull`](SendError::QueueFull), as for a message.
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.may_send_control(payload)?;
        if self.outgoing.is_full() {
            return Err(SendError::QueueFull);
        }
        self.push(true, Start::control(Opcode::Pong), payload);
        Ok(())
    }

    /// Queues a Close frame, with or without a code and reason, and takes no more data (RFC 6455 §7.1.2).
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed) if the connection is closing already,
    /// [`InvalidCloseCode`](SendError::InvalidCloseCode) for a code that this end must not send, or
    /// [`ReasonTooLong`](SendError::ReasonTooLong) for a reason of more than 123 bytes.
    pub fn close(&mut self, frame: Option<CloseFrame>) -> Result<(), SendError> {
        if let Some(frame) = &frame {
            frame.check(self.masking.role())?;
        }
        if !self.is_open() {
            return Err(SendError::Closed);
        }
        self.push_close(frame.as_ref());
        self.closing.close(frame);
        Ok(())
    }

    /// Fails the connection: queues a Close frame, unless one was sent, and waits for no answer (RFC 6455 §7.1.7).
    ///
    /// # Errors
    ///
    /// Those of [`close`](Self::close).
    pub fn fail(&mut self, frame: CloseFrame) -> Result<(), SendError> {
        frame.check(self.masking.role())?;
        if !self.is_listening() {
            return Err(SendError::Closed);
        }
        self.end(None, frame);
        Ok(())
    }

    /// Returns the bytes to write.
    #[inline]
    pub fn outgoing(&mut self) -> &mut Outgoing {
        self.outgoing.commit();
        &mut self.outgoing
    }

    /// Returns how many bytes wait to be written.
    #[inline]
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.outgoing.len()
    }

    /// Tells whether the application should stop sending: from when
    /// [`Config::high_watermark`](crate::Config::high_watermark) is reached until no more than
    /// [`Config::low_watermark`](crate::Config::low_watermark) bytes wait to be written.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.outgoing.is_congested()
    }

    /// Tells whether messages can be sent: until our Close frame is sent, as the first or as an answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closing.is_open()
    }

    /// Returns the instruction for the transport: keep it, shut it down for writing, or close it.
    #[must_use]
    pub fn transport_action(&self) -> TransportAction {
        let drained = self.outgoing.is_empty();
        self.closing.transport_action(self.masking.role(), drained)
    }

    /// Returns how the connection ended; `None` while it goes on, or while the last bytes wait to be written.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.closing.outcome(self.outgoing.is_empty())
    }

    /// Tells whether the peer may still be heard.
    #[inline]
    pub(super) fn is_listening(&self) -> bool {
        self.closing.is_listening()
    }

    /// Queues a Ping, or a Pong that answers one.
    fn push_control(&mut self, opcode: Opcode, payload: &[u8]) {
        let (start, len) = (Start::control(opcode), payload.len());
        // Asked here, as in `send_whole`: a server answers a Ping by 455 instructions, where `self.header` leaves 473.
        match self.masking {
            Masking::Server => {
                let header = header(true, start, None, len);
                self.outgoing.push_control(header, payload);
            }
            Masking::Client(keys) => {
                let header = header(true, start, Some(keys()), len);
                self.outgoing.push_control(header, payload);
            }
        }
    }

    /// Gives the memory of the compressor back; no more is sent.
    #[cfg_attr(
        not(feature = "deflate"),
        expect(clippy::unused_self, reason = "there is no compressor")
    )]
    fn release_deflater(&mut self) {
        #[cfg(feature = "deflate")]
        if let Some(deflater) = &mut self.deflater {
            deflater.release();
        }
    }

    /// Drops the bytes to write, since writing has failed; see [`Connection::drop_outgoing`](super::Connection::drop_outgoing).
    pub fn drop_outgoing(&mut self) {
        self.closing.lose(self.outgoing.is_empty_but_for_control());
        let len = self.outgoing.len();
        self.outgoing.advance(len);
    }

    /// Fails the connection. At most one Close frame is ever sent.
    fn end(&mut self, error: Option<ProtocolError>, frame: CloseFrame) {
        if self.is_open() {
            self.push_close(Some(&frame));
        }
        self.closing.fail(error, frame);
    }

    /// Does what [`send_whole`](Self::send_whole) does, for any message.
    #[inline(never)]
    fn send_any(&mut self, kind: MessageKind, payload: &[u8]) -> Result<(), SendError> {
        self.may_begin()?;
        if self.is_one_plain_frame(payload.len()) {
            let header = self.header(true, Start::message(kind, false), payload.len());
            self.outgoing.push(header, payload);
        } else if !self.send_compressed(kind, payload, Compress::Auto) {
            self.fragment(Start::message(kind, false), payload, Fin::Last);
        }
        Ok(())
    }

    /// Queues a message compressed if it is to be; returns whether it has.
    #[cfg(feature = "deflate")]
    #[inline]
    fn send_compressed(&mut self, kind: MessageKind, payload: &[u8], compress: Compress) -> bool {
        if !self.compresses(Some(payload.len()), compress) {
            return false;
        }
        let forgets = self.deflater.as_ref().is_some_and(Deflater::forgets);
        let Some(compressed) = self.compress(payload, Fin::Last) else {
            return false;
        };
        // The compressor will refer to this message, so it has to be sent as it was compressed.
        if forgets && compress == Compress::Auto && compressed.len() >= payload.len() {
            return false;
        }
        self.fragment(Start::message(kind, true), &compressed, Fin::Last);
        true
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "there is no compressor")]
    fn send_compressed(&mut self, _: MessageKind, _: &[u8], _: Compress) -> bool {
        false
    }

    /// Tells whether a message is to be compressed, whose length is known if it has but one fragment.
    #[cfg(feature = "deflate")]
    #[inline]
    fn compresses(&self, len: Option<usize>, compress: Compress) -> bool {
        let deflater = self.deflater.as_ref();
        deflater.is_some_and(|deflater| deflater.wants(len, compress))
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "there is no compressor")]
    fn compresses(&self, _: Option<usize>, _: Compress) -> bool {
        false
    }

    /// Compresses a message, or the next part of one, if there is a compressor.
    #[cfg(feature = "deflate")]
    fn compress(&mut self, data: &[u8], fin: Fin) -> Option<Buffer> {
        let mut compressed = Buffer::default();
        self.deflater
            .as_mut()?
            .deflate(data, fin == Fin::Last, &mut compressed);
        Some(compressed)
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "there is no compressor")]
    fn compress(&mut self, _: &[u8], _: Fin) -> Option<Buffer> {
        None
    }

    /// Queues a message, or a part of one, in as many frames as it takes.
    #[inline]
    fn fragment(&mut self, mut start: Start, mut payload: &[u8], fin: Fin) {
        while let Some((fragment, rest)) = payload.split_at_checked(self.fragment_size())
            && !rest.is_empty()
        {
            self.push(false, start, fragment);
            start = Start::CONTINUATION;
            payload = rest;
        }
        self.push(fin == Fin::Last, start, payload);
    }

    #[inline]
    fn fragment_size(&self) -> usize {
        usize::try_from(self.fragment_size).unwrap_or(usize::MAX)
    }

    fn push(&mut self, fin: bool, start: Start, payload: &[u8]) {
        let header = self.header(fin, start, payload.len());
        self.outgoing.push(header, payload);
    }

    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a reason is checked before, and that of an error is short"
    )]
    fn push_close(&mut self, frame: Option<&CloseFrame>) {
        self.release_deflater();
        let mut payload = [0; MAX_CONTROL_LEN];
        let mut len = 0;
        if let Some(frame) = frame {
            payload[..2].copy_from_slice(&frame.code.0.to_be_bytes());
            len = 2 + frame.reason.len();
            payload[2..len].copy_from_slice(frame.reason.as_bytes());
        }
        let header = self.header(true, Start::control(Opcode::Close), len);
        self.outgoing.push_close(header, &payload[..len]);
    }

    /// Returns the header of a frame that we send, with a fresh key if it is masked.
    #[inline]
    fn header(&self, fin: bool, start: Start, len: usize) -> FrameHeader {
        header(fin, start, self.masking.key(), len)
    }

    #[inline]
    fn may_begin(&self) -> Result<(), SendError> {
        self.may_send()?;
        if self.message.is_some() {
            Err(SendError::MessageInProgress)
        } else {
            Ok(())
        }
    }

    #[inline]
    fn may_send(&self) -> Result<(), SendError> {
        // RFC 6455 §5.5.1 "The application MUST NOT send any more data frames after sending a Close frame."
        if !self.closing.is_open() {
            return Err(SendError::Closed);
        }
        if self.outgoing.is_full() {
            Err(SendError::QueueFull)
        } else {
            Ok(())
        }
    }

    fn may_send_control(&self, payload: &[u8]) -> Result<(), SendError> {
        if !self.closing.is_open() {
            return Err(SendError::Closed);
        }
        if payload.len() > MAX_CONTROL_LEN {
            Err(SendError::ControlTooLong)
        } else {
            Ok(())
        }
    }
}

/// The longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL_LEN: usize = 125;

#[inline]
const fn header(fin: bool, start: Start, mask: Option<[u8; 4]>, len: usize) -> FrameHeader {
    let Start { opcode, rsv } = start;
    FrameHeader {
        fin,
        rsv,
        opcode,
        mask,
        len: len as u64,
    }
}

/// Whether a fragment is the last of its message (RFC 6455 §5.2, the FIN bit).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fin {
    /// More fragments follow.
    More,
    /// The message ends here.
    Last,
}
