//! A connection behind its opening handshake: the two halves, composed.

mod backlog;
mod closing;
mod control;
mod encoded;
mod event;
mod outgoing;
mod partial;
mod receive;
#[cfg(feature = "std")]
mod replies;
mod send;
mod unsent;

pub use closing::{EndedBy, Outcome, TransportAction};
pub use event::{Chunk, Event, Received};
pub use outgoing::Outgoing;
pub use receive::ReceiveHalf;
#[cfg(feature = "std")]
pub use replies::Replies;
pub use send::{Fin, MaskKeySource, Reply, SendHalf};
pub use unsent::{SendError, Unsent};

#[cfg(feature = "std")]
use std::io::{self, IoSlice, IoSliceMut};

use bytes::BytesMut;

use crate::close::CloseFrame;
use crate::config::Config;
use crate::error::{ProtocolError, UnexpectedEof};
use crate::message::{Outbound, OutboundKind};
use receive::{NOTHING, Next};

/// A WebSocket connection without its transport.
///
/// * **Input:** [`receive`](Self::receive) takes bytes and returns events; [`receive_bytes`](Self::receive_bytes) does
///   so with shared memory, and [`receive_within`](Self::receive_within) in bounded steps;
///   [`receive_eof`](Self::receive_eof) takes the end of the stream. A transport can read a long message straight into its
///   memory: by `read`, with the feature `std`, or by [`unfilled`](Self::unfilled) and [`filled`](Self::filled).
/// * **Commands:** [`send_text`](Self::send_text), [`send_binary`](Self::send_binary), [`send`](Self::send),
///   [`send_fragment`](Self::send_fragment), [`ping`](Self::ping), [`pong`](Self::pong), [`close`](Self::close),
///   [`fail`](Self::fail). With the feature `std`, `write_text` and `write_binary` write at once and queue the rest.
/// * **Output:** [`outgoing`](Self::outgoing) is the bytes to write.
/// * **State:** [`transport_action`](Self::transport_action) says what to do with the transport, [`outcome`](Self::outcome) how the
///   connection ended, [`buffered`](Self::buffered) and [`is_congested`](Self::is_congested) how far writing is behind.
///
/// **After every read, call `receive` until it returns `None` or an error, then write `outgoing`, then do what
/// `transport_action` says.** Nothing else is needed to keep the protocol: Pings and Close frames are answered, and when
/// `receive` fails, the Close frame that says why is in `outgoing` already.
///
/// The caller's buffer serves any number of connections in turn. A size of 20 KiB is good: the bytes of a read are still in the CPU's
/// nearest cache when they are unmasked, a message of 16 KiB lies whole in it, and longer ones go beside it through `read` or
/// `unfilled`.
///
/// A connection holds memory only for an unfinished message and for bytes that wait to be written; an idle one holds
/// none. Memory that it gives back goes to a pool, for the next message of any connection: up to 64 KiB stay with the thread,
/// and up to 64 MiB with the process (`pool::set_limit`).
///
/// ```
/// use bytes::Buf;
/// use sansocket::{Config, Connection, Event};
///
/// let mut server = Connection::server(&Config::default());
/// let mut read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"; // from the network: RFC 6455 §5.7
///
/// let mut input = &mut read[..];
/// while let Some(event) = server.receive(&mut input)? {
///     match event {
///         Event::Text(text) => server.send_text(&text)?, // `text` borrows `read`, not `server`
///         Event::Binary(data) => server.send_binary(&data)?,
///         _ => {} // Pings and Close frames are answered already
///     }
/// }
/// assert_eq!(server.outgoing().copy_to_bytes(7), &b"\x81\x05Hello"[..]); // to the network
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    receiver: ReceiveHalf,
    sender: SendHalf,
}

impl Connection {
    /// Returns a server's end.
    #[must_use]
    pub fn server(config: &Config) -> Self {
        Self {
            receiver: ReceiveHalf::server(config),
            sender: SendHalf::server(config),
        }
    }

    /// Returns a client's end, which masks with the keys of [`random::mask_key`](crate::random::mask_key).
    #[cfg(feature = "getrandom")]
    #[must_use]
    pub fn client(config: &Config) -> Self {
        Self::client_with_keys(config, crate::random::mask_key)
    }

