//! WebSocket over anything that reads and writes and blocks: a `TcpStream`, a TLS stream over one, a pipe.
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
//! There is no clock in here. A peer that says nothing blocks a call as long as the stream lets it: set the stream's read
//! and write timeouts, whose errors come out as [`Error::Io`] and leave the connection as it was.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use bytes::BytesMut;

use super::error::Error;
use super::link::Link;
use super::opening::{HEAD, open, serve, split_head};
use super::{LINGER, READ};
use crate::close::CloseFrame;
use crate::config::Config;
use crate::connection::{Connection, Event, Outcome, Transport};
use crate::handshake::{
    Accepted, Client, Established, HandshakeError, HeadLimits, Request, RequestReader,
    ResponseReader, Server, Uri,
};
use crate::message::Message;
use crate::random;

/// How many bytes a read asks for while reads bring half of it at most.
const LITTLE: usize = 2 << 10;

/// Accepts a connection from a browser's page of the same origin, or from a client that is no browser; see
/// [`Incoming`] for anything else.
///
/// # Errors
///
/// [`Error::Io`], or [`Error::Handshake`] when the client has been refused.
pub fn accept<S: Read + Write>(stream: S) -> Result<WebSocket<S>, Error> {
    let incoming = Incoming::read(stream, HeadLimits::default())?;
    match Server::new().accept(incoming.request()) {
        Ok(accepted) => incoming.accept(&accepted, &Config::default()),
        Err(error) => {
            incoming.reject(&error.response())?;
            Err(error.into())
        }
    }
}

/// Opens a connection to a `ws` or `wss` URI over `stream`, which leads to its host, through TLS for `wss`.
///
/// # Errors
///
/// [`Error::Uri`], [`Error::Io`], [`Error::Handshake`] or [`Error::Rejected`].
pub fn connect<S: Read + Write>(stream: S, uri: &str) -> Result<WebSocket<S>, Error> {
    let client = Client::new(&Uri::parse(uri)?, random::nonce());
    Ok(connect_with(stream, &client, &Config::default())?.0)
}

/// Opens a connection with the handshake of `client`, and says what was agreed.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Handshake`] or [`Error::Rejected`].
pub fn connect_with<S: Read + Write>(
    mut stream: S,
    client: &Client,
    config: &Config,
) -> Result<(WebSocket<S>, Established), Error> {
    write_head(&mut stream, &client.request())?;
    let mut reader = ResponseReader::new(HeadLimits::default());
    let (response, rest) = read_head(&mut stream, |bytes| reader.receive(bytes))?;
    let (connection, established) = open(client, response, &rest, config)?;
    Ok((WebSocket::new(stream, connection, rest), established))
}

/// A client's request, to be accepted or rejected, or answered as the ordinary HTTP request that it may be.
#[derive(Debug)]
pub struct Incoming<S> {
    stream: S,
    request: Request,
    rest: BytesMut,
}

impl<S: Read + Write> Incoming<S> {
    /// Reads the request.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Handshake`] for a request that is not HTTP or too long; it has been answered.
    pub fn read(mut stream: S, limits: HeadLimits) -> Result<Self, Error> {
        let mut reader = RequestReader::new(limits);
        let head = read_head(&mut stream, |bytes| reader.receive(bytes));
        if let Err(Error::Handshake(error)) = &head {
            write_head(&mut stream, &error.response())?;
        }
        let (request, rest) = head?;
        Ok(Self {
            stream,
            request,
            rest,
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
        write_head(&mut self.stream, &accepted.response())?;
        Ok(WebSocket::new(
            self.stream,
            serve(accepted, config),
            self.rest,
        ))
    }

    /// Answers the request with another response than an upgrade, such as [`reject`](crate::handshake::reject) makes.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn reject(mut self, response: &[u8]) -> Result<(), Error> {
        Ok(write_head(&mut self.stream, response)?)
    }
}

/// An open WebSocket connection over `S`.
///
/// It holds no buffer while it waits for a message: what is read goes through the stack.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: S,
    link: Link,
    half_close: Option<fn(&mut S) -> io::Result<()>>,
    finished: bool,
    /// Whether the last read brought much.
    much: bool,
}

