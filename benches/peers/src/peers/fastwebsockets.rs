//! Frames gathered to messages; borrowed payloads, written by vectored writes.

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role as TheirRole, WebSocket};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{Transport, now};

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    let mut socket = WebSocket::after_handshake(transport, role);
    socket.set_max_message_size(LIMIT);
    socket.set_writev(true);
    Box::new(FragmentCollector::new(socket))
}

impl Socket for FragmentCollector<Transport> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                let frame = self.read_frame().await.expect("valid frames");
                match frame.opcode {
                    OpCode::Text => tally.take(true, &frame.payload),
                    OpCode::Binary => tally.take(false, &frame.payload),
                    _ => {}
                }
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, _: u64) {
        now(async {
            for _ in 0..count {
                let frame = Frame::binary(Payload::Borrowed(&message.bytes));
                self.write_frame(frame).await.expect("memory");
            }
        });
    }
}
