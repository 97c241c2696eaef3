//! What a connection makes of its input, however it is handed over.

use std::io::{self, ErrorKind, Read};

use bytes::{Buf, BytesMut};
use sansocket::{
    CloseFrame, Config, Connection, Event, MessageKind, ProtocolError, Received, Role,
};

use crate::choices::Choices;

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
    /// Each of them in turn, as chance has it, with this seed: a message begins by one and goes on by another.
    Mixed(u8),
}

impl Feed {
    pub fn choose(choices: &mut Choices<'_>) -> Self {
        match choices.byte() {
            0..0x20 => Self::Slice,
            0x20..0x40 => Self::Bytes,
            0x40..0x60 => Self::Space,
            0x60..0x80 => Self::Read,
            0x80..0xA0 => Self::Within,
            seed => Self::Mixed(seed),
        }
    }
}

/// A connection and what was heard from it.
#[derive(Debug)]
pub struct Ear {
    pub connection: Connection,
    pub heard: Vec<Heard>,
    feed: Feed,
    chance: Chance,
    shared: BytesMut,
    message: Vec<u8>,
}

/// Numbers that look like chance and are the same each time.
#[derive(Debug)]
struct Chance(u32);

impl Chance {
    /// Returns a number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

impl Ear {
    #[must_use]
    pub fn new(connection: Connection, feed: Feed) -> Self {
        Self {
            connection,
            heard: Vec::new(),
            feed,
            chance: Chance(match feed {
                Feed::Mixed(seed) => u32::from(seed).wrapping_mul(0x9E37_79B9),
                _ => 1,
            }),
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
        match self.feed {
            Feed::Slice | Feed::Space | Feed::Within => {
                self.read_slice(piece, self.feed, &mut then);
            }
            Feed::Bytes => self.read_shared(piece, &mut then),
            Feed::Read => self.read_vectored(piece, 5_000, &mut then),
            Feed::Mixed(_) => self.read_mixed(piece, &mut then),
        }
    }

    /// Hands `piece` over in pieces, each in another way; in between, reads fail.
    fn read_mixed(&mut self, mut piece: &[u8], then: &mut impl FnMut(&mut Connection)) {
        while !piece.is_empty() && !self.failed() {
            let len = self.chance.pick(&[1, 7, 200, 5_000, usize::MAX]);
            let (now, rest) = piece.split_at(len.min(piece.len()));
            piece = rest;
            if self.chance.below(4) == 0 {
                let failed = |_: &mut [io::IoSliceMut<'_>]| Err(ErrorKind::WouldBlock.into());
                let mut buffer = [0; 100];
                let read = self.connection.read(&mut buffer, failed);
                assert!(read.is_err(), "what the read said is handed on");
            }
            if self.chance.below(4) == 0 {
                let _ = self.connection.unfilled(); // the transport had nothing after all
            }
            match self.chance.below(5) {
                0 => self.read_slice(now, Feed::Slice, then),
                1 => self.read_slice(now, Feed::Space, then),
                2 => self.read_slice(now, Feed::Within, then),
                3 => self.read_shared(now, then),
                _ => {
                    let buffer = self.chance.pick(&[1, 100, 5_000]);
                    self.read_vectored(now, buffer, then);
                }
            }
        }
    }

    /// Hands `piece` over as shared memory.
    fn read_shared(&mut self, piece: &[u8], then: &mut impl FnMut(&mut Connection)) {
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

    /// Hands `piece` over as a slice, within budgets or not, or straight into a message where it has space.
    fn read_slice(&mut self, piece: &[u8], feed: Feed, then: &mut impl FnMut(&mut Connection)) {
        let space = feed == Feed::Space;
        let mut read = piece.to_vec();
        let mut input = &mut read[..];
        loop {
            if space {
                input = self.fill(input);
            }
            let event = if feed == Feed::Within {
                within(&mut self.connection, &mut input)
            } else {
                self.connection.receive(&mut input)
            };
            let goes_on = note(&mut self.heard, &mut self.message, event);
            then(&mut self.connection);
            if !goes_on && (self.failed() || input.is_empty()) {
                return;
            }
            assert!(goes_on || space, "all input is used");
        }
    }

    /// Reads the start of `input` straight into a message, as a transport would, all that there is room for or less of it;
    /// returns what is behind.
    fn fill<'i>(&mut self, input: &'i mut [u8]) -> &'i mut [u8] {
        let Some(space) = self.connection.unfilled() else {
            return input;
        };
        let mut len = space.len().min(input.len());
        if let Feed::Mixed(_) = self.feed {
            len = self.chance.pick(&[len, len / 2, len.min(1), 0]);
        }
        let (now, behind) = input.split_at_mut(len);
        space[..len].copy_from_slice(now);
        // What came of one read may be told in two parts.
        let first = match self.feed {
            Feed::Mixed(_) => self.chance.below(len + 1),
            _ => len,
        };
        self.connection.filled(first);
        self.connection.filled(len - first);
        behind
    }

    /// Hands `piece` over by [`Connection::read`], in as many reads as it takes.
    fn read_vectored(
        &mut self,
        mut piece: &[u8],
        buffer: usize,
        then: &mut impl FnMut(&mut Connection),
    ) {
        let mut buffer = vec![0; buffer];
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