    /// Returns a client's end, which masks with keys from `keys`.
    #[must_use]
    pub fn client_with_keys(config: &Config, keys: MaskKeySource) -> Self {
        Self {
            receiver: ReceiveHalf::client(config),
            sender: SendHalf::client(config, keys),
        }
    }

    /// Returns the two halves, for two threads or two tasks: neither waits for the other.
    ///
    /// The receiving half calls [`ReceiveHalf::receive`] and passes on the [`Reply`] of each event, of an error and of the end
    /// of the stream. The sending half gives the replies to its [`SendHalf`] and writes [`SendHalf::outgoing`]. With the feature
    /// `std`, `Replies` leads from one to the other. A bounded channel in its place would stop both halves for ever, because
    /// the receiving half would wait for the channel, the sending half for the stream, and the peer for the receiving half.
    ///
    /// If writing fails, do not end: call [`SendHalf::drop_outgoing`], write no more, and go on taking replies until
    /// [`Reply::Eof`], because the peer may have sent a Close frame that says why, which is still to be read.
    ///
    /// In two threads:
    ///
    /// ```no_run
    /// # #[cfg(feature = "std")] {
    /// # use std::io::{Read, Write};
    /// # use std::net::TcpStream;
    /// # use std::sync::mpsc;
    /// use bytes::Buf;
    /// use sansocket::{Config, Connection, Replies, Reply, TransportAction};
    ///
    /// # fn run(mut stream: TcpStream, messages: mpsc::Receiver<String>) -> std::io::Result<()> {
    /// let (mut receiver, mut sender) = Connection::server(&Config::default()).split();
    /// let replies = Replies::new(); // a thread with a message calls `replies.wake()` behind `messages.send(…)`
    /// let (mut reader, theirs) = (stream.try_clone()?, replies.clone());
    /// std::thread::spawn(move || {
    ///     let mut buffer = vec![0; 20 << 10];
    ///     loop {
    ///         let count = reader.read(&mut buffer).unwrap_or(0);
    ///         let mut input = &mut buffer[..count];
    ///         loop {
    ///             match receiver.receive(&mut input) {
    ///                 Ok(Some(event)) => {
    ///                     println!("{event:?}");
    ///                     Reply::for_event(&event).map(|reply| theirs.put(reply));
    ///                 }
    ///                 Ok(None) => break,
    ///                 Err(error) => return theirs.put(Reply::Fail(error)),
    ///             }
    ///         }
    ///         if count == 0 {
    ///             return theirs.put(Reply::Eof);
    ///         }
    ///     }
    /// });
    /// while sender.transport_action().is_in_use() {
    ///     let _ = replies.wait(None);
    ///     replies.pass_to(&mut sender);
    ///     for text in messages.try_iter() {
    ///         let _ = sender.send_text(&text); // refused once the connection closes
    ///     }
    ///     while sender.outgoing().has_remaining() {
    ///         match stream.write(sender.outgoing().chunk()) {
    ///             Ok(count @ 1..) => sender.outgoing().advance(count),
    ///             Ok(0) | Err(_) => sender.drop_outgoing(), // the reader will say why
    ///         }
    ///     }
    /// }
    /// println!("{:?}", sender.outcome());
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    ///
    /// In two tasks, here of tokio, the sending half waits by `ready` and anything else at once:
    ///
    /// ```no_run
    /// # #[cfg(feature = "std")] {
    /// # use sansocket::{Replies, SendHalf};
    /// # use tokio::io::{AsyncWrite, AsyncWriteExt};
    /// # use tokio::sync::mpsc;
    /// # async fn run<W: AsyncWrite + Unpin>(mut stream: W, mut sender: SendHalf, replies: Replies, mut messages: mpsc::Receiver<String>) {
    /// while sender.transport_action().is_in_use() {
    ///     tokio::select! {
    ///         () = replies.ready() => replies.pass_to(&mut sender),
    ///         Some(text) = messages.recv(), if sender.is_open() => {
    ///             let _ = sender.send_text(&text); // refused once the connection closes
    ///         }
    ///     }
    ///     while !sender.outgoing().is_empty() {
    ///         if stream.write_buf(sender.outgoing()).await.is_err() {
    ///             sender.drop_outgoing(); // the reader will say why
    ///         }
    ///     }
    /// }
    /// # }
    /// # }
    /// ```
    #[must_use]
    pub fn split(self) -> (ReceiveHalf, SendHalf) {
        (self.receiver, self.sender)
    }

