//! That peers do what is measured.

use std::sync::{Arc, Mutex};

use sansocket::Opcode;
use sansocket::handshake::accept_key;

use super::run::in_form;
use super::{PIECES, PINGS, Task, Workload, batch, pings, request};
use crate::message::{Kind, Message, Tally, compressed, inflated, payloads};
use crate::peers::{Peer, Role, Socket};
use crate::transport::{READ, Transport};

impl Workload {
    /// Checks that the peer does what is measured.
    ///
    /// # Panics
    ///
    /// If a message has come as another one, or was sent as another one.
    pub fn check(&self, peer: &Peer, size: usize) {
        if peer.is_bound {
            return;
        }
        if let Task::Pieces { .. } = self.task
            && PIECES[size].ping_after.is_some()
            && !peer.answers_pings
        {
            return;
        }
        if let Some(received) = self.received(size) {
            let socket = if let Task::Forms { .. } = self.task {
                in_form(peer, size, &received)
            } else {
                Some((peer.open)(Role::Server, received.transport()))
            };
            if let Some(socket) = socket {
                check_receiving(socket, received.messages);
            }
            return;
        }
        let written = Arc::new(Mutex::new(Vec::new()));
        match self.task {
            Task::Send { role, writes } => {
                let message = Message::new(Kind::Binary, size);
                let count = enough(size);
                let transport = Transport::silent().keeping(&written);
                (peer.open)(role, transport).send(&message, count, batch(size, writes));
                let sent = payloads(&take(&written));
                assert_eq!(sent.len() as u64, count, "messages sent");
                assert_all(&sent, Opcode::Binary, &message);
            }
            Task::Pings { .. } if !peer.answers_pings => {}
            Task::Pings { reads } => {
                let transport = pings(size, reads).keeping(&written);
                let message = Message::new(Kind::Binary, size);
                check_receiving((peer.open)(Role::Server, transport), vec![message.clone()]);
                let sent = payloads(&take(&written));
                // The last one may wait for the next call.
                assert!(
                    sent.len() as u64 + 1 >= enough(size) * PINGS as u64,
                    "pongs sent"
                );
                assert_all(&sent, Opcode::Pong, &message);
            }
            Task::Inflate { takeover } => check_inflating(peer, takeover, size),
            Task::Deflate { .. } => {
                self.wire_len(peer, size);
            }
            Task::Handshake => check_handshake(peer, size),
            _ => unreachable!("all others only receive"),
        }
    }

    /// Returns how many bytes a compressed message takes with its frame, once it is clear that it is the one that was sent.
    ///
    /// # Panics
    ///
    /// If it is another one.
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub fn wire_len(&self, peer: &Peer, size: usize) -> Option<f64> {
        let Task::Deflate { takeover } = self.task else {
            return None;
        };
        let written = Arc::new(Mutex::new(Vec::new()));
        let transport = Transport::silent().keeping(&written);
        let mut socket = peer.open_deflate(takeover, transport)?;
        let messages = Message::stream(size);
        for message in &messages {
            socket.send(message, 1, 1);
        }
        let written = take(&written);
        let len = written.len();
        let sent = inflated(written, takeover);
        let is_right = sent
            .iter()
            .zip(&messages)
            .all(|(sent, message)| message.bytes == sent);
        assert!(
            sent.len() == messages.len() && is_right,
            "{} {}",
            peer.name,
            self.name
        );
        Some(len as f64 / messages.len() as f64)
    }
}

fn take(written: &Mutex<Vec<u8>>) -> Vec<u8> {
    std::mem::take(&mut written.lock().expect("one thread"))
}

fn assert_all(sent: &[(Opcode, Vec<u8>)], kind: Opcode, message: &Message) {
    let is_right =
        |(opcode, payload): &(Opcode, Vec<u8>)| *opcode == kind && message.bytes == payload;
    assert!(sent.iter().all(is_right), "a frame was sent as another one");
}

fn check_inflating(peer: &Peer, takeover: bool, size: usize) {
    let messages = Message::stream(size);
    let transport = Transport::new(compressed(&messages, takeover).into(), READ);
    let Some(mut socket) = peer.open_deflate(takeover, transport) else {
        return;
    };
    // Twice, as the stream follows itself where it is measured.
    let count = 2 * messages.len() as u64;
    let mut tally = Tally {
        expected: messages,
        ..Default::default()
    };
    socket.receive(count, &mut tally);
    assert!(tally.count >= count, "messages received");
}

fn check_handshake(peer: &Peer, size: usize) {
    let Some(accept) = peer.accept else { return };
    let written = Arc::new(Mutex::new(Vec::new()));
    let wire: Arc<[u8]> = request(size).as_bytes().into();
    accept(Transport::new(wire, size).keeping(&written));
    let response = String::from_utf8(take(&written)).expect("a head is ASCII");
    let key = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
    let key = str::from_utf8(&key).expect("base64");
    assert!(
        response.starts_with("HTTP/1.1 101 ") && response.contains(key),
        "{response}"
    );
    assert!(response.ends_with("\r\n\r\n"), "{response}");
}

/// Returns so many messages that they are cut in every way.
fn enough(size: usize) -> u64 {
    ((4 << 20) / size as u64).clamp(3, 10_000)
}

fn check_receiving(mut socket: Box<dyn Socket>, messages: Vec<Message>) {
    let count = enough(messages[0].bytes.len());
    let mut tally = Tally {
        expected: messages,
        ..Default::default()
    };
    socket.receive(count, &mut tally);
    assert!(tally.count >= count, "messages received");
}
