//! The state between a stream and its connection that both adapters share.

use core::mem;
use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, BytesMut};

use super::SLICES;
use super::error::Error;
use crate::connection::{Connection, Event, Received};
use crate::error::{ProtocolError, UnexpectedEof};

/// A connection, and how far its stream has come.
///
/// An error in writing ends writing only: the peer may have sent more before, perhaps a Close frame that says why, which is
/// still to be read.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: Connection,
    /// The bytes that have been read and not received.
    input: BytesMut,
    /// How much memory the input has, that of delivered payloads included.
    memory: usize,
    /// Whether the stream has taken bytes that it has not been asked to flush.
    pub(super) unflushed: bool,
    work: Work,
    /// Why nothing can be written any more.
    broken: Option<ErrorKind>,
    /// The error itself, until the application hears of it.
    unheard: Option<io::Error>,
    end: End,
}

/// How the application hears of the end of the connection.
#[derive(Debug)]
enum End {
    /// The peer's Close frame has not been received.
    Torn(UnexpectedEof),
    /// The peer's Close frame has been received, or an error has been told.
    Told,
}

/// The work that may still be done before other tasks and deadlines have their turn.
#[derive(Debug)]
struct Work {
    events: u8,
    /// In bytes, as is the next one.
    read: usize,
    inflated: usize,
}

impl Work {
    /// 64 events take some microseconds, 64 KiB read and 256 KiB inflated less than a millisecond.
    const TURN: Self = Self {
        events: 64,
        read: 64 << 10,
        inflated: 256 << 10,
    };

    fn is_done(&self) -> bool {
        self.events == 0 || self.read == 0
    }
}

impl Link {
    pub(super) fn new(connection: Connection, input: BytesMut) -> Self {
        let end = if connection.is_listening() {
            End::Torn(UnexpectedEof::BetweenMessages)
        } else {
            End::Told
        };
        Self {
            connection,
            memory: input.capacity(),
            input,
            unflushed: false,
            work: Work::TURN,
            broken: None,
            unheard: None,
            end,
        }
    }

    /// Returns the connection, and the bytes that have been read and not received.
    pub(super) fn into_parts(self) -> (Connection, BytesMut) {
        (self.connection, self.input)
    }

    /// Returns the next event; [`Received::Again`] also where enough was done for this turn.
    pub(super) fn receive(&mut self) -> Result<Received<'static>, ProtocolError> {
        if self.work.is_done() {
            return Ok(Received::Again);
        }
        let inflated = &mut self.work.inflated;
        let received = self
            .connection
            .receive_bytes_within(&mut self.input, inflated);
        match received {
            Ok(Received::Event(event)) => {
                self.work.events = self.work.events.saturating_sub(1);
                if let Event::Close(_) = event {
                    self.end = End::Told;
                }
                Ok(Received::Event(event.compact(self.memory)))
            }
            Err(error) => {
                self.end = End::Told;
                Err(error)
            }
            received => received,
        }
    }

    /// Tells whether enough was done for this turn.
    #[cfg(feature = "tokio")]
    pub(super) fn is_tired(&self) -> bool {
        self.work.is_done()
    }

    /// Begins another turn.
    pub(super) const fn rest(&mut self) {
        self.work = Work::TURN;
    }

    /// Takes the bytes of a read through the stack; none is the end of the stream.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return self.receive_eof();
        }
        self.input = BytesMut::from(bytes);
        self.memory = self.input.capacity();
        self.work.read = self.work.read.saturating_sub(bytes.len());
    }

    /// Takes note of how many bytes have been read into [`Connection::space`].
    pub(super) fn filled(&mut self, count: usize) {
        if count == 0 {
            return self.receive_eof();
        }
        self.connection.filled(count);
        self.work.read = self.work.read.saturating_sub(count);
    }

    /// Frees the memory of the input, which is used up and is not to be held while waiting.
    pub(super) fn free_input(&mut self) {
        self.input = BytesMut::new();
    }

    /// Takes note that nothing more can be read.
    pub(super) fn receive_eof(&mut self) {
        if let (Err(eof), End::Torn(torn)) = (self.connection.receive_eof(), &mut self.end) {
            *torn = eof;
        }
    }

    /// Returns how reading ends: without an error only if the peer's Close frame was received, and any error once.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        match mem::replace(&mut self.end, End::Told) {
            End::Told => Ok(()),
            End::Torn(eof) => Err(match self.unheard.take() {
                Some(error) => error.into(),
                None => eof.into(),
            }),
        }
    }

    /// Ends reading for an error of the stream; returns the first error of the stream that the application has not heard.
    pub(super) fn fail(&mut self, error: io::Error) -> Error {
        self.receive_eof();
        self.end = End::Told;
        self.first(error).into()
    }

    /// Tells whether `event` goes to the application before anything is written: queued bytes wait for the rest of the
    /// input then, so that one write takes the answers to all of it. A Ping or Close frame is answered at once.
    pub(super) const fn is_read_on(event: &Event<'_>) -> bool {
        !matches!(event, Event::Ping(_) | Event::Close(_))
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.connection.transport_action().is_in_use()
    }

    /// Offers the queued bytes to `write` and returns its result; `None` if the queue is empty.
    ///
    /// # Errors
    ///
    /// The one that has ended writing.
    #[expect(
        clippy::indexing_slicing,
        reason = "no more slices are filled than there are"
    )]
    pub(super) fn offer<T>(
        &mut self,
        write: impl FnOnce(&[IoSlice<'_>]) -> T,
    ) -> io::Result<Option<T>> {
        if let Some(kind) = self.broken {
            self.connection.drop_outgoing();
            return Err(kind.into());
        }
        let outgoing = self.connection.outgoing();
        if !outgoing.has_remaining() {
            return Ok(None);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = outgoing.chunks_vectored(&mut slices);
        Ok(Some(write(&slices[..count])))
    }

    /// Says how many bytes of the offer have been taken; none is an error, as in `write_all`.
    pub(super) fn taken(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        self.connection.outgoing().advance(count);
        self.unflushed = true;
        Ok(())
    }

    /// Ends writing, and remembers why; returns an error of the same kind.
    pub(super) fn break_off(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        if self.broken.is_none() {
            self.broken = Some(kind);
            self.unheard = Some(error);
            self.connection.drop_outgoing();
        }
        kind.into()
    }

    /// Returns the error that has ended writing, unless that has been heard; then `error`.
    pub(super) fn first(&mut self, error: io::Error) -> io::Error {
        self.unheard.take().unwrap_or(error)
    }
}
