//! Its protocol without its stream: all messages of a read into one reused vector.

use std::hint::black_box;
use std::io::{Read, Write};

use bytes::{Buf, BytesMut};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::protocol::{CompressedProtocol, Protocol};
use sockudo_ws::{DeflateConfig, Message as Theirs, Role as TheirRole};

use super::{LIMIT, Role, Socket, WRITE};
use crate::message::{Message, Tally};
use crate::transport::{Transport, now};

/// What its two kinds of protocols have in common.
trait Codec {
    fn process(&mut self, input: &mut BytesMut, messages: &mut Vec<Theirs>);
    fn encode(&mut self, message: &Theirs, out: &mut BytesMut);
    fn encode_pong(&mut self, payload: &[u8], out: &mut BytesMut);
}

macro_rules! codec {
    ($name:ty) => {
        impl Codec for $name {
            fn process(&mut self, input: &mut BytesMut, messages: &mut Vec<Theirs>) {
                self.process_into(input, messages).expect("valid frames");
            }

            fn encode(&mut self, message: &Theirs, out: &mut BytesMut) {
                self.encode_message(message, out).expect("infallible");
            }

            fn encode_pong(&mut self, payload: &[u8], out: &mut BytesMut) {
                self.encode_pong(payload, out);
            }
        }
    };
}

codec!(Protocol);
codec!(CompressedProtocol);

struct Sockudo<C> {
    transport: Transport,
    protocol: C,
    input: BytesMut,
    messages: Vec<Theirs>,
    out: BytesMut,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    opened(transport, Protocol::new(role, LIMIT, LIMIT))
}

pub(super) fn open_deflate(takeover: bool, transport: Transport) -> Box<dyn Socket> {
    let config = DeflateConfig {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        ..DeflateConfig::default()
    };
    opened(transport, CompressedProtocol::server(LIMIT, LIMIT, config))
}

fn opened<C: Codec + 'static>(transport: Transport, protocol: C) -> Box<dyn Socket> {
    Box::new(Sockudo {
        transport,
        protocol,
        input: BytesMut::new(),
        messages: Vec::new(),
        out: BytesMut::new(),
    })
}

pub(super) fn accept(mut transport: Transport) {
    let buffer = Transport::buffer();
    let mut buffer = buffer.borrow_mut();
    let count = transport.read(&mut buffer).expect("memory");
    let parsed = parse_request(&buffer[..count]).expect("a handshake");
    let (request, _) = parsed.expect("a whole head");
    let response = build_response(&generate_accept_key(request.key), None, None);
    transport.write_all(&response).expect("memory");
    black_box(Protocol::new(TheirRole::Server, LIMIT, LIMIT));
}

impl<C> Sockudo<C> {
    fn write(&mut self) {
        self.transport.write_all(&self.out).expect("memory");
        self.out.advance(self.out.len());
        self.out.clear();
    }
}

impl<C: Codec> Socket for Sockudo<C> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        while tally.count < until {
            self.input.reserve(self.transport.room());
            now(tokio::io::AsyncReadExt::read_buf(
                &mut self.transport,
                &mut self.input,
            ))
            .expect("memory");
            self.protocol.process(&mut self.input, &mut self.messages);
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
            self.protocol.encode(&theirs, &mut self.out);
            if batch == 1 || self.out.len() >= WRITE || i == count {
                self.write();
            }
        }
    }
}