impl<S: Read + Write> WebSocket<S> {
    /// Returns a connection behind its opening handshake, with the bytes that came behind the peer's head.
    pub const fn new(stream: S, connection: Connection, rest: BytesMut) -> Self {
        Self {
            stream,
            link: Link::new(connection, rest),
            half_close: None,
            finished: false,
            much: false,
        }
    }

    /// Sets how the stream is shut down for writing: for a `TcpStream` that is [`half_close`].
    ///
    /// A connection that has failed is kept for up to a second then, so that the Close frame arrives even where the peer
    /// goes on sending. Without this the stream is only emptied once, for the most that `Read + Write` can do is to wait,
    /// perhaps for ever.
    #[must_use]
    pub const fn with_half_close(mut self, half_close: fn(&mut S) -> io::Result<()>) -> Self {
        self.half_close = Some(half_close);
        self
    }

    /// Waits for the next message; `None` when the connection has ended, which [`outcome`](Self::outcome) tells about. With
    /// [`Delivery::Chunks`](crate::Delivery::Chunks) there are none: take [`read_event`](Self::read_event) then.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Protocol`] once.
    pub fn read(&mut self) -> Result<Option<Message>, Error> {
        while let Some(event) = self.read_event()? {
            if let Some(message) = event.into_message() {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Waits for the next event, be it a Ping, a Pong or, as the last one, a Close frame, which are answered already;
    /// `None` when the connection has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Protocol`] once.
    pub fn read_event(&mut self) -> Result<Option<Event<'static>>, Error> {
        while self.link.is_in_use() {
            let event = self.link.receive();
            if self.link.is_read_on(&event) {
                return event;
            }
            // An error must not stand in the way of an event; it comes again when there is none.
            let written = if self.link.is_in_use() {
                self.write()
            } else {
                self.finish()
            };
            match event? {
                None => {
                    self.unless_broken(written)?;
                    self.fill().map_err(|error| self.link.first(error))?;
                }
                event => return Ok(event),
            }
        }
        let unheard = self.link.take_error();
        self.finish()?;
        unheard.map_or(Ok(None), |error| Err(error.into()))
    }

    /// Sends a message and waits until the stream has taken it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the message if it cannot be sent, or [`Error::Io`]; after a timeout, the rest of it is
    /// sent by the next call of any kind.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.link.connection.send(message.into())?;
        self.flush()
    }

    /// Waits until the stream has taken all that waits to be written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.write().map_err(|error| self.link.first(error))?)
    }

    /// Closes the connection: sends a Close frame, unless one was sent, and waits for the peer's. Messages that come in
    /// between are dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] for a Close frame that must not be sent, [`Error::Io`], or [`Error::Protocol`] once.
    pub fn close(&mut self, frame: Option<CloseFrame>) -> Result<Option<Outcome>, Error> {
        if self.link.connection.is_open() {
            self.connection().close(frame)?;
            let written = self.write();
            self.unless_broken(written)?;
        }
        while self.read_event()?.is_some() {}
        Ok(self.outcome())
    }

    /// Returns how the connection ended; `None` while it goes on.
    pub fn outcome(&self) -> Option<Outcome> {
        self.link.connection.outcome()
    }

