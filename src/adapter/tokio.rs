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
//! All futures except those of the opening handshake are cancel safe: all bytes stay with the [`WebSocket`], so that futures can stand in a `select!`. An opening handshake ends within a time, 10 seconds where nothing
//! else is said; bytes that it has read are gone with the stream. The runtime must have its time driver enabled.
//!
//! A poll does bounded work: 64 events, 64 KiB read, 256 KiB inflated or 256 KiB written. Then it wakes its own task and
//! returns `Pending`, because a stream that is always ready, such as one of QUIC, would else keep timers and other tasks from
//! running.

use alloc::boxed::Box;
use core::future::poll_fn;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, ErrorKind};

use ::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use ::tokio::time::error::Elapsed;
use ::tokio::time::{self, Instant, Sleep, sleep, timeout_at};
use bytes::BytesMut;
use futures_core::Stream;
use futures_sink::Sink;

use super::error::Error;
use super::link::Link;
use super::opening::{HEAD, cut, open, split_head};
use super::wakers::{Purpose, User, Wakers};
use super::{HANDSHAKE, LINGER, LINGER_BYTES, READ};
use crate::close::CloseFrame;
use crate::config::Config;
use crate::connection::{Connection, Event, Outcome, Received, TransportAction};
use crate::error::ProtocolError;
use crate::handshake::{
    Accepted, Client, Established, HandshakeError, HeadLimits, Request, RequestReader,
    ResponseReader, Server, Uri,
};
use crate::message::{Message, Outbound};
use crate::random;

/// Accepts a connection from a browser's page of the same origin, or from a client that is no browser, within 10 seconds;
/// see [`Incoming`] for anything else.
///
/// # Errors
///
/// [`Error::Io`], [`Error::UnexpectedEof`], or [`Error::Handshake`] when the client has been refused.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<WebSocket<S>, Error> {
    let incoming = Incoming::read(stream, HeadLimits::default(), HANDSHAKE).await?;
    match Server::new().accept(incoming.request()) {
        Ok(accepted) => incoming.accept(&accepted, &Config::default()).await,
        Err(error) => {
            incoming.reject(&error.response()).await?;
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
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    uri: &str,
) -> Result<WebSocket<S>, Error> {
    let client = Client::new(&Uri::parse(uri)?, random::nonce());
    let config = Config::default();
    Ok(connect_with(stream, &client, &config, HANDSHAKE).await?.0)
}

/// Opens a connection with the handshake of `client` within `timeout`, and returns the agreement as well.
///
/// # Errors
///
/// [`Error::Io`], of the kind `TimedOut` if the time has run out, [`Error::UnexpectedEof`], [`Error::Handshake`] or
/// [`Error::Rejected`].
pub async fn connect_with<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    client: &Client,
    config: &Config,
    timeout: Duration,
) -> Result<(WebSocket<S>, Established), Error> {
    let head = time::timeout(timeout, async {
        write_head(&mut stream, &client.request()).await?;
        let mut reader = ResponseReader::new(HeadLimits::default());
        read_head(&mut stream, |bytes| reader.receive(bytes)).await
    });
    let (response, rest) = in_time(head.await)?;
    let (connection, established) = open(client, response, &rest, config)?;
    Ok((WebSocket::new(stream, connection, rest), established))
}

