//! WebSocket over a blocking stream: a `TcpStream`, a `UnixStream`, a TLS stream over one.
//!
//! ```no_run
//! use std::net::TcpListener;
//!
//! for stream in TcpListener::bind("127.0.0.1:9001")?.incoming() {
//!     std::thread::spawn(move || -> Result<(), sansocket::Error> {
//!         let mut socket = sansocket::blocking::accept(stream?)?;
//!         while let Some(message) = socket.read()? {
//!             socket.send(message)?;
//!         }
//!         Ok(())
//!     });
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Timeouts
//!
//! | call | ends |
//! |---|---|
//! | [`accept`], [`connect`] | within 10 seconds; the others of the opening handshake within the time that they are given |
//! | [`WebSocket::read`] | with an error when nothing has come for the read timeout of the stream, if it has one |
//! | [`WebSocket::send`], [`WebSocket::flush`] | with an error when the stream has taken nothing for its write timeout, if it has one |
//! | [`WebSocket::close`], [`Closer::close`] | within the time that they are given |
//! | the last call of a connection | within a second more, in which the peer can take our last bytes |
//!
//! An [`Error::Io`] of the kinds `WouldBlock` and `TimedOut` leaves a connection as it was. A timeout in an opening handshake
//! ends it, and the bytes that were read are gone with the stream.
//!
//! `read` goes on reading while the stream takes nothing. `send` does not read: two ends that both send more than the stream
//! holds wait for each other, until a write timeout ends one `send` and its caller reads. Split the connection where both
//! ends may do so, see [`Connection::split`].

use core::mem;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::time::Instant;

use bytes::BytesMut;

use super::bounded::{Bounded, Patience, SLICE, is_timeout, time_left};
pub use super::closer::Closer;
use super::error::Error;
use super::link::Link;
use super::opening::{HEAD, cut, open, split_head};
pub use super::stream::{Stream, Unbounded};
use super::{HANDSHAKE, LINGER, READ};
use crate::close::CloseFrame;
use crate::config::Config;
use crate::connection::{Connection, Event, Outcome, Received, TransportAction};
use crate::handshake::{
    Accepted, Client, Established, HandshakeError, HeadLimits, Request, RequestReader,
    ResponseReader, Server, Uri,
};
use crate::message::{Message, Outbound};
use crate::random;

/// How many bytes a read asks for while reads bring half of it at most.
const LITTLE: usize = 2 << 10;

/// How often a connection with a [`Closer`] looks at it.
const LOOK: Duration = Duration::from_millis(100);

/// Accepts a connection from a browser's page of the same origin, or from a client that is no browser, within 10 seconds;
/// see [`Incoming`] for anything else.
///
/// # Errors
///
/// [`Error::Io`], [`Error::UnexpectedEof`], or [`Error::Handshake`] when the client has been refused.
pub fn accept<S: Stream>(stream: S) -> Result<WebSocket<S>, Error> {
    let incoming = Incoming::read(stream, HeadLimits::default(), HANDSHAKE)?;
    match Server::new().accept(incoming.request()) {
        Ok(accepted) => incoming.accept(&accepted, &Config::default()),
        Err(error) => {
            incoming.reject(&error.response())?;
            Err(error.into())
        }
    }
}

/// Opens a connection to a `ws` or `wss` URI over `stream`, which leads to its host, through TLS for `wss`, within 10
/// seconds.
///
/// # Errors
///
/// [`Error::Uri`], [`Error::Io`], [`Error::UnexpectedEof`], [`Error::Handshake`] or [`Error::Rejected`].
pub fn connect<S: Stream>(stream: S, uri: &str) -> Result<WebSocket<S>, Error> {
    let client = Client::new(&Uri::parse(uri)?, random::nonce());
    Ok(connect_with(stream, &client, &Config::default(), HANDSHAKE)?.0)
}

