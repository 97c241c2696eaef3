//! One buffer for all messages. It leaves UTF-8 to the caller, and writes each message at once.

use std::hint::black_box;

use bytes::BytesMut;
use ratchet_rs::{
    Message as Theirs, NoExt, PayloadType, Role as TheirRole, WebSocket, WebSocketConfig,
};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{Transport, now};

struct Ratchet {
    socket: WebSocket<Transport, NoExt>,
    message: BytesMut,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    let config = WebSocketConfig {
        max_message_size: LIMIT,
    };
    Box::new(Ratchet {
        socket: WebSocket::from_upgraded(config, transport, Some(NoExt), BytesMut::new(), role),
        message: BytesMut::new(),
    })
}

pub(super) fn accept(transport: Transport) {
    now(async {
        let upgrader = ratchet_rs::accept(transport, WebSocketConfig::default()).await;
        let accepted = upgrader.expect("a handshake").upgrade().await;
        black_box(accepted.is_ok());
    });
}

impl Socket for Ratchet {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                let is_text = match self.socket.read(&mut self.message).await {
                    Ok(Theirs::Text) => true,
                    Ok(Theirs::Binary) => false,
                    Ok(_) => continue,
                    Err(error) => panic!("valid frames, not {error}"),
                };
                if is_text {
                    simdutf8::basic::from_utf8(&self.message).expect("text");
                }
                tally.take(is_text, &self.message);
                self.message.clear();
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, _: u64) {
        now(async {
            for _ in 0..count {
                let written = self.socket.write(&message.bytes, PayloadType::Binary).await;
                written.expect("memory");
            }
        });
    }
}
