//! How a workload is run.

use std::sync::Arc;

use super::{
    CONNECTIONS, PIECES, PINGS, Reads, Received, Task, Workload, batch, form, pings, request,
};
use crate::message::{Kind, Message, Tally, compressed};
use crate::peers::{Peer, Role, Socket};
use crate::transport::{READ, Transport};

/// Handles at least so many messages and returns how many they were.
pub type Runner = Box<dyn FnMut(u64) -> u64>;

impl Workload {
    /// Returns what runs this workload, or `None` if the peer cannot, or is but a bound that does not tell anything.
    pub fn runner(&self, peer: &Peer, size: usize) -> Option<Runner> {
        let received = self.received(size);
        Some(match (self.task, received) {
            (Task::Fragments { .. } | Task::Pieces { .. }, _) if peer.is_bound => return None,
            (Task::Pieces { .. }, _)
                if PIECES[size].ping_after.is_some() && !peer.answers_pings =>
            {
                return None;
            }
            (Task::Connections, Some(received)) => many(peer, received, CONNECTIONS),
            (Task::ManyConnections, Some(received)) => many(peer, received, size),
            (Task::Forms { .. }, Some(received)) => receiving(in_form(peer, size, &received)?),
            (_, Some(received)) => {
                let transport = received.transport().with_message_len(received.frames.len());
                receiving((peer.open)(Role::Server, transport))
            }
            (Task::Send { role, writes }, _) => {
                let message = Message::new(Kind::Binary, size);
                let batch = batch(size, writes);
                let mut socket = (peer.open)(role, Transport::silent());
                Box::new(move |count| {
                    socket.send(&message, count, batch);
                    count
                })
            }
            (Task::Pings { .. }, _) if !peer.answers_pings => return None,
            (Task::Pings { reads }, _) => ponger(peer, size, reads),
            (Task::Inflate { takeover }, _) => {
                let wire: Arc<[u8]> = compressed(&Message::stream(size), takeover).into();
                let socket = peer.open_deflate(takeover, Transport::new(wire, READ))?;
                receiving(socket)
            }
            (Task::Deflate { takeover }, _) => {
                let socket = peer.open_deflate(takeover, Transport::silent())?;
                deflater(socket, Message::stream(size))
            }
            (Task::Handshake, _) => acceptor(peer.accept?, size),
            _ => unreachable!("all others only receive"),
        })
    }
}

pub(super) fn in_form(peer: &Peer, size: usize, received: &Received) -> Option<Box<dyn Socket>> {
    let (form, places) = form(size);
    Some(peer.open_in_form?(form, places, received.transport()))
}

fn receiving(mut socket: Box<dyn Socket>) -> Runner {
    Box::new(move |count| {
        let mut tally = Tally::default();
        socket.receive(count, &mut tally);
        tally.count
    })
}

fn deflater(mut socket: Box<dyn Socket>, messages: Vec<Message>) -> Runner {
    let mut at = 0;
    Box::new(move |count| {
        for _ in 0..count {
            socket.send(&messages[at], 1, 1);
            at = (at + 1) % messages.len();
        }
        count
    })
}

fn ponger(peer: &Peer, size: usize, reads: Reads) -> Runner {
    let mut socket = (peer.open)(Role::Server, pings(size, reads));
    Box::new(move |count| {
        let mut tally = Tally::default();
        socket.receive(count.div_ceil(PINGS as u64), &mut tally);
        tally.count * PINGS as u64
    })
}

fn many(peer: &Peer, received: Received, connections: usize) -> Runner {
    let wire: Arc<[u8]> = received.frames.into();
    let open = || (peer.open)(Role::Server, Transport::new(Arc::clone(&wire), wire.len()));
    let mut sockets: Vec<_> = (0..connections).map(|_| open()).collect();
    Box::new(move |count| {
        let count = count.next_multiple_of(connections as u64);
        let mut tally = Tally::default();
        while tally.count < count {
            for socket in &mut sockets {
                socket.receive(tally.count + 1, &mut tally);
            }
        }
        count
    })
}

fn acceptor(accept: fn(Transport), size: usize) -> Runner {
    let wire: Arc<[u8]> = request(size).as_bytes().into();
    Box::new(move |count| {
        for _ in 0..count {
            accept(Transport::new(Arc::clone(&wire), wire.len()));
        }
        count
    })
}