/// Opens a connection with the handshake of `client` within `timeout`, and returns the agreement as well.
///
/// # Errors
///
/// [`Error::Io`], of the kind `WouldBlock` or `TimedOut` if the time has run out, [`Error::UnexpectedEof`],
/// [`Error::Handshake`] or [`Error::Rejected`].
pub fn connect_with<S: Stream>(
    stream: S,
    client: &Client,
    config: &Config,
    timeout: Duration,
) -> Result<(WebSocket<S>, Established), Error> {
    let deadline = after(timeout);
    let mut stream = Bounded::new(stream);
    stream.write_all(&client.request(), deadline)?;
    let mut reader = ResponseReader::new(HeadLimits::default());
    let (response, rest) = read_head(&mut stream, deadline, |bytes| reader.receive(bytes))?;
    let (connection, established) = open(client, response, &rest, config)?;
    Ok((WebSocket::over(stream, connection, rest), established))
}

/// A client's request, to be accepted or rejected, or answered as the ordinary HTTP request that it may be.
#[derive(Debug)]
pub struct Incoming<S> {
    stream: Bounded<S>,
    request: Request,
    rest: BytesMut,
    timeout: Duration,
}

impl<S: Stream> Incoming<S> {
    /// Reads the request within `timeout`; [`accept`](Self::accept) and [`reject`](Self::reject) have as long again.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], of the kind `WouldBlock` or `TimedOut` if the time has run out, [`Error::UnexpectedEof`], or
    /// [`Error::Handshake`] for a request that is not HTTP or too long; it has been answered.
    pub fn read(stream: S, limits: HeadLimits, timeout: Duration) -> Result<Self, Error> {
        let mut stream = Bounded::new(stream);
        let mut reader = RequestReader::new(limits);
        let head = read_head(&mut stream, after(timeout), |bytes| reader.receive(bytes));
        if let Err(Error::Handshake(error)) = &head {
            write_last(&mut stream, &error.response(), after(timeout))?;
        }
        let (request, rest) = head?;
        Ok(Self {
            stream,
            request,
            rest,
            timeout,
        })
    }

    /// Returns the request.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// Accepts the request: `accepted` is what [`Server::accept`] made of it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn accept(mut self, accepted: &Accepted, config: &Config) -> Result<WebSocket<S>, Error> {
        let deadline = after(self.timeout);
        self.stream.write_all(&accepted.response(), deadline)?;
        let connection = accepted.connection(config);
        Ok(WebSocket::over(self.stream, connection, self.rest))
    }

    /// Answers the request with another response than an upgrade, such as [`reject`](crate::handshake::reject) makes.
    ///
    /// Then it shuts the stream down for writing, and reads and ignores the client's bytes for a second, or 4 MiB, because the
    /// operating system would destroy a response whose client is still sending.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn reject(mut self, response: &[u8]) -> Result<(), Error> {
        let deadline = after(self.timeout);
        Ok(write_last(&mut self.stream, response, deadline)?)
    }
}

/// An open WebSocket connection over `S`.
///
/// It holds no buffer while it waits for a message, because reads go through the stack. It sets the timeouts of the stream
/// as it needs them; change them by [`set_timeouts`](Self::set_timeouts) only.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: Bounded<S>,
    link: Link,
    closer: Option<Closer>,
    /// When the connection ends at the latest, once it is being closed; events are dropped then.
    deadline: Option<Instant>,
    end: End,
    /// Since when nothing has come, where reads are shorter than the application lets them be.
    silent: Option<Instant>,
    /// Whether the stream has not taken all that waits.
    blocked: bool,
    /// Whether the last read brought much.
    much: bool,
}

/// The last bytes are written, and the stream is shut down and emptied.
#[derive(Clone, Copy, Debug)]
enum End {
    Ahead,
    /// It has begun and takes no longer than this.
    Until(Instant),
    Done,
}

impl<S: Stream> WebSocket<S> {
    /// Returns a connection behind its opening handshake, with the bytes that came behind the peer's head.
    pub fn new(stream: S, connection: Connection, rest: BytesMut) -> Self {
        Self::over(Bounded::new(stream), connection, rest)
    }

