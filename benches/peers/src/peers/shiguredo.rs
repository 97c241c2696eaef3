//! Bytes in, events out; messages in, bytes out. A connection must have shaken hands before it takes frames.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::{Read, Write};
use std::rc::Rc;

use shiguredo_websocket::{
    ClientConnectionOptions, ConnectionEvent, ConnectionOutput, PerMessageDeflateConfig,
    RandomSource, ServerConnectionOptions, Timestamp, WebSocketClientConnection,
    WebSocketServerConnection,
};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::Transport;

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: peer\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const REQUEST_DEFLATE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: peer\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// It leaves the keys to the caller; a constant one is cheaper than what the others do.
struct Constant;

impl RandomSource for Constant {
    fn masking_key(&mut self) -> [u8; 4] {
        [1, 2, 3, 4]
    }

    fn nonce(&mut self) -> [u8; 16] {
        *b"the sample nonce"
    }
}

struct Shiguredo<C> {
    transport: Transport,
    connection: C,
    buffer: Rc<RefCell<Box<[u8]>>>,
}

/// What its two kinds of connections have in common.
trait Connection {
    fn feed(&mut self, bytes: &[u8]);
    fn send(&mut self, data: &[u8]);
    fn event(&mut self) -> Option<ConnectionEvent>;
    fn output(&mut self) -> Option<ConnectionOutput>;
}

macro_rules! connection {
    ($name:ty, $($now:expr)?) => {
        impl Connection for $name {
            fn feed(&mut self, bytes: &[u8]) {
                self.feed_recv_buf(bytes $(, $now)?).expect("valid frames");
            }

            fn send(&mut self, data: &[u8]) {
                self.send_binary(data).expect("an open connection");
            }

            fn event(&mut self) -> Option<ConnectionEvent> {
                self.poll_event()
            }

            fn output(&mut self) -> Option<ConnectionOutput> {
                self.poll_output()
            }
        }
    };
}

connection!(WebSocketServerConnection,);
connection!(
    WebSocketClientConnection<Constant>,
    Timestamp::from_millis(0)
);

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    match role {
        Role::Client => {
            let options = ClientConnectionOptions::new("peer", "/");
            let mut connection = WebSocketClientConnection::new(options, Constant);
            connection.connect().expect("a request");
            connection.feed(RESPONSE);
            opened(transport, connection)
        }
        Role::Server => opened(transport, server(options(), REQUEST)),
    }
}

pub(super) fn open_deflate(takeover: bool, transport: Transport) -> Box<dyn Socket> {
    let deflate = if takeover {
        PerMessageDeflateConfig::new()
    } else {
        let server = PerMessageDeflateConfig::new().server_no_context_takeover();
        server.client_no_context_takeover()
    };
    let connection = server(options().deflate(deflate), REQUEST_DEFLATE);
    opened(transport, connection)
}

pub(super) fn accept(mut transport: Transport) {
    let buffer = Transport::buffer();
    let mut buffer = buffer.borrow_mut();
    let count = transport.read(&mut buffer).expect("memory");
    let mut connection = server(options(), &buffer[..count]);
    while let Some(output) = connection.output() {
        if let ConnectionOutput::SendData(data) = output {
            transport.write_all(&data).expect("memory");
        }
    }
    black_box(connection);
}

fn options() -> ServerConnectionOptions {
    ServerConnectionOptions::new()
        .max_frame_size(LIMIT)
        .max_message_size(LIMIT)
}

fn server(options: ServerConnectionOptions, request: &[u8]) -> WebSocketServerConnection {
    let mut connection = WebSocketServerConnection::new(options);
    connection.feed(request);
    connection.accept_handshake_auto().expect("a response");
    connection
}

fn opened<C: Connection + 'static>(transport: Transport, mut connection: C) -> Box<dyn Socket> {
    while connection.output().is_some() {}
    while connection.event().is_some() {}
    Box::new(Shiguredo {
        transport,
        connection,
        buffer: Transport::buffer(),
    })
}

impl<C: Connection> Shiguredo<C> {
    fn write(&mut self) {
        while let Some(output) = self.connection.output() {
            if let ConnectionOutput::SendData(data) = output {
                self.transport.write_all(&data).expect("memory");
            }
        }
    }
}

impl<C: Connection> Socket for Shiguredo<C> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        let buffer = Rc::clone(&self.buffer);
        let mut buffer = buffer.borrow_mut();
        while tally.count < until {
            let count = self.transport.read(&mut buffer).expect("memory");
            self.connection.feed(&buffer[..count]);
            while let Some(event) = self.connection.event() {
                match event {
                    ConnectionEvent::TextMessage(text) => tally.take(true, text.as_bytes()),
                    ConnectionEvent::BinaryMessage(data) => tally.take(false, &data),
                    _ => {}
                }
            }
            self.write();
        }
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        for i in 1..=count {
            self.connection.send(&message.bytes);
            if i % batch == 0 || i == count {
                self.write();
            }
        }
    }
}