    /// Returns the connection, to queue what [`flush`](Self::flush) sends: Pings, fragments, several messages at once.
    ///
    /// Reading sends it, too, once all that has been read was received, so that one write takes the answers to many messages.
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.link.connection
    }

    /// Returns the stream.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Returns the stream, the connection, and what has been read and not received.
    pub fn into_parts(self) -> (S, Connection, BytesMut) {
        (self.stream, self.link.connection, self.link.input)
    }

    /// Writes all that waits, and flushes. An error ends writing, unless time has run out.
    fn write(&mut self) -> io::Result<()> {
        self.try_write().map_err(|error| {
            if is_timeout(&error) {
                return error;
            }
            self.link.break_off(error)
        })
    }

    fn try_write(&mut self) -> io::Result<()> {
        let stream = &mut self.stream;
        while let Some(taken) = self.link.offer(|slices| {
            retry(|| match slices {
                [slice] => stream.write(slice), // a system call of less work
                _ => stream.write_vectored(slices),
            })
        })? {
            self.link.taken(taken?)?;
        }
        if self.link.unflushed {
            retry(|| stream.flush())?;
            self.link.unflushed = false;
        }
        Ok(())
    }

    /// Passes an error in writing on, but for one that has ended it: that waits until there is nothing more to read.
    fn unless_broken(&self, written: io::Result<()>) -> io::Result<()> {
        if self.link.is_broken() {
            return Ok(());
        }
        written
    }

    /// Reads once, with little room while little comes: all of it has to be zeroed before.
    fn fill(&mut self) -> io::Result<()> {
        if self.much {
            self.read_by::<READ>()
        } else {
            self.read_by::<LITTLE>()
        }
    }

    /// Reads once, straight into the memory of a long message, or through the stack.
    fn read_by<const ROOM: usize>(&mut self) -> io::Result<()> {
        self.link.input = BytesMut::new(); // used up, and not to be held while waiting
        let mut buffer = [0; ROOM];
        let space = self.link.connection.space();
        let direct = space.is_some();
        let read = {
            let target = space.unwrap_or(&mut buffer);
            retry(|| self.stream.read(target))
        };
        match read {
            Ok(0) => _ = self.link.connection.receive_eof(),
            Ok(count) if direct => self.link.connection.filled(count),
            Ok(count) => {
                self.link.input.extend_from_slice(&buffer[..count]);
                self.much = count > LITTLE / 2;
            }
            Err(error) => {
                if !is_timeout(&error) {
                    let _ = self.link.connection.receive_eof();
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes the last bytes and, where the peer is to close first, waits for that. An error ends it as well, unless time
    /// has run out while writing: the peer has what it needs, or cannot be reached.
    ///
    /// Dropping a stream with unread input may destroy what was written last, so this reads and ignores it.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the linger is a constant of seconds"
    )]
    fn finish(&mut self) -> io::Result<()> {
        if self.finished {
            return Ok(());
        }
        match self.write() {
            Err(error) if is_timeout(&error) => return Err(error),
            Err(_) => {
                self.link.take_error(); // it tells nothing new
                let _ = self.link.connection.receive_eof();
            }
            Ok(()) => {}
        }
        self.finished = true;
        let deadline = Instant::now() + LINGER;
        if let (Transport::HalfClose, Some(half_close)) =
            (self.link.connection.transport(), self.half_close)
            && half_close(&mut self.stream).is_err()
        {
            let _ = self.link.connection.receive_eof();
        }
        while self.link.connection.transport() != Transport::Close && Instant::now() < deadline {
            match retry(|| self.stream.read(&mut [0; READ])) {
                Ok(count) if count > 0 => {
                    if count < READ && self.half_close.is_none() {
                        break;
                    }
                }
                _ => _ = self.link.connection.receive_eof(),
            }
        }
        Ok(())
    }
}

/// Shuts a TCP stream down for writing, and limits the time that a read takes from now on.
///
/// # Errors
///
/// Those of the two calls.
pub fn half_close(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(LINGER))?;
    stream.shutdown(Shutdown::Write)
}

/// Reads until `receive` has found a head; returns it and what came behind it.
#[expect(
    clippy::indexing_slicing,
    reason = "a reader returns no more than it had room for"
)]
fn read_head<S: Read, H>(
    stream: &mut S,
    mut receive: impl FnMut(&[u8]) -> Result<Option<(H, usize)>, HandshakeError>,
) -> Result<(H, BytesMut), Error> {
    loop {
        let mut buffer = [0; HEAD];
        let count = retry(|| stream.read(&mut buffer))?;
        if count == 0 {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        let mut bytes = BytesMut::from(&buffer[..count]);
        if let Some(head) = split_head(&mut bytes, &mut receive)? {
            return Ok((head, bytes));
        }
    }
}

/// Writes a head, with the body that it may have.
fn write_head<S: Write>(stream: &mut S, head: &[u8]) -> io::Result<()> {
    stream.write_all(head)?;
    retry(|| stream.flush())
}

/// Tells whether the stream can be used further.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Repeats what was interrupted by a signal.
fn retry<T>(mut io: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match io() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
