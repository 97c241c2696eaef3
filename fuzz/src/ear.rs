//! What a connection makes of its input, however it is handed over.

use std::io::Read;

use bytes::{Buf, BytesMut};
use sansocket::{
    CloseFrame, Config, Connection, Event, MessageKind, ProtocolError, Received, Role,
};

/// An event that owns its data; the chunks of a message are joined.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseFrame>),
    Failed(ProtocolError),
}

/// How bytes are handed to a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feed {
    Slice,
    Bytes,
    Space,
    Read,
    Within,
}

impl Feed {
    pub const ALL: [Self; 5] = [
        Self::Slice,
        Self::Bytes,
        Self::Space,
        Self::Read,
        Self::Within,
    ];
}

/// A connection and what was heard from it.
#[derive(Debug)]
pub struct Ear {
    pub connection: Connection,
    pub heard: Vec<Heard>,
    feed: Feed,
    shared: BytesMut,
    message: Vec<u8>,
}

impl Ear {
    #[must_use]
    pub fn new(connection: Connection, feed: Feed) -> Self {
        Self {
            connection,
            heard: Vec::new(),
            feed,
            shared: BytesMut::new(),
            message: Vec::new(),
        }
    }

    /// Hands over what one read has brought, and calls `then` behind each event.
    ///
    /// # Panics
    ///
    /// If the connection breaks a rule of receiving.
    pub fn read(&mut self, piece: &[u8], mut then: impl FnMut(&mut Connection)) {
        if self.feed == Feed::Bytes {
            self.shared.extend_from_slice(piece);
            loop {
                let event = self.connection.receive_bytes(&mut self.shared);
                let goes_on = note(&mut self.heard, &mut self.message, event);
                then(&mut self.connection);
                if !goes_on {
                    return;
                }
            }
        }
        if self.feed == Feed::Read {
            return self.read_vectored(piece, then);
        }
        let mut read = piece.to_vec();
        let mut input = &mut read[..];
        loop {
            if self.feed == Feed::Space {
                input = fill(&mut self.connection, input);
            }
            let event = if self.feed == Feed::Within {
                within(&mut self.connection, &mut input)
            } else {
                self.connection.receive(&mut input)
            };
            let goes_on = note(&mut self.heard, &mut self.message, event);
            then(&mut self.connection);
            if !goes_on && (self.failed() || input.is_empty()) {
                return;
            }
            assert!(goes_on || self.feed == Feed::Space, "all input is used");
        }
    }

    /// Hands `piece` over by [`Connection::read`], in as many reads as it takes.
    fn read_vectored(&mut self, mut piece: &[u8], mut then: impl FnMut(&mut Connection)) {
        let mut buffer = [0; 5_000];
        loop {
            let read = self
                .connection
                .read(&mut buffer, |slices| piece.read_vectored(slices));
            let (_, mut input) = read.expect("memory");
            loop {
                let event = self.connection.receive(&mut input);
                let goes_on = note(&mut self.heard, &mut self.message, event);
                then(&mut self.connection);
                if !goes_on {
                    break;
                }
            }
            if piece.is_empty() || self.failed() {
                return;
            }
        }
    }

    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.heard.last(), Some(Heard::Failed(_)))
    }
}

/// Notes an event; returns whether another may follow.
fn note(
    heard: &mut Vec<Heard>,
    message: &mut Vec<u8>,
    event: Result<Option<Event<'_>>, ProtocolError>,
) -> bool {
    if let Some(Heard::Failed(error)) = heard.last() {
        assert_eq!(event, Err(*error), "a failure stays");
        return false;
    }
    heard.push(match event {
        Ok(None) => return false,
        Ok(Some(event)) => {
            assert!(!matches!(heard.last(), Some(Heard::Close(_))));
            match event {
                Event::Text(text) => {
                    assert!(std::str::from_utf8(text.as_bytes()).is_ok());
                    Heard::Message(MessageKind::Text, text.as_bytes().to_vec())
                }
                Event::Binary(data) => Heard::Message(MessageKind::Binary, data.to_vec()),
                Event::Chunk(chunk) => {
                    message.extend_from_slice(&chunk.data);
                    if !chunk.last {
                        return true;
                    }
                    Heard::Message(chunk.kind, std::mem::take(message))
                }
                Event::Ping(payload) => Heard::Ping(payload.to_vec()),
                Event::Pong(payload) => Heard::Pong(payload.to_vec()),
                Event::Close(frame) => Heard::Close(frame),
                _ => unreachable!("there is no other event"),
            }
        }
        Err(error) => Heard::Failed(error),
    });
    !matches!(heard.last(), Some(Heard::Failed(_)))
}

/// Receives the next event in as many calls as a short budget takes.
#[expect(clippy::mut_mut, reason = "as `receive_within` takes it")]
fn within<'i>(
    connection: &mut Connection,
    input: &mut &'i mut [u8],
) -> Result<Option<Event<'i>>, ProtocolError> {
    for budget in (0..).step_by(5) {
        match connection.receive_within(input, &mut { budget })? {
            Received::Event(event) => return Ok(Some(event)),
            Received::Again => {}
            Received::Wanting => break,
        }
    }
    Ok(None)
}

/// Reads the start of `input` straight into a message, as a transport would; returns what is behind.
fn fill<'i>(connection: &mut Connection, input: &'i mut [u8]) -> &'i mut [u8] {
    let Some(space) = connection.space() else {
        return input;
    };
    let len = space.len().min(input.len());
    let (now, behind) = input.split_at_mut(len);
    space[..len].copy_from_slice(now);
    connection.filled(len);
    behind
}

/// Returns the end of a connection whose own frames have a known key.
#[must_use]
pub fn connection(role: Role, config: &Config) -> Connection {
    match role {
        Role::Client => Connection::client_with_keys(config, || [0x37, 0xfa, 0x21, 0x3d]),
        Role::Server => Connection::server(config),
    }
}

/// Takes all that waits to be written.
pub fn drain(connection: &mut Connection, wrote: &mut Vec<u8>) {
    let len = connection.buffered();
    wrote.extend_from_slice(&connection.outgoing().copy_to_bytes(len));
}
