//! The libraries, each through the fastest way that its documentation shows.

mod bounds;
mod fastwebsockets;
mod nexus_web;
mod ratchet;
mod shiguredo;
mod sockudo_ws;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod web_socket;
mod websocket_sans_io;
mod wtx;
mod yawc;

#[path = "."]
mod sansocket {
    use ::sansocket as library;

    #[path = "sansocket.rs"]
    pub mod peer;
}

/// The build of another commit, through the same calls; see `benches/before`.
#[cfg(feature = "before")]
#[path = "."]
mod before {
    use ::sansocket_before as library;

    #[path = "sansocket.rs"]
    pub mod peer;
}

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

    /// Sends `message` so many times, and writes all that waits when `batch` are sent, or before.
    fn send(&mut self, message: &Message, count: u64, batch: u64);
}

/// How much waits before it is written, where the buffer is the caller's: what is still in the CPU's nearest cache.
const WRITE: usize = 4 << 10;

type OpenDeflate = fn(bool, Transport) -> Box<dyn Socket>;
type OpenInForm = fn(usize, usize, Transport) -> Box<dyn Socket>;

pub struct Peer {
    pub name: &'static str,
    pub open: fn(Role, Transport) -> Box<dyn Socket>,
    deflate: Option<OpenDeflate>,
    takes_over: bool,
    /// Reads the request of an opening handshake, and answers it with a connection.
    pub accept: Option<fn(Transport)>,
    /// Opens a server whose loop has this form, from so many places in turn.
    pub open_in_form: Option<OpenInForm>,
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
            deflate: None,
            takes_over: true,
            accept: None,
            open_in_form: None,
            is_bound: false,
            answers_pings: true,
        }
    }

    /// Opens a server with permessage-deflate that takes over contexts or not, if it can, and compresses at level 6.
    pub fn open_deflate(&self, takeover: bool, transport: Transport) -> Option<Box<dyn Socket>> {
        if takeover && !self.takes_over {
            return None;
        }
        Some(self.deflate?(takeover, transport))
    }

    const fn deflating(self, open: OpenDeflate) -> Self {
        Self {
            deflate: Some(open),
            ..self
        }
    }

    const fn without_takeover(self) -> Self {
        Self {
            takes_over: false,
            ..self
        }
    }

    const fn accepting(self, accept: fn(Transport)) -> Self {
        Self {
            accept: Some(accept),
            ..self
        }
    }

    const fn in_forms(self, open: OpenInForm) -> Self {
        Self {
            open_in_form: Some(open),
            ..self
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
            is_bound: true,
            answers_pings: false,
            ..Self::new(name, open)
        }
    }
}

pub const PEERS: &[Peer] = &[
    Peer::bound("bound: copy", bounds::copy),
    Peer::bound("bound: header, XOR", bounds::unmask),
    Peer::new("sansocket", sansocket::peer::open)
        .deflating(sansocket::peer::open_deflate)
        .accepting(sansocket::peer::accept)
        .in_forms(sansocket::peer::open_in_form),
    #[cfg(feature = "before")]
    Peer::new("sansocket before", before::peer::open)
        .deflating(before::peer::open_deflate)
        .accepting(before::peer::accept)
        .in_forms(before::peer::open_in_form),
    Peer::new("nexus-web", nexus_web::open)
        .accepting(nexus_web::accept)
        .in_forms(nexus_web::open_in_form),
    Peer::new("websocket-sans-io", websocket_sans_io::open),
    Peer::new("sockudo-ws", sockudo_ws::open)
        .deflating(sockudo_ws::open_deflate)
        .accepting(sockudo_ws::accept),
    Peer::new("tungstenite", tungstenite::open).accepting(tungstenite::accept),
    Peer::new("tokio-websockets", tokio_websockets::open).accepting(tokio_websockets::accept),
    Peer::new("fastwebsockets", fastwebsockets::open),
    Peer::new("yawc", yawc::open)
        .deflating(yawc::open_deflate)
        .without_pings(),
    Peer::new("wtx", wtx::open)
        .deflating(wtx::open_deflate)
        .without_takeover()
        .accepting(wtx::accept),
    Peer::new("ratchet_rs", ratchet::open).accepting(ratchet::accept),
    Peer::new("soketto", soketto::open).accepting(soketto::accept),
    Peer::new("shiguredo_websocket", shiguredo::open)
        .deflating(shiguredo::open_deflate)
        .accepting(shiguredo::accept),
    Peer::new("web-socket", web_socket::open),
];

/// Every limit on a message or frame: more than is sent, so that it never decides.
const LIMIT: usize = 64 << 20;
