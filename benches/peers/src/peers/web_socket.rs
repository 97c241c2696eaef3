//! Behind a buffered reader and writer, as its examples have it. It leaves UTF-8 and fragments to the caller.

use tokio::io::{AsyncWriteExt, BufStream};
use web_socket::{DataType, Event, MessageType, Stream, WebSocket};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{READ, Transport, now};

struct Collected {
    socket: WebSocket<BufStream<Transport>>,
    message: Vec<u8>,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let stream = BufStream::with_capacity(READ, READ, transport);
    let mut socket = match role {
        Role::Client => WebSocket::client(stream),
        Role::Server => WebSocket::server(stream),
    };
    socket.max_payload_len = LIMIT;
    Box::new(Collected {
        socket,
        message: Vec::new(),
    })
}

fn take(tally: &mut Tally, kind: MessageType, payload: &[u8]) {
    if kind.is_text() {
        simdutf8::basic::from_utf8(payload).expect("text");
    }
    tally.take(kind.is_text(), payload);
}

impl Socket for Collected {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                match self.socket.recv().await.expect("memory") {
                    Event::Data {
                        ty: DataType::Complete(kind),
                        data,
                    } => take(tally, kind, &data),
                    Event::Data {
                        ty: DataType::Stream(part),
                        data,
                    } => {
                        self.message.extend_from_slice(&data);
                        if let Stream::End(kind) = part {
                            take(tally, kind, &self.message);
                            self.message.clear();
                        }
                    }
                    Event::Ping(payload) => {
                        self.socket.send_pong(payload).await.expect("memory");
                        self.socket.stream.flush().await.expect("memory");
                    }
                    event => panic!("valid frames, not {event:?}"),
                }
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        now(async {
            for i in 1..=count {
                self.socket.send(&message.bytes[..]).await.expect("memory");
                if i % batch == 0 {
                    self.socket.stream.flush().await.expect("memory");
                }
            }
            self.socket.stream.flush().await.expect("memory");
        });
    }
}