    fn over(stream: Bounded<S>, connection: Connection, rest: BytesMut) -> Self {
        Self {
            stream,
            link: Link::new(connection, rest),
            closer: None,
            deadline: None,
            end: End::Ahead,
            silent: None,
            blocked: false,
            much: false,
        }
    }

    /// Lets another thread close the connection, also while this one waits for a message.
    #[must_use]
    pub fn with_closer(mut self, closer: &Closer) -> Self {
        self.closer = Some(closer.clone());
        self
    }

    /// Sets how long a read waits for the next byte, and how long a write waits until the stream takes one; `None` is for
    /// ever. Before, the timeouts hold that the stream had when the connection was opened.
    pub const fn set_timeouts(&mut self, read: Option<Duration>, write: Option<Duration>) {
        self.stream.set_timeouts(read, write);
    }

    /// Waits for the next message; `None` when the peer has closed the connection, which [`outcome`](Self::outcome) tells
    /// about. With [`Delivery::Chunks`](crate::Delivery::Chunks) there are none: take [`read_event`](Self::read_event) then.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; once [`Error::Protocol`], or [`Error::UnexpectedEof`] if the stream has ended without the peer's Close
    /// frame. Behind an error that has ended the connection comes `None`.
    pub fn read(&mut self) -> Result<Option<Message>, Error> {
        while let Some(event) = self.read_event()? {
            if let Some(message) = event.into_message() {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Waits for the next event, be it a Ping, a Pong or, as the last one, a Close frame, which are answered already;
    /// `None` when the peer has closed the connection. Call it until then, because the end of the stream comes behind the
    /// Close frame.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_event(&mut self) -> Result<Option<Event<'static>>, Error> {
        self.silent = None;
        loop {
            let event = self.next()?;
            if self.deadline.is_none() || event.is_none() {
                return Ok(event);
            }
        }
    }

    /// Sends a message and waits until the stream has taken it.
    ///
    /// It does not read meanwhile. If the peer does the same with a message of its own, and both are longer than the
    /// buffers of the stream, both wait until a write timeout passes; then [`read`](Self::read), which writes as well.
    ///
    /// # Errors
    ///
    /// [`Error::Unsent`] with the message if it cannot be sent, or [`Error::Io`]; after a timeout, the rest of it is
    /// sent by the next call of any kind.
    pub fn send(&mut self, message: impl Into<Outbound>) -> Result<(), Error> {
        self.link.connection.send(message)?;
        self.flush()
    }

    /// Waits until the stream has taken all that waits to be written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn flush(&mut self) -> Result<(), Error> {
        let mut patience = self.stream.write_patience(None);
        loop {
            let before = self.link.connection.buffered();
            let Err(error) = self.try_write() else {
                return Ok(());
            };
            if self.link.connection.buffered() < before {
                patience.progress();
            }
            let order = self.closer.as_ref().and_then(Closer::order);
            let is_late = order.is_some_and(|order| time_left(order.deadline).is_none());
            if is_late || !is_timeout(&error) {
                return Err(self.link.first(error).into());
            }
            patience.bear(error)?;
        }
    }

    /// Closes the connection: sends a Close frame, unless one was sent, and waits for the peer's within `timeout`. Messages
    /// that come in between are dropped.
    ///
    /// To hear them, queue a Close frame by [`connection_mut`](Self::connection_mut) and read until the end.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] for a Close frame that must not be sent, [`Error::Io`], or [`Error::Protocol`] once. A peer that does
    /// not answer in time, or ends the stream, is no error; the outcome is not clean then.
    pub fn close(
        &mut self,
        frame: Option<CloseFrame>,
        timeout: Duration,
    ) -> Result<Option<Outcome>, Error> {
        self.begin_to_close(frame, after(timeout))?;
        match self.read_event() {
            Ok(_) | Err(Error::UnexpectedEof(_)) => Ok(self.outcome()),
            Err(error) => Err(error),
        }
    }

    /// Returns how the connection ended; `None` while it goes on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.link.connection.outcome()
    }

