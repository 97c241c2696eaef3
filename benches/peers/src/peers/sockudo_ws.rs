//! Its protocol without its stream: all messages of a read into one reused vector.

use std::io::Write;

use bytes::{Buf, BytesMut};
use sockudo_ws::{Message as Theirs, Role as TheirRole, protocol::Protocol};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{Transport, now};

struct Sockudo {
    transport: Transport,
    protocol: Protocol,
    input: BytesMut,
    messages: Vec<Theirs>,
    out: BytesMut,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    Box::new(Sockudo {
        transport,
        protocol: Protocol::new(role, LIMIT, LIMIT),
        input: BytesMut::new(),
        messages: Vec::new(),
        out: BytesMut::new(),
    })
}

impl Sockudo {
    fn write(&mut self) {
        self.transport.write_all(&self.out).expect("memory");
        self.out.advance(self.out.len());
        self.out.clear();
    }
}

impl Socket for Sockudo {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        while tally.count < until {
            self.input.reserve(self.transport.room());
            now(tokio::io::AsyncReadExt::read_buf(
                &mut self.transport,
                &mut self.input,
            ))
            .expect("memory");
            let processed = self
                .protocol
                .process_into(&mut self.input, &mut self.messages);
            processed.expect("valid frames");
            for message in self.messages.drain(..) {
                match message {
                    Theirs::Text(text) => tally.take(true, &text),
                    Theirs::Binary(data) => tally.take(false, &data),
                    Theirs::Ping(payload) => self.protocol.encode_pong(&payload, &mut self.out),
                    _ => {}
                }
            }
            if !self.out.is_empty() {
                self.write();
            }
        }
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        let theirs = Theirs::Binary(message.bytes.clone());
        for i in 1..=count {
            let encoded = self.protocol.encode_message(&theirs, &mut self.out);
            encoded.expect("infallible");
            if i % batch == 0 || i == count {
                self.write();
            }
        }
    }
}