    /// Returns the next event and advances `input` behind it; `None` when all of `input` is used and more is wanted.
    ///
    /// Payloads are unmasked in place. Messages are returned until the peer's Close frame, also after our own: a peer may
    /// send the messages that it has queued before it answers our Close frame. They cannot be answered any more.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke, once all events before it have been returned. The Close frame that says so is in
    /// [`outgoing`](Self::outgoing), and every further call fails.
    #[inline(always)] // with `ReceiveHalf::receive_whole`
    pub fn receive<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        if self.receiver.is_between_frames() {
            if let Some(event) = self.receiver.receive_whole(input) {
                return Ok(Some(event));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
        let mut event = NOTHING; // see there
        self.receive_any(input, &mut event);
        event
    }

    /// Does what [`receive`](Self::receive) does with bytes in a [`BytesMut`], and returns events that can be kept.
    ///
    /// A message that lies whole in `input` is split off it, without a copy.
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive).
    pub fn receive_bytes(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        let event = self.receiver.receive_bytes(input);
        self.sender.answer(&event);
        event
    }

    /// Does what [`receive`](Self::receive) does until `budget` bytes were inflated; then it returns
    /// [`Again`](Received::Again).
    ///
    /// For an event loop that serves many connections, because 64 KiB of compressed input can inflate to 64 MiB. `budget` is
    /// in bytes and counts payload of compressed messages only: each call takes from it as many as came out. At `Again`,
    /// compressed bytes remain in `input` and in the connection; call again with `input` as it was left. Any
    /// sequence of budgets gives the same events and errors as `receive`, and the same chunks put together. With a budget of 0
    /// nothing is inflated, and all other frames are received.
    ///
    /// ```
    /// use bytes::Buf;
    /// use sansocket::{Config, Connection, Received};
    ///
    /// /// Takes one turn; tells whether another one is due before the next read.
    /// fn turn(conn: &mut Connection, input: &mut &mut [u8]) -> Result<bool, sansocket::ProtocolError> {
    ///     let mut budget = 256 << 10;
    ///     for _ in 0..64 {
    ///         match conn.receive_within(input, &mut budget)? {
    ///             Received::Event(event) => println!("{event:?}"),
    ///             Received::Again => return Ok(true),
    ///             Received::Wanting => return Ok(false),
    ///         }
    ///     }
    ///     Ok(true)
    /// }
    ///
    /// let mut server = Connection::server(&Config::default());
    /// let mut read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"; // from the network
    /// let mut input = &mut read[..];
    /// while turn(&mut server, &mut input)? {
    ///     // It is the turn of the other connections.
    /// }
    /// # Ok::<(), sansocket::ProtocolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive).
    pub fn receive_within<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        budget: &mut usize,
    ) -> Result<Received<'i>, ProtocolError> {
        let event = self.receiver.next_within(input, budget);
        self.sender.answer(&event);
        Ok(self.receiver.received(event?, input))
    }

    /// Does what [`receive_within`](Self::receive_within) does with bytes in a [`BytesMut`], and returns events that can be
    /// kept, as [`receive_bytes`](Self::receive_bytes) does.
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive).
    pub fn receive_bytes_within(
        &mut self,
        input: &mut BytesMut,
        budget: &mut usize,
    ) -> Result<Received<'static>, ProtocolError> {
        let event = self.receiver.next_bytes_within(input, budget);
        self.sender.answer(&event);
        Ok(self.receiver.received(event?, input))
    }

    /// Takes note that the stream has ended: nothing more will come from the peer. Call it when
    /// [`receive`](Self::receive) has returned `None` for the last bytes that were read.
    ///
    /// # Errors
    ///
    /// The place where the stream was cut, if it ended before the peer's Close frame: messages may be lost, and the
    /// [`outcome`](Self::outcome) is [lost](EndedBy::StreamEnd). Only the first call fails, and no call does once the
    /// connection has failed, by an error of [`receive`](Self::receive) or by [`fail`](Self::fail).
    pub fn receive_eof(&mut self) -> Result<(), UnexpectedEof> {
        self.sender.receive_eof();
        self.receiver.receive_eof()
    }

    /// Returns room for the next bytes of a long message in progress, for the transport to read straight into.
    ///
    /// `None` while no message is in progress, or fewer than 4 KiB of it have been received, or fewer than 4 KiB of the frame are
    /// missing. Call it only when the input is used up. The room is at most 32 KiB, and no longer than the missing part of the
    /// frame.
    #[must_use]
    pub fn unfilled(&mut self) -> Option<&mut [u8]> {
        self.receiver.unfilled()
    }

    /// Says that `len` bytes have been read into the room of [`unfilled`](Self::unfilled). The resulting event is returned by the
    /// next call of [`receive`](Self::receive), whose input may be empty. The call has no effect if `receive` has been given input
    /// since the room was lent.
    ///
    /// # Panics
    ///
    /// If `len` is more than the room was long.
    pub fn filled(&mut self, len: usize) {
        self.receiver.filled(len);
    }

    /// Calls `read` once; returns how many bytes it has read, and the part of `buffer` to be [received](Self::receive) next.
    ///
    /// The missing bytes of a long message are read straight into its memory, the bytes behind it into `buffer`. `read` is to
    /// fill the slices in their order and to return how many bytes there are, as [`read_vectored`](io::Read::read_vectored) of a
    /// stream does; one that reads into the first slice only will do, in more steps. To be called only when the input is used up;
    /// then call `receive`, even without input. Behind a long message, 4 KiB of `buffer` are used at most, so that the message
    /// is still in the CPU's nearest cache when it is unmasked. `buffer` is not to be empty.
    ///
    /// ```
    /// # use sansocket::{Config, Connection};
    /// # use std::io::Read;
    /// # let mut stream = &b"\x81\x81\0\0\0\0A"[..];
    /// # let mut connection = Connection::server(&Config::default());
    /// let mut buffer = vec![0; 20 << 10]; // for all connections of the thread
    /// let (count, mut input) = connection.read(&mut buffer, |slices| stream.read_vectored(slices))?;
    /// if count == 0 {
    ///     connection.receive_eof()?; // an error, unless the peer's Close frame has come
    /// }
    /// while let Some(event) = connection.receive(&mut input)? {
    ///     println!("{event:?}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of `read`; nothing has changed then.
    ///
    /// # Panics
    ///
    /// If `read` returns more than the slices hold.
    #[cfg(feature = "std")]
    pub fn read<'b>(
        &mut self,
        buffer: &'b mut [u8],
        read: impl FnOnce(&mut [IoSliceMut<'_>]) -> io::Result<usize>,
    ) -> io::Result<(usize, &'b mut [u8])> {
        self.receiver.read(buffer, read)
    }

    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed), [`MessageInProgress`](SendError::MessageInProgress) or
    /// [`QueueFull`](SendError::QueueFull); nothing is queued then.
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.sender.send_text(text)
    }

    /// Queues a binary message.
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text).
    #[inline]
    pub fn send_binary(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.sender.send_binary(data)
    }

    /// Sends a text message by `write`, and queues the bytes that `write` does not take; see [`SendHalf::write_text`].
    ///
    /// ```
    /// # use std::io::{self, Write};
    /// # use bytes::Buf;
    /// # use sansocket::{Config, Connection};
    /// # let mut stream = Vec::new();
    /// let mut connection = Connection::server(&Config::default());
    /// connection.write_text("Hello", |slices| stream.write_vectored(slices).unwrap_or(0))?;
    /// while connection.outgoing().has_remaining() {
    ///     let written = stream.write(connection.outgoing().chunk())?;
    ///     connection.outgoing().advance(written);
    /// }
    /// assert_eq!(stream, b"\x81\x05Hello"); // RFC 6455 §5.7
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text); nothing is written then.
    ///
    /// # Panics
    ///
    /// If `write` returns more than it was given.
    #[cfg(feature = "std")]
    #[inline]
    pub fn write_text(
        &mut self,
        text: &str,
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        self.sender.write_text(text, write)
    }

    /// Sends a binary message by `write`, and queues the bytes that `write` does not take; see [`SendHalf::write_text`].
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text); nothing is written then.
    ///
    /// # Panics
    ///
    /// If `write` returns more than it was given.
    #[cfg(feature = "std")]
    #[inline]
    pub fn write_binary(
        &mut self,
        data: &[u8],
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        self.sender.write_binary(data, write)
    }

    /// Queues a message. A server does not copy a large payload.
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text), with the message handed back.
    pub fn send(&mut self, message: impl Into<Outbound>) -> Result<(), Unsent> {
        self.sender.send(message)
    }

    /// Queues the next fragment of a message; see [`SendHalf::send_fragment`].
    ///
    /// # Errors
    ///
    /// Those of [`SendHalf::send_fragment`]; nothing is queued then.
    pub fn send_fragment(
        &mut self,
        kind: impl Into<OutboundKind>,
        data: &[u8],
        fin: Fin,
    ) -> Result<(), SendError> {
        self.sender.send_fragment(kind, data, fin)
    }

    /// Queues a Ping with up to 125 bytes of payload (RFC 6455 §5.5.2).
    ///
    /// # Errors
    ///
    /// Those of [`SendHalf::ping`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.sender.ping(payload)
    }

    /// Queues a Pong that nobody asked for, with up to 125 bytes of payload (RFC 6455 §5.5.3).
    ///
    /// # Errors
    ///
    /// Those of [`SendHalf::pong`].
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.sender.pong(payload)
    }

    /// Queues a Close frame, with or without a code and reason, and takes no more data (RFC 6455 §7.1.2).
    ///
    /// The peer may send messages until it answers; [`receive`](Self::receive) returns them (RFC 6455 §5.5.1 forbids
    /// sending only).
    ///
    /// # Errors
    ///
    /// Those of [`SendHalf::close`]; nothing is queued then.
    pub fn close(&mut self, frame: Option<CloseFrame>) -> Result<(), SendError> {
        self.sender.close(frame)
    }

    /// Fails the connection: queues a Close frame, unless one was sent, and hears no more (RFC 6455 §7.1.7).
    ///
    /// # Errors
    ///
    /// Those of [`SendHalf::close`]; nothing is changed then.
    pub fn fail(&mut self, frame: CloseFrame) -> Result<(), SendError> {
        self.sender.fail(frame)?;
        self.receiver.close();
        Ok(())
    }

    /// Returns the bytes to write.
    #[inline]
    pub fn outgoing(&mut self) -> &mut Outgoing {
        self.sender.outgoing()
    }

    /// Drops the bytes to write. Call it when writing has failed, and go on reading: the peer may have sent a Close frame that says
    /// why.
    ///
    /// Call it again whenever bytes have been queued since then. The end is not [clean](Outcome::clean) if data or our Close frame was
    /// dropped.
    pub fn drop_outgoing(&mut self) {
        self.sender.drop_outgoing();
    }

    /// Returns how many bytes wait to be written.
    #[inline]
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.sender.buffered()
    }

    /// Tells whether the application should stop sending; see [`SendHalf::is_congested`].
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.sender.is_congested()
    }

    /// Tells whether messages can be sent: until our Close frame is sent, as the first or as an answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sender.is_open()
    }

    /// Tells whether the peer may still be heard: until its Close frame, a failure or the end of the stream.
    #[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
    pub(crate) fn is_listening(&self) -> bool {
        self.sender.is_listening()
    }

    /// Returns the instruction for the transport: keep it, shut it down for writing, or close it.
    #[must_use]
    pub fn transport_action(&self) -> TransportAction {
        self.sender.transport_action()
    }

    /// Returns how the connection ended; `None` while it goes on, or while the last bytes wait to be written.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.sender.outcome()
    }

    /// Puts the next event of any kind in the place of [`NOTHING`], and answers it.
    #[inline(never)]
    fn receive_any<'i>(&mut self, input: &mut &'i mut [u8], event: &mut Next<'i>) {
        self.receiver.receive_any(input, event);
        self.sender.answer(event);
    }
}
