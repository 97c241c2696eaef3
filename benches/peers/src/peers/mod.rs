//! The libraries, each through the fastest way that its documentation shows.

mod bounds;
mod fastwebsockets;
mod nexus_web;
mod ratchet;
mod sansocket;
mod shiguredo;
mod sockudo_ws;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod web_socket;
mod websocket_sans_io;
mod yawc;

use crate::message::{Message, Tally};
use crate::transport::Transport;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    Client,
    Server,
}

/// A connection behind its opening handshake.
pub trait Socket {
    /// Receives until the tally has `until` messages, or a few more where a read has brought them. Answers Pings.
    fn receive(&mut self, until: u64, tally: &mut Tally);

    /// Sends `message` so many times, and writes all that waits each time that `batch` are sent.
    fn send(&mut self, message: &Message, count: u64, batch: u64);
}

pub struct Peer {
    pub name: &'static str,
    pub open: fn(Role, Transport) -> Box<dyn Socket>,
    /// A bound does less than a library has to, and takes part in no comparison.
    pub is_bound: bool,
    /// Whether the answer to a Ping can be had before the next one comes.
    pub answers_pings: bool,
}

impl Peer {
    const fn new(name: &'static str, open: fn(Role, Transport) -> Box<dyn Socket>) -> Self {
        Self {
            name,
            open,
            is_bound: false,
            answers_pings: true,
        }
    }

    const fn without_pings(self) -> Self {
        Self {
            answers_pings: false,
            ..self
        }
    }

    const fn bound(name: &'static str, open: fn(Role, Transport) -> Box<dyn Socket>) -> Self {
        Self {
            name,
            open,
            is_bound: true,
            answers_pings: false,
        }
    }
}

pub const PEERS: &[Peer] = &[
    Peer::bound("bound: copy", bounds::copy),
    Peer::bound("bound: header, XOR", bounds::unmask),
    Peer::new("sansocket", sansocket::open),
    Peer::new("nexus-web", nexus_web::open),
    Peer::new("websocket-sans-io", websocket_sans_io::open),
    Peer::new("sockudo-ws", sockudo_ws::open),
    Peer::new("tungstenite", tungstenite::open),
    Peer::new("tokio-websockets", tokio_websockets::open),
    Peer::new("fastwebsockets", fastwebsockets::open),
    Peer::new("yawc", yawc::open).without_pings(),
    Peer::new("ratchet_rs", ratchet::open),
    Peer::new("soketto", soketto::open),
    Peer::new("shiguredo_websocket", shiguredo::open),
    Peer::new("web-socket", web_socket::open),
];

/// Every limit on a message or frame: more than is sent, so that it never decides.
const LIMIT: usize = 64 << 20;
