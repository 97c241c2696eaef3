//! What `sansocket` makes of a stream.

use ::sansocket::{Config, Connection, Delivery, Event, Limits, MessageKind, ProtocolError, Role};
use bytes::{Buf, BytesMut};

use super::reference::FRAME_LIMIT;
use super::verdict::{End, Message, Verdict, close_code};
use crate::random::Random;
use crate::wire::Reads;

/// Gives a stream to an end of a connection, in one of the ways to do so.
pub fn hear(random: &mut Random, stream: &[u8], role: Role) -> Verdict {
    let config = Config::default()
        .with_delivery(random.pick(&[Delivery::Messages, Delivery::Chunks]))
        .with_limits(Limits::default().with_frame(FRAME_LIMIT));
    let connection = match role {
        Role::Client => Connection::client_with_keys(&config, || [0x5A, 0, 0xFF, 1]),
        Role::Server => Connection::server(&config),
    };
    let mut ear = Ear {
        connection,
        verdict: Verdict::default(),
        partial: Vec::new(),
    };
    let shared = random.one_in(3);
    let reads = Reads::random(random, stream.len());
    reads.cut(random, &mut stream.to_vec(), |read| {
        if shared {
            ear.hear_shared(read);
        } else {
            ear.hear(read);
        }
        true
    });
    let len = ear.connection.buffered();
    ear.verdict.code = close_code(&ear.connection.outgoing().copy_to_bytes(len));
    ear.verdict
}

struct Ear {
    connection: Connection,
    verdict: Verdict,
    partial: Vec<u8>,
}

impl Ear {
    fn hear(&mut self, read: &mut [u8]) {
        let mut input = read;
        while let Some(event) = self.connection.receive(&mut input).transpose() {
            if !self.note(event) {
                return;
            }
        }
    }

    fn hear_shared(&mut self, read: &[u8]) {
        let mut input = BytesMut::from(read);
        while let Some(event) = self.connection.receive_bytes(&mut input).transpose() {
            if !self.note(event) {
                return;
            }
        }
    }

    fn note(&mut self, event: Result<Event<'_>, ProtocolError>) -> bool {
        let (text, data) = match event {
            Ok(Event::Text(text)) => (true, text.as_bytes().to_vec()),
            Ok(Event::Binary(data)) => (false, data.to_vec()),
            Ok(Event::Chunk(chunk)) => {
                self.partial.extend_from_slice(&chunk.data);
                if !chunk.last {
                    return true;
                }
                let text = chunk.kind == MessageKind::Text;
                (text, std::mem::take(&mut self.partial))
            }
            Ok(Event::Close(_)) => {
                assert_eq!(self.verdict.end, End::Open, "a second Close");
                self.verdict.end = End::Closed;
                return true;
            }
            Ok(_) => return true,
            Err(_) => {
                self.verdict.end = End::Failed;
                return false;
            }
        };
        assert_eq!(self.verdict.end, End::Open, "a message behind the end");
        self.verdict.messages.push(Message { text, data });
        true
    }
}
