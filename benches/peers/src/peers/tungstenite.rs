//! Its buffer of 4 KiB, which is faster than the default of 128 KiB: it zeroes the room before each read.

use std::hint::black_box;

use tungstenite::protocol::{Role as TheirRole, WebSocket, WebSocketConfig};
use tungstenite::{Message as Theirs, Utf8Bytes};

use super::{Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::Transport;

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let config = WebSocketConfig::default().read_buffer_size(4 << 10);
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    Box::new(WebSocket::from_raw_socket(transport, role, Some(config)))
}

pub(super) fn accept(transport: Transport) {
    let config = WebSocketConfig::default().read_buffer_size(4 << 10);
    let accepted = tungstenite::accept_with_config(transport, Some(config));
    black_box(accepted.is_ok());
}

impl Socket for WebSocket<Transport> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        while tally.count < until {
            match self.read().expect("valid frames") {
                Theirs::Text(text) => tally.take(true, text.as_bytes()),
                Theirs::Binary(data) => tally.take(false, &data),
                _ => self.flush().expect("memory"),
            }
        }
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        for i in 1..=count {
            let bytes = message.bytes.clone();
            let message = if message.is_text {
                Theirs::Text(Utf8Bytes::try_from(bytes).expect("text"))
            } else {
                Theirs::Binary(bytes)
            };
            self.write(message).expect("memory");
            if i % batch == 0 {
                self.flush().expect("memory");
            }
        }
        self.flush().expect("memory");
    }
}
