//! WebSocket over tokio's `AsyncRead + AsyncWrite`: a `TcpStream`, a TLS stream over one, a pipe in memory.
//!
//! ```no_run
//! # async fn serve() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     tokio::spawn(async {
//!         let mut socket = sansocket::tokio::accept(stream).await?;
//!         while let Some(message) = socket.read().await? {
//!             socket.send(message).await?;
//!         }
//!         Ok::<(), sansocket::Error>(())
//!     });
//! }
//! # }
//! ```
//!
//! No future in here loses anything when it is dropped before it is done: what was read, queued or written stays with the
//! [`WebSocket`]. So all of them can stand in a `select!`. Only an opening handshake has to be awaited to its end; put a
//! timeout around it. The runtime must have its time driver enabled.

use alloc::boxed::Box;
use core::future::poll_fn;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, ErrorKind};

use ::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use ::tokio::time::{Instant, Sleep, sleep, timeout, timeout_at};
use bytes::BytesMut;
use futures_core::Stream;
use futures_sink::Sink;

use super::error::Error;
use super::link::Link;
use super::opening::{HEAD, open, serve, split_head};
use super::wakers::{User, Wakers};
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

/// Accepts a connection from a browser's page of the same origin, or from a client that is no browser; see [`Incoming`]
/// for anything else.
///
/// # Errors
///
/// [`Error::Io`], or [`Error::Handshake`] when the client has been refused.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<WebSocket<S>, Error> {
    let incoming = Incoming::read(stream, HeadLimits::default()).await?;
    match Server::new().accept(incoming.request()) {
        Ok(accepted) => incoming.accept(&accepted, &Config::default()).await,
        Err(error) => {
            incoming.reject(&error.response()).await?;
            Err(error.into())
        }
    }
}

/// Opens a connection to a `ws` or `wss` URI over `stream`, which leads to its host, through TLS for `wss`.
///
/// # Errors
///
/// [`Error::Uri`], [`Error::Io`], [`Error::Handshake`] or [`Error::Rejected`].
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    uri: &str,
) -> Result<WebSocket<S>, Error> {
    let client = Client::new(&Uri::parse(uri)?, random::nonce());
    Ok(connect_with(stream, &client, &Config::default()).await?.0)
}