/// A client's request, to be accepted or rejected, or answered as the ordinary HTTP request that it may be.
#[derive(Debug)]
pub struct Incoming<S> {
    stream: S,
    request: Request,
    rest: BytesMut,
    timeout: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// Reads the request within `timeout`; [`accept`](Self::accept) and [`reject`](Self::reject) have as long again.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], of the kind `TimedOut` if the time has run out, [`Error::UnexpectedEof`], or [`Error::Handshake`] for a
    /// request that is not HTTP or too long; it has been answered.
    pub async fn read(mut stream: S, limits: HeadLimits, timeout: Duration) -> Result<Self, Error> {
        let mut reader = RequestReader::new(limits);
        let receive = |bytes: &[u8]| reader.receive(bytes);
        // In a box, so that the task of an open connection has no room for it.
        let head = Box::pin(time::timeout(timeout, read_head(&mut stream, receive)));
        let head = in_time(head.await);
        if let Err(Error::Handshake(error)) = &head {
            Box::pin(write_last(&mut stream, &error.response(), timeout)).await?;
        }
        head.map(|(request, rest)| Self {
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
    pub async fn accept(
        mut self,
        accepted: &Accepted,
        config: &Config,
    ) -> Result<WebSocket<S>, Error> {
        let response = accepted.response();
        let written = write_head(&mut self.stream, &response);
        let written = Box::pin(time::timeout(self.timeout, written));
        in_time(written.await)?;
        let connection = accepted.connection(config);
        Ok(WebSocket::new(self.stream, connection, self.rest))
    }

    /// Answers the request with another response than an upgrade, such as [`reject`](crate::handshake::reject) makes.
    ///
    /// Then it shuts the stream down for writing, and reads and ignores the client's bytes for a second, or 4 MiB, because the
    /// operating system would destroy a response whose client is still sending.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn reject(mut self, response: &[u8]) -> Result<(), Error> {
        Box::pin(write_last(&mut self.stream, response, self.timeout)).await
    }
}

/// An open WebSocket connection over `S`.
///
/// It holds no buffer while it waits for a message, because reads go through the stack. Pongs and answers to Close
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
    /// The error that the application has yet to hear of.
    error: Option<ProtocolError>,
    deadline: Pin<Box<Sleep>>,
    shut: bool,
    done: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Returns a connection behind its opening handshake, with the bytes that came behind the peer's head.
    pub fn new(stream: S, connection: Connection, rest: BytesMut) -> Self {
        Self {
            stream,
            link: Link::new(connection, rest),
            wakers: Wakers::new(),
            end: None,
        }
    }

    /// Waits for the next message; `None` when the peer has closed the connection, which [`outcome`](Self::outcome) tells
    /// about. With [`Delivery::Chunks`](crate::Delivery::Chunks) there are none: take [`read_event`](Self::read_event) then.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; once [`Error::Protocol`], or [`Error::UnexpectedEof`] if the stream has ended without the peer's Close
    /// frame. Behind an error comes `None`.
    pub async fn read(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// Waits for the next event, be it a Ping, a Pong or, as the last one, a Close frame, which are answered already;
    /// `None` when the peer has closed the connection. Call it until then, because the end of the stream comes behind the
    /// Close frame.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub async fn read_event(&mut self) -> Result<Option<Event<'static>>, Error> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Sends a message and waits until the stream has taken it.
    ///
    /// If you drop the future, the message is still sent. It does not read meanwhile: if the peer does the same with a message of
    /// its own, and both are longer than the buffers of the stream, both wait for ever. Then read in another task, by
    /// [`StreamExt::split`](https://docs.rs/futures/latest/futures/stream/trait.StreamExt.html#method.split), or put a timeout
    /// around it and read.
    ///
    /// # Errors
    ///
    /// [`Error::Unsent`] with the message if it cannot be sent, or [`Error::Io`].
    pub async fn send(&mut self, message: impl Into<Outbound>) -> Result<(), Error> {
        self.link.connection.send(message)?;
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

    /// Closes the connection: sends a Close frame, unless one was sent, and waits for the peer's within `timeout`. Messages
    /// that come in between are dropped.
    ///
    /// To hear them, queue a Close frame by [`connection_mut`](Self::connection_mut) and read until the end.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] for a Close frame that must not be sent, [`Error::Io`], or [`Error::Protocol`] once. A peer that does
    /// not answer in time, or ends the stream, is no error; the outcome is not clean then.
    pub async fn close(
        &mut self,
        frame: Option<CloseFrame>,
        timeout: Duration,
    ) -> Result<Option<Outcome>, Error> {
        if self.link.connection.is_open() {
            self.link.connection.close(frame)?;
        }
        let deadline = deadline(timeout);
        // Reading writes, too; a peer that has messages to send before it reads would block what only writes.
        let ended = poll_fn(|cx| {
            // A stream that always has something may keep the timer from running.
            if Instant::now() >= deadline {
                return Poll::Ready(Ok(false));
            }
            while ready!(self.poll_event(cx))?.is_some() {}
            Poll::Ready(Ok(true))
        });
        match timeout_at(deadline, ended).await.unwrap_or(Ok(false)) {
            Ok(true) | Err(Error::UnexpectedEof(_)) => {}
            Ok(false) => self.give_up(),
            Err(error) => return Err(error),
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
    pub const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.link.connection
    }

    /// Returns the stream.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Returns the stream, the connection, and the bytes that have been read and not received.
    pub fn into_parts(self) -> (S, Connection, BytesMut) {
        let (connection, rest) = self.link.into_parts();
        (self.stream, connection, rest)
    }

    /// Ends a connection whose peer takes too long to close it; the application knows.
    fn give_up(&mut self) {
        self.link.receive_eof();
        let _ = self.link.end();
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        while let Some(event) = ready!(self.poll_event(cx))? {
            if let Some(message) = event.into_message() {
                return Poll::Ready(Ok(Some(message)));
            }
        }
        Poll::Ready(Ok(None))
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event<'static>>, Error>> {
        let polled = self.poll_next_event(cx);
        if polled.is_pending() {
            self.link.rest();
        }
        polled
    }

    fn poll_next_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Event<'static>>, Error>> {
        while self.end.is_none() && self.link.is_in_use() {
            match self.link.receive() {
                Ok(Received::Event(event)) => {
                    if !Link::is_read_on(&event) {
                        self.write_some(cx);
                    }
                    return Poll::Ready(Ok(Some(event)));
                }
                Ok(Received::Again) => return yield_now(cx),
                Ok(Received::Wanting) => {
                    self.write_some(cx);
                    let read = ready!(self.poll_fill(cx));
                    read.map_err(|error| self.link.fail(error))?;
                }
                Err(error) => self.end = Some(Box::new(End::new(Some(error)))),
            }
        }
        self.poll_end(cx)
    }

    /// Writes as many queued bytes as the stream takes now; the rest goes out while we wait. An error waits until
    /// there is nothing more to read.
    fn write_some(&mut self, cx: &Context<'_>) {
        let _ = self.poll_write(cx, User::Reader);
    }

    /// Writes for the application, which hears of an error at once.
    fn poll_sent(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let written = ready!(self.poll_write(cx, User::SendHalf));
        Poll::Ready(written.map_err(|error| self.link.first(error).into()))
    }

    /// Writes all that waits, and flushes; an error ends writing.
    fn poll_write(&mut self, cx: &Context<'_>, user: User) -> Poll<io::Result<()>> {
        let (link, mut stream) = (&mut self.link, Pin::new(&mut self.stream));
        let written = self.wakers.poll(user, Purpose::Write, cx, |cx| {
            let mut left = WRITE;
            while let Some(taken) = link.offer(|slices| match slices {
                [slice] => stream.as_mut().poll_write(cx, slice), // a system call of less work
                _ => stream.as_mut().poll_write_vectored(cx, slices),
            })? {
                let count = ready!(taken)?;
                link.taken(count)?;
                left = left.saturating_sub(count);
                if left == 0 {
                    return yield_now(cx);
                }
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
    fn poll_fill(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.link.free_input();
        let (stream, wakers) = (Pin::new(&mut self.stream), &mut self.wakers);
        let poll = |buffer: &mut ReadBuf<'_>| {
            wakers.poll(User::Reader, Purpose::Read, cx, |cx| {
                stream.poll_read(cx, buffer)
            })
        };
        if let Some(space) = self.link.connection.unfilled() {
            let mut buffer = ReadBuf::new(space);
            ready!(poll(&mut buffer))?;
            let count = buffer.filled().len();
            self.link.filled(count);
        } else {
            let mut memory = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut memory);
            ready!(poll(&mut buffer))?;
            self.link.read(buffer.filled());
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the transport, unless that takes too long, and tells the application how reading ends.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event<'static>>, Error>> {
        let end = self.end.take();
        let mut end = end.unwrap_or_else(|| Box::new(End::new(None)));
        if !end.done {
            let waiting = self.poll_stop(cx, &mut end).is_pending()
                && end.deadline.as_mut().poll(cx).is_pending();
            if waiting {
                self.end = Some(end);
                return Poll::Pending;
            }
            end.done = true;
            self.link.receive_eof(); // whatever may come, nobody waits for it
        }
        let error = end.error.take();
        self.end = Some(end);
        Poll::Ready(match error {
            Some(error) => Err(error.into()),
            None => self.link.end().map(|()| None),
        })
    }

    /// Writes the last bytes, shuts the stream down and, where the peer is to close first, waits for that. An error ends
    /// it as well, because the peer has all bytes or cannot be reached.
    ///
    /// Dropping a stream with unread input may destroy the last bytes written, so this reads and ignores input.
    fn poll_stop(&mut self, cx: &mut Context<'_>, end: &mut End) -> Poll<io::Result<()>> {
        ready!(self.poll_write(cx, User::Reader))?;
        loop {
            let transport = self.link.connection.transport_action();
            if transport != TransportAction::AwaitEof && !end.shut {
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                end.shut = true;
            }
            if transport == TransportAction::Close {
                return Poll::Ready(Ok(()));
            }
            // A stream that always has something would never let the timer run.
            if end.deadline.deadline() <= Instant::now() {
                self.link.receive_eof();
            } else if self.link.is_tired() {
                return yield_now(cx);
            } else {
                ready!(self.poll_fill(cx))?;
            }
        }
    }
}

impl End {
    fn new(error: Option<ProtocolError>) -> Self {
        Self {
            error,
            deadline: Box::pin(sleep(LINGER)),
            shut: false,
            done: false,
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

/// Reads until `receive` has found a head; returns the head and the bytes behind it.
async fn read_head<S: AsyncRead + Unpin, H>(
    stream: &mut S,
    mut receive: impl FnMut(&[u8]) -> Result<Option<(H, usize)>, HandshakeError>,
) -> Result<(H, BytesMut), Error> {
    let mut bytes = BytesMut::with_capacity(HEAD);
    let mut begun = false;
    while stream.read_buf(&mut bytes).await? > 0 {
        begun = true;
        if let Some(head) = split_head(&mut bytes, &mut receive)? {
            return Ok((head, bytes));
        }
    }
    Err(cut(begun).into())
}

/// Writes a head.
async fn write_head<S: AsyncWrite + Unpin>(stream: &mut S, head: &[u8]) -> Result<(), Error> {
    stream.write_all(head).await?;
    Ok(stream.flush().await?)
}

/// Writes a response that no connection follows.
///
/// Dropping a stream with unread input may destroy it on its way, so this reads and ignores input. The future is large
/// and seldom needed: callers box it, so that an open connection's task is not as large.
async fn write_last<S>(stream: &mut S, response: &[u8], timeout: Duration) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let written = time::timeout(timeout, async {
        stream.write_all(response).await?;
        Ok(stream.shutdown().await?)
    });
    in_time(written.await)?;
    let end = deadline(LINGER);
    let mut left = LINGER_BYTES;
    while let dropped = poll_fn(|cx| poll_drop(Pin::new(&mut *stream), cx))
        && let Ok(Ok(count @ 1..)) = timeout_at(end, dropped).await
        && Instant::now() < end
        && left > count
    {
        left = left.saturating_sub(count);
    }
    Ok(())
}

/// Reads into memory that does not outlast the call, and so takes no room in a future; returns how many bytes came.
fn poll_drop(stream: Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut memory = [MaybeUninit::uninit(); HEAD];
    let mut buffer = ReadBuf::uninit(&mut memory);
    ready!(stream.poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// Lets other tasks and timers have their turn.
fn yield_now<T>(cx: &Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Returns what became of a part of an opening handshake that had to end in time.
///
/// Called behind the `await` and not around the future, which would be stored twice.
fn in_time<T>(done: Result<Result<T, Error>, Elapsed>) -> Result<T, Error> {
    done.unwrap_or_else(|_| Err(io::Error::from(ErrorKind::TimedOut).into()))
}

/// Returns when `timeout` has passed.
fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now)
}

/// How many bytes a poll writes before others have their turn.
const WRITE: usize = 256 << 10;