    /// Returns the connection, to queue what [`flush`](Self::flush) sends: Pings, fragments, several messages at once.
    ///
    /// Reading sends it, too, once all that has been read was received, so that one write takes the answers to many messages.
    pub const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.link.connection
    }

    /// Returns the stream.
    pub const fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    /// Returns the stream, the connection, and the bytes that have been read and not received.
    pub fn into_parts(self) -> (S, Connection, BytesMut) {
        let (connection, rest) = self.link.into_parts();
        (self.stream.into_inner(), connection, rest)
    }

    /// Closes the connection, which ends at `deadline`.
    fn begin_to_close(
        &mut self,
        frame: Option<CloseFrame>,
        deadline: Instant,
    ) -> Result<(), Error> {
        if self.link.connection.is_open() {
            self.link.connection.close(frame)?;
        }
        self.deadline = Some(deadline);
        Ok(())
    }

    /// Returns the next event; `None` at the end.
    fn next(&mut self) -> Result<Option<Event<'static>>, Error> {
        while self.link.is_in_use() {
            self.look_at_the_clock()?;
            match self.link.receive() {
                Ok(Received::Event(event)) => {
                    if !Link::is_read_on(&event) {
                        self.write_some();
                    }
                    return Ok(Some(event));
                }
                Ok(Received::Again) => self.link.rest(),
                Ok(Received::Wanting) => {
                    self.write_some();
                    self.fill()?;
                }
                Err(error) => {
                    let _ = self.finish(); // goes on in the next call, unless it is done
                    return Err(error.into());
                }
            }
        }
        self.finish()?;
        self.link.end().map(|()| None)
    }

    /// Begins to close if the closer says so, and ends a connection whose time has run out.
    fn look_at_the_clock(&mut self) -> Result<(), Error> {
        match (&self.deadline, &self.closer) {
            (Some(deadline), _) if time_left(*deadline).is_none() => self.link.receive_eof(),
            (None, Some(closer)) => {
                if let Some(order) = closer.order() {
                    self.begin_to_close(order.frame, order.deadline)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes as many queued bytes as the stream takes at once, before the connection reads on. An error waits until there is
    /// nothing more to read.
    fn write_some(&mut self) {
        self.blocked = self.try_write().is_err_and(|error| is_timeout(&error));
    }

    /// Writes all that waits, and flushes. An error ends writing, unless time has run out.
    fn try_write(&mut self) -> io::Result<()> {
        let Self { stream, link, .. } = self;
        let mut write = || {
            while let Some(taken) = link.offer(|slices| stream.write(slices))? {
                link.taken(taken?)?;
            }
            if mem::take(&mut link.unflushed) {
                stream.flush().inspect_err(|_| link.unflushed = true)?;
            }
            Ok(())
        };
        write().map_err(|error: io::Error| {
            if is_timeout(&error) {
                return error;
            }
            self.link.break_off(error)
        })
    }

    /// Reads once, with little room while little comes: all of it has to be zeroed before. Returns without a byte where
    /// something else is to be looked at.
    fn fill(&mut self) -> Result<(), Error> {
        let slice = match &self.closer {
            _ if self.blocked => Some(SLICE),
            Some(_) => Some(LOOK),
            None => None,
        };
        let left = self
            .deadline
            .map(|deadline| time_left(deadline).unwrap_or(SLICE));
        let own = self.own_timeout().filter(|_| slice.is_some());
        let timeout = slice.into_iter().chain(left).chain(own).min();
        let begun = timeout.map(|timeout| (Instant::now(), timeout));
        let read = if self.much {
            self.read_by::<READ>(timeout)
        } else {
            self.read_by::<LITTLE>(timeout)
        };
        match read {
            Err(error) if is_timeout(&error) => match begun {
                Some((begun, timeout)) if self.waits_on(begun, timeout) => Ok(()),
                _ => Err(error.into()),
            },
            Err(error) => Err(self.link.fail(error)),
            Ok(()) => {
                self.silent = None;
                Ok(())
            }
        }
    }

    /// Tells whether to go on waiting behind a read that has taken its `timeout` since `begun`: not for longer than the
    /// application lets a read block, nor where the stream does not block at all.
    fn waits_on(&mut self, begun: Instant, timeout: Duration) -> bool {
        let silent = *self.silent.get_or_insert(begun);
        begun.elapsed().saturating_mul(2) >= timeout
            && self.own_timeout().is_none_or(|own| silent.elapsed() < own)
    }

    /// Returns how long the application lets a read block, unless the connection is being closed, which has its own time.
    fn own_timeout(&self) -> Option<Duration> {
        let own = self.stream.read_timeout();
        own.filter(|_| self.deadline.is_none())
    }

    /// Reads once, straight into the memory of a long message, or through the stack.
    fn read_by<const ROOM: usize>(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.link.free_input();
        if let Some(space) = self.link.connection.unfilled() {
            let count = self.stream.read(space, timeout)?;
            self.link.filled(count);
            return Ok(());
        }
        let mut buffer = [0; ROOM];
        let count = self.stream.read(&mut buffer, timeout)?;
        let (bytes, _) = buffer.split_at(count.min(ROOM));
        self.link.read(bytes);
        self.much = count > LITTLE / 2;
        Ok(())
    }

    /// Writes the last bytes and, where the peer is to close first, waits for that, for a second at most. An error ends it as
    /// well, because the peer has all bytes or cannot be reached.
    ///
    /// # Errors
    ///
    /// That of a stream that does not block and takes no more now: call again.
    fn finish(&mut self) -> Result<(), Error> {
        let until = match self.end {
            End::Ahead => {
                let linger = after(LINGER);
                self.deadline
                    .map_or(linger, |deadline| deadline.min(linger))
            }
            End::Until(until) => until,
            End::Done => return Ok(()),
        };
        self.end = End::Until(until);
        let mut patience = Patience::until(until);
        while let Err(error) = self.try_write() {
            if !is_timeout(&error) || time_left(until).is_none() {
                self.link.receive_eof();
                break;
            }
            patience.bear(error)?;
        }
        self.end = End::Done;
        match self.link.connection.transport_action() {
            TransportAction::HalfClose => self.stream.shut_down(until),
            TransportAction::AwaitEof => self.stream.drain(until),
            _ => {}
        }
        self.link.receive_eof();
        Ok(())
    }
}

/// Returns when `timeout` has passed.
fn after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now)
}

/// Reads until `receive` has found a head; returns the head and the bytes behind it.
fn read_head<S: Stream, H>(
    stream: &mut Bounded<S>,
    deadline: Instant,
    mut receive: impl FnMut(&[u8]) -> Result<Option<(H, usize)>, HandshakeError>,
) -> Result<(H, BytesMut), Error> {
    let mut begun = false;
    loop {
        let left = time_left(deadline).ok_or(ErrorKind::TimedOut);
        let mut buffer = [0; HEAD];
        let count = stream.read(&mut buffer, Some(left.map_err(io::Error::from)?))?;
        if count == 0 {
            return Err(cut(begun).into());
        }
        begun = true;
        let (bytes, _) = buffer.split_at(count.min(HEAD));
        let mut bytes = BytesMut::from(bytes);
        if let Some(head) = split_head(&mut bytes, &mut receive)? {
            return Ok((head, bytes));
        }
    }
}

/// Writes a response that no connection follows.
fn write_last<S: Stream>(
    stream: &mut Bounded<S>,
    response: &[u8],
    deadline: Instant,
) -> io::Result<()> {
    stream.write_all(response, deadline)?;
    stream.shut_down(after(LINGER));
    Ok(())
}