/// Opens a connection with the handshake of `client`, and says what was agreed.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Handshake`] or [`Error::Rejected`].
pub async fn connect_with<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    client: &Client,
    config: &Config,
) -> Result<(WebSocket<S>, Established), Error> {
    stream.write_all(&client.request()).await?;
    stream.flush().await?;
    let mut reader = ResponseReader::new(HeadLimits::default());
    let (response, rest) = read_head(&mut stream, |bytes| reader.receive(bytes)).await?;
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

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// Reads the request.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Handshake`] for a request that is not HTTP or too long; it has been answered.
    pub async fn read(mut stream: S, limits: HeadLimits) -> Result<Self, Error> {
        let mut reader = RequestReader::new(limits);
        let head = read_head(&mut stream, |bytes| reader.receive(bytes)).await;
        if let Err(Error::Handshake(error)) = &head {
            write_last(&mut stream, &error.response()).await?;
        }
        head.map(|(request, rest)| Self {
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
    pub async fn accept(
        mut self,
        accepted: &Accepted,
        config: &Config,
    ) -> Result<WebSocket<S>, Error> {
        self.stream.write_all(&accepted.response()).await?;
        self.stream.flush().await?;
        let connection = serve(accepted, config);
        Ok(WebSocket::new(self.stream, connection, self.rest))
    }

    /// Answers the request with another response than an upgrade, such as [`reject`](crate::handshake::reject) makes.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn reject(mut self, response: &[u8]) -> Result<(), Error> {
        Ok(write_last(&mut self.stream, response).await?)
    }
}

/// An open WebSocket connection over `S`.
///
/// It holds no buffer while it waits for a message: what is read goes through the stack. Pongs and answers to Close
/// frames are written by whichever of its futures is polled next, also by one that waits for a message. It is a [`Stream`]
/// and a [`Sink`] of messages, too.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: S,
    link: Link,
    wakers: Wakers,
    end: Option<Box<End>>,
}

/// The end of a connection: its closing handshake is done, or it has failed, and the transport is being closed.
#[derive(Debug)]
struct End {
    /// What the application has yet to hear.
    last: Option<Received>,
    deadline: Pin<Box<Sleep>>,
    shut: bool,
}

type Received = Result<Option<Event<'static>>, Error>;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Returns a connection behind its opening handshake, with the bytes that came behind the peer's head.
    pub const fn new(stream: S, connection: Connection, rest: BytesMut) -> Self {
        Self {
            stream,
            link: Link::new(connection, rest),
            wakers: Wakers::new(),
            end: None,
        }
    }

    /// Waits for the next message; `None` when the connection has ended, which [`outcome`](Self::outcome) tells about. With
    /// [`Delivery::Chunks`](crate::Delivery::Chunks) there are none: take [`read_event`](Self::read_event) then.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Protocol`] once.
    pub async fn read(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// Waits for the next event, be it a Ping, a Pong or, as the last one, a Close frame, which are answered already;
    /// `None` when the connection has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::Protocol`] once.
    pub async fn read_event(&mut self) -> Result<Option<Event<'static>>, Error> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Sends a message and waits until the stream has taken it.
    ///
    /// Dropping the future before does not take the message back: it is queued whole as soon as the future is polled.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the message if it cannot be sent, or [`Error::Io`].
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.link.connection.send(message.into())?;
        self.flush().await
    }

    /// Waits until the stream has taken all that waits to be written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_sent(cx)).await
    }

    /// Closes the connection: sends a Close frame, unless one was sent, and waits for the peer's at most as long as
    /// `deadline`. Messages that come in between are dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] for a Close frame that must not be sent, [`Error::Io`], or [`Error::Protocol`] once. A peer that
    /// does not answer in time is no error; the outcome is not clean then.
    pub async fn close(
        &mut self,
        frame: Option<CloseFrame>,
        deadline: Duration,
    ) -> Result<Option<Outcome>, Error> {
        if self.link.connection.is_open() {
            self.link.connection.close(frame)?;
        }
        // Reading writes, too; a peer that has messages to send before it reads would block what only writes.
        let ended = timeout(deadline, async {
            while self.read_event().await?.is_some() {}
            Ok::<_, Error>(())
        });
        match ended.await {
            Ok(ended) => ended?,
            Err(_) => _ = self.link.connection.receive_eof(),
        }
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

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        while let Some(event) = ready!(self.poll_event(cx))? {
            if let Some(message) = event.into_message() {
                return Poll::Ready(Ok(Some(message)));
            }
        }
        Poll::Ready(Ok(None))
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        while self.end.is_none() {
            let event = self.link.receive();
            if self.link.is_read_on(&event) {
                return Poll::Ready(event);
            }
            if !self.link.is_in_use() {
                self.end = Some(Box::new(End {
                    last: Some(event),
                    deadline: Box::pin(sleep(LINGER)),
                    shut: false,
                }));
                break;
            }
            // What was queued in answer goes out now, or as soon as the stream takes it while we wait. An error waits
            // until there is nothing more to read.
            let _ = self.poll_write(cx, User::Reader);
            if let Some(event) = event? {
                return Poll::Ready(Ok(Some(event)));
            }
            ready!(self.poll_fill(cx)).map_err(|error| self.link.first(error))?;
        }
        self.poll_end(cx)
    }

    /// Writes for the application, which hears of an error at once.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let written = ready!(self.poll_write(cx, User::Sender));
        Poll::Ready(written.map_err(|error| self.link.first(error).into()))
    }

    /// Writes all that waits, and flushes; an error ends writing.
    fn poll_write(&mut self, cx: &mut Context<'_>, user: User) -> Poll<io::Result<()>> {
        let (link, mut stream) = (&mut self.link, Pin::new(&mut self.stream));
        let written = self.wakers.poll(user, cx, |cx| {
            while let Some(taken) = link.offer(|slices| match slices {
                [slice] => stream.as_mut().poll_write(cx, slice), // a system call of less work
                _ => stream.as_mut().poll_write_vectored(cx, slices),
            })? {
                link.taken(ready!(taken)?)?;
            }
            if link.unflushed {
                ready!(stream.poll_flush(cx))?;
                link.unflushed = false;
            }
            Poll::Ready(Ok(()))
        });
        written.map_err(|error| self.link.break_off(error))
    }

    /// Reads once, straight into the memory of a long message, or through the stack.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.input = BytesMut::new(); // used up, and not to be held while waiting
        let mut memory = [MaybeUninit::uninit(); READ];
        let space = self.link.connection.space();
        let direct = space.is_some();
        let mut buffer = space.map_or_else(|| ReadBuf::uninit(&mut memory), ReadBuf::new);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
        let count = buffer.filled().len();
        match count {
            0 => _ = self.link.connection.receive_eof(),
            _ if direct => self.link.connection.filled(count),
            _ => self.link.input.extend_from_slice(buffer.filled()),
        }
        Poll::Ready(read)
    }

    /// Ends the transport, unless that takes too long, and returns what the application has yet to hear.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let Some(mut end) = self.end.take() else {
            return Poll::Ready(Ok(None));
        };
        let waiting = end.last.is_some() && self.poll_stop(cx, &mut end).is_pending();
        let waiting = waiting && end.deadline.as_mut().poll(cx).is_pending();
        let last = if waiting { None } else { end.last.take() };
        self.end = Some(end);
        if waiting {
            return Poll::Pending;
        }
        let _ = self.link.connection.receive_eof(); // whatever may come, nobody waits for it
        Poll::Ready(last.unwrap_or(Ok(None)))
    }

    /// Writes the last bytes, shuts the stream down and, where the peer is to close first, waits for that. An error ends
    /// it as well: the peer has what it needs, or cannot be reached.
    ///
    /// Dropping a stream with unread input may destroy what was written last, so this reads and ignores it.
    fn poll_stop(&mut self, cx: &mut Context<'_>, end: &mut End) -> Poll<io::Result<()>> {
        ready!(self.poll_write(cx, User::Reader))?;
        loop {
            // A stream that always has something would never let the timer run.
            if end.deadline.deadline() <= Instant::now() {
                let _ = self.link.connection.receive_eof();
            }
            let transport = self.link.connection.transport();
            if transport != Transport::AwaitEof && !end.shut {
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                end.shut = true;
            }
            if transport == Transport::Close {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_fill(cx))?;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(cx).map(Result::transpose)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = Error;

    /// Waits while the connection is congested.
    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.link.connection.is_congested() {
            ready!(self.poll_sent(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        Ok(self.link.connection.send(message)?)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_sent(cx)
    }

    /// Sends a Close frame without a code; reading the stream to its end completes the closing handshake.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.link.connection.is_open() {
            self.link.connection.close(None)?;
        }
        self.poll_sent(cx)
    }
}

/// Reads until `receive` has found a head; returns it and what came behind it.
async fn read_head<S: AsyncRead + Unpin, H>(
    stream: &mut S,
    mut receive: impl FnMut(&[u8]) -> Result<Option<(H, usize)>, HandshakeError>,
) -> Result<(H, BytesMut), Error> {
    let mut bytes = BytesMut::with_capacity(HEAD);
    while stream.read_buf(&mut bytes).await? > 0 {
        if let Some(head) = split_head(&mut bytes, &mut receive)? {
            return Ok((head, bytes));
        }
    }
    Err(io::Error::from(ErrorKind::UnexpectedEof).into())
}

/// Writes a response that no connection follows.
///
/// Dropping a stream with unread input may destroy it on its way, so this reads and ignores what comes, for a second.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the linger is a constant of seconds"
)]
async fn write_last<S>(stream: &mut S, response: &[u8]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(response).await?;
    stream.shutdown().await?;
    let end = Instant::now() + LINGER;
    while let dropped = poll_fn(|cx| poll_drop(Pin::new(&mut *stream), cx))
        && let Ok(Ok(1..)) = timeout_at(end, dropped).await
        && Instant::now() < end
    {}
    Ok(())
}

/// Reads into memory that does not outlast the call, and so takes no room in a future; returns how many bytes came.
fn poll_drop(stream: Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut memory = [MaybeUninit::uninit(); HEAD];
    let mut buffer = ReadBuf::uninit(&mut memory);
    ready!(stream.poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}
