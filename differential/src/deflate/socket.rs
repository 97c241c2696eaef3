//! What `sansocket` makes of a stream.

use bytes::{Buf, BytesMut};
use sansocket::deflate::Params;
use sansocket::{Config, Connection, Delivery, Event, ProtocolError, Role};

use super::stream::Stream;
use crate::random::Random;
use crate::wire::{Reads, push_message};

/// What was heard.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Heard {
    pub messages: Vec<Vec<u8>>,
    /// What was delivered of a message that did not end.
    pub partial: Vec<u8>,
    pub error: Option<ProtocolError>,
    /// The code in our Close frame.
    pub code: Option<u16>,
}

/// Sends a stream through the network to an end of a connection, and returns what that hears.
pub fn hear(random: &mut Random, stream: &Stream) -> Heard {
    let role = random.pick(&[Role::Client, Role::Server]);
    let config =
        Config::default().with_delivery(random.pick(&[Delivery::Messages, Delivery::Chunks]));
    let params = Params::default()
        .with_server_no_context_takeover(!stream.takeover)
        .with_client_no_context_takeover(!stream.takeover);
    let config = config.with_deflate(params);
    let connection = match role {
        Role::Client => Connection::client_with_keys(&config, || [0; 4]),
        Role::Server => Connection::server(&config),
    };
    let mut ear = Ear {
        connection,
        heard: Heard::default(),
    };
    let mut wire = Vec::new();
    for message in &stream.messages {
        push_message(random, role, message, &mut wire);
    }
    let reads = Reads::random(random, wire.len());
    let shared = random.one_in(2);
    reads.cut(random, &mut wire, |read| {
        if shared {
            ear.hear_shared(read);
        } else {
            ear.hear(read);
        }
        ear.heard.error.is_none()
    });
    ear.heard.code = close_code(&mut ear.connection);
    ear.heard
}

struct Ear {
    connection: Connection,
    heard: Heard,
}

impl Ear {
    fn hear(&mut self, read: &mut [u8]) {
        let mut input = read;
        while let Some(event) = self.connection.receive(&mut input).transpose() {
            if !self.heard.note(event) {
                return;
            }
        }
    }

    fn hear_shared(&mut self, read: &[u8]) {
        let mut input = BytesMut::from(read);
        while let Some(event) = self.connection.receive_bytes(&mut input).transpose() {
            if !self.heard.note(event) {
                return;
            }
        }
    }
}

impl Heard {
    fn note(&mut self, event: Result<Event<'_>, ProtocolError>) -> bool {
        match event {
            Ok(Event::Binary(data)) => self.messages.push(data.to_vec()),
            Ok(Event::Chunk(chunk)) => {
                self.partial.extend_from_slice(&chunk.data);
                if chunk.last {
                    self.messages.push(std::mem::take(&mut self.partial));
                }
            }
            Ok(_) => {} // Pings
            Err(error) => self.error = Some(error),
        }
        self.error.is_none()
    }
}

/// Returns the code of the Close frame behind the Pongs that wait to be written.
fn close_code(connection: &mut Connection) -> Option<u16> {
    let len = connection.buffered();
    let mut frames = connection.outgoing().copy_to_bytes(len);
    while frames.has_remaining() {
        let (first, second) = (frames.get_u8(), frames.get_u8());
        if second & 0x80 != 0 {
            frames.advance(4); // the key of zeros
        }
        let mut payload = frames.split_to((second & 0x7F).into());
        if first == 0x88 {
            return payload.has_remaining().then(|| payload.get_u16());
        }
    }
    None
}
