//! What lies between a stream and its connection, however the stream is driven.

use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, BytesMut};

use super::SLICES;
use super::error::Error;
use crate::connection::{Connection, Event};

/// A connection, and how far its stream has come.
///
/// An error in writing ends writing only: what the peer has sent before, perhaps a Close frame that says why, is still to
/// be read.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: Connection,
    /// What has been read and not received.
    pub(super) input: BytesMut,
    /// Whether the stream has taken bytes that it has not been asked to flush.
    pub(super) unflushed: bool,
    /// Why nothing can be written any more.
    broken: Option<ErrorKind>,
    /// The error itself, until the application hears of it.
    unheard: Option<io::Error>,
}

impl Link {
    pub(super) const fn new(connection: Connection, input: BytesMut) -> Self {
        Self {
            connection,
            input,
            unflushed: false,
            broken: None,
            unheard: None,
        }
    }

    /// Returns the next event; at the end, without one, the error that has ended writing, unless that has been heard.
    pub(super) fn receive(&mut self) -> Result<Option<Event<'static>>, Error> {
        let event = self.connection.receive_bytes(&mut self.input);
        if self.is_in_use() {
            return Ok(event?);
        }
        match (event?, self.take_error()) {
            (None, Some(error)) => Err(error.into()),
            (event, _) => Ok(event),
        }
    }

    /// Tells whether `event` goes to the application before anything is written: what has been queued waits for the rest of
    /// the input then, so that one write takes the answers to all of it. A Ping is answered at once.
    pub(super) fn is_read_on(&self, event: &Result<Option<Event<'static>>, Error>) -> bool {
        self.is_in_use()
            && matches!(
                event,
                Ok(Some(
                    Event::Text(_) | Event::Binary(_) | Event::Chunk(_) | Event::Pong(_)
                ))
            )
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.connection.transport().is_in_use()
    }

    /// Offers what waits to `write`; returns what that returned, `None` if nothing waits.
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

    /// Tells whether writing has ended.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Returns the error that has ended writing, once.
    pub(super) const fn take_error(&mut self) -> Option<io::Error> {
        self.unheard.take()
    }

    /// Returns the error that has ended writing, unless that has been heard; then `error`.
    pub(super) fn first(&mut self, error: io::Error) -> io::Error {
        self.take_error().unwrap_or(error)
    }
}
