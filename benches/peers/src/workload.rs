//! What is measured.

#[path = "../../shared/requests.rs"]
mod requests;

use std::sync::{Arc, Mutex};

use sansocket::Opcode;
use sansocket::handshake::accept_key;

use crate::message::{Kind, Message, Tally, compressed, frame, inflated, payloads};
use crate::peers::{Peer, Role, Socket};
use crate::table::bytes;
use crate::transport::{READ, Transport};

pub struct Workload {
    pub name: &'static str,
    pub about: &'static str,
    pub sizes: &'static [usize],
    /// Names a size.
    pub label: fn(usize) -> String,
    task: Task,
}

#[derive(Clone, Copy)]
enum Task {
    Receive {
        kind: Kind,
        reads: Reads,
    },
    Send {
        role: Role,
        writes: Writes,
    },
    /// A message in frames of 4 KiB.
    Fragments {
        kind: Kind,
    },
    /// Pings, and now and then a message that says how far it is.
    Pings,
    /// A message to each of many connections in turn.
    Connections,
    /// A message of 125 bytes to each of so many connections in turn.
    ManyConnections,
    /// A message in so many frames of 64 bytes.
    ManyFragments,
    /// Messages of JSON, received as they were compressed.
    Inflate {
        takeover: bool,
    },
    /// Messages of JSON, each compressed and written at once.
    Deflate {
        takeover: bool,
    },
    /// The request of an opening handshake read, checked and answered, and the connection dropped.
    Handshake,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Reads {
    /// As much a read as there is room for.
    Many,
    /// A message a read.
    One,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Writes {
    /// A write where the library has gathered 64 KiB, if it gathers.
    Many,
    /// Every message is written at once.
    One,
}

const ALL: &[usize] = &[16, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20];
const SHORT: &[usize] = &[16, 125, 1 << 10, 16 << 10, 64 << 10];
const JSON: &[usize] = &[200, 2 << 10, 64 << 10];
const REQUESTS: [&str; 2] = [requests::MINIMAL, requests::BROWSER];
const FRAGMENT: usize = 4 << 10;
const CONNECTIONS: usize = 1_000;
const SHORT_MESSAGE: usize = 125;
const SHORT_FRAGMENT: usize = 64;
/// So many pings come before a message that is counted.
const PINGS: usize = 31;

const fn receive(name: &'static str, kind: Kind, reads: Reads) -> Workload {
    let (about, sizes) = match reads {
        Reads::Many => ("masked messages, 64 KiB a read, as server", ALL),
        Reads::One => ("masked messages, one a read, as server", SHORT),
    };
    Workload {
        name,
        about,
        sizes,
        label: bytes,
        task: Task::Receive { kind, reads },
    }
}

const fn send(name: &'static str, role: Role, writes: Writes) -> Workload {
    let (about, sizes) = match writes {
        Writes::Many => ("binary messages, written by 64 KiB", ALL),
        Writes::One => ("binary messages, each written at once", SHORT),
    };
    Workload {
        name,
        about,
        sizes,
        label: bytes,
        task: Task::Send { role, writes },
    }
}

const fn fragments(name: &'static str, kind: Kind) -> Workload {
    Workload {
        name,
        about: "masked messages in frames of 4 KiB, as server",
        sizes: &[64 << 10, 1 << 20],
        label: bytes,
        task: Task::Fragments { kind },
    }
}

const fn inflate(name: &'static str, takeover: bool) -> Workload {
    Workload {
        name,
        about: "masked messages of compressed JSON, 64 KiB a read, as server",
        sizes: JSON,
        label: bytes,
        task: Task::Inflate { takeover },
    }
}

const fn deflate(name: &'static str, takeover: bool) -> Workload {
    Workload {
        name,
        about: "messages of JSON compressed at level 6, each written at once, as server",
        sizes: JSON,
        label: bytes,
        task: Task::Deflate { takeover },
    }
}

pub const WORKLOADS: &[Workload] = &[
    receive("receive/binary", Kind::Binary, Reads::Many),
    receive("receive/ascii", Kind::Ascii, Reads::Many),
    receive("receive/mixed", Kind::Mixed, Reads::Many),
    receive("receive-one/binary", Kind::Binary, Reads::One),
    receive("receive-one/ascii", Kind::Ascii, Reads::One),
    receive("receive-one/mixed", Kind::Mixed, Reads::One),
    send("send/server", Role::Server, Writes::Many),
    send("send/client", Role::Client, Writes::Many),
    send("send-one/server", Role::Server, Writes::One),
    send("send-one/client", Role::Client, Writes::One),
    fragments("fragments/binary", Kind::Binary),
    fragments("fragments/ascii", Kind::Ascii),
    fragments("fragments/mixed", Kind::Mixed),
    Workload {
        name: "ping",
        about: "a Ping a read, answered, as server",
        sizes: &[32],
        label: bytes,
        task: Task::Pings,
    },
    Workload {
        name: "connections",
        about: "a masked binary message to each of 1,000 servers in turn",
        sizes: &[16, 125, 1 << 10],
        label: bytes,
        task: Task::Connections,
    },
    inflate("inflate/takeover", true),
    inflate("inflate/no takeover", false),
    deflate("deflate/takeover", true),
    deflate("deflate/no takeover", false),
    Workload {
        name: "handshake",
        about: "a request of so many bytes read and answered, as server",
        sizes: &[REQUESTS[0].len(), REQUESTS[1].len()],
        label: bytes,
        task: Task::Handshake,
    },
];

const ANY: &[usize] = &[
    16,
    64,
    256,
    1 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    4 << 20,
    16 << 20,
];

/// How the cost of a message grows.
pub const GROWTH: &[Workload] = &[
    Workload {
        sizes: ANY,
        ..receive("growth/receive binary", Kind::Binary, Reads::Many)
    },
    Workload {
        sizes: ANY,
        ..receive("growth/receive mixed text", Kind::Mixed, Reads::Many)
    },
    Workload {
        sizes: ANY,
        ..send("growth/send as server", Role::Server, Writes::Many)
    },
    Workload {
        sizes: ANY,
        ..send("growth/send as client", Role::Client, Writes::Many)
    },
    Workload {
        name: "growth/fragments",
        about: "masked messages in so many frames of 64 bytes, as server",
        sizes: &[1, 4, 16, 64, 256, 1_024, 4_096],
        label: counted,
        task: Task::ManyFragments,
    },
    Workload {
        name: "growth/connections",
        about: "a masked message of 125 bytes to each of so many servers in turn",
        sizes: &[1, 10, 100, 1_000, 10_000],
        label: counted,
        task: Task::ManyConnections,
    },
];

fn counted(size: usize) -> String {
    size.to_string()
}

/// Handles at least so many messages and returns how many they were.
pub type Runner = Box<dyn FnMut(u64) -> u64>;

impl Workload {
    /// Returns what runs this workload, or `None` if the peer cannot, or is but a bound that does not tell anything.
    pub fn runner(&self, peer: &Peer, size: usize) -> Option<Runner> {
        Some(match self.task {
            Task::Receive { kind, reads } => {
                let message = Message::new(kind, size);
                receiver(peer, &message.frames(usize::MAX), reads)
            }
            Task::Fragments { .. } if peer.is_bound => return None,
            Task::Fragments { kind } => {
                let message = Message::new(kind, size);
                receiver(peer, &message.frames(FRAGMENT), Reads::Many)
            }
            Task::Send { role, writes } => {
                let message = Message::new(Kind::Binary, size);
                let batch = batch(size, writes);
                let mut socket = (peer.open)(role, Transport::silent());
                Box::new(move |count| {
                    socket.send(&message, count, batch);
                    count
                })
            }
            Task::Pings if !peer.answers_pings => return None,
            Task::Pings => ponger(peer, size),
            Task::Connections => many(peer, size, CONNECTIONS),
            Task::ManyConnections => many(peer, SHORT_MESSAGE, size),
            Task::ManyFragments => {
                let message = Message::new(Kind::Binary, size * SHORT_FRAGMENT);
                receiver(peer, &message.frames(SHORT_FRAGMENT), Reads::Many)
            }
            Task::Inflate { takeover } => {
                let wire: Arc<[u8]> = compressed(&Message::stream(size), takeover).into();
                let socket = peer.open_deflate(takeover, Transport::new(wire, READ))?;
                receiving(socket)
            }
            Task::Deflate { takeover } => {
                let socket = peer.open_deflate(takeover, Transport::silent())?;
                deflater(socket, Message::stream(size))
            }
            Task::Handshake => {
                let accept = peer.accept?;
                let wire: Arc<[u8]> = request(size).as_bytes().into();
                Box::new(move |count| {
                    for _ in 0..count {
                        accept(Transport::new(Arc::clone(&wire), wire.len()));
                    }
                    count
                })
            }
        })
    }

    /// Checks that the peer does what is measured.
    ///
    /// # Panics
    ///
    /// If a message has come as another one, or was sent as another one.
    pub fn check(&self, peer: &Peer, size: usize) {
        if peer.is_bound {
            return;
        }
        let written = Arc::new(Mutex::new(Vec::new()));
        // Enough for messages to be cut in every way.
        let count = ((4 << 20) / size as u64).clamp(3, 10_000);
        match self.task {
            Task::Receive { kind, reads } => {
                let message = Message::new(kind, size);
                let (wire, step) = wire(&message.frames(usize::MAX), reads);
                check_receiving(peer, Transport::new(wire, step), message, count);
            }
            Task::Fragments { kind } => {
                let message = Message::new(kind, size);
                let (wire, step) = wire(&message.frames(FRAGMENT), Reads::Many);
                check_receiving(peer, Transport::new(wire, step), message, count);
            }
            Task::ManyFragments => {
                let message = Message::new(Kind::Binary, size * SHORT_FRAGMENT);
                let (wire, step) = wire(&message.frames(SHORT_FRAGMENT), Reads::Many);
                check_receiving(peer, Transport::new(wire, step), message, 3);
            }
            Task::Connections | Task::ManyConnections => {
                let size = match self.task {
                    Task::Connections => size,
                    _ => SHORT_MESSAGE,
                };
                let message = Message::new(Kind::Binary, size);
                let (wire, step) = wire(&message.frames(usize::MAX), Reads::One);
                check_receiving(peer, Transport::new(wire, step), message, count);
            }
            Task::Send { role, writes } => {
                let message = Message::new(Kind::Binary, size);
                let transport = Transport::silent().keeping(&written);
                (peer.open)(role, transport).send(&message, count, batch(size, writes));
                let sent = payloads(&take(&written));
                assert_eq!(sent.len() as u64, count, "messages sent");
                assert_all(&sent, Opcode::Binary, &message);
            }
            Task::Pings if !peer.answers_pings => {}
            Task::Pings => {
                let (wire, step) = pings(size);
                let transport = Transport::new(wire, step).keeping(&written);
                let message = Message::new(Kind::Binary, size);
                check_receiving(peer, transport, message.clone(), count);
                let sent = payloads(&take(&written));
                // The last one may wait for the next call.
                assert!(sent.len() as u64 + 1 >= count * PINGS as u64, "pongs sent");
                assert_all(&sent, Opcode::Pong, &message);
            }
            Task::Inflate { takeover } => check_inflating(peer, takeover, size),
            Task::Deflate { .. } => {
                self.wire_len(peer, size);
            }
            Task::Handshake => check_handshake(peer, size),
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

/// Returns the request of this length.
fn request(len: usize) -> &'static str {
    let request = REQUESTS.into_iter().find(|request| request.len() == len);
    request.expect("a known length")
}

fn check_receiving(peer: &Peer, transport: Transport, message: Message, count: u64) {
    let mut tally = Tally {
        expected: vec![message],
        ..Default::default()
    };
    (peer.open)(Role::Server, transport).receive(count, &mut tally);
    assert!(tally.count >= count, "messages received");
}

fn receiver(peer: &Peer, frames: &[u8], reads: Reads) -> Runner {
    let (wire, step) = wire(frames, reads);
    let transport = Transport::new(wire, step).with_message_len(frames.len());
    receiving((peer.open)(Role::Server, transport))
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

fn ponger(peer: &Peer, size: usize) -> Runner {
    let (wire, step) = pings(size);
    let mut socket = (peer.open)(Role::Server, Transport::new(wire, step));
    Box::new(move |count| {
        let mut tally = Tally::default();
        socket.receive(count.div_ceil(PINGS as u64), &mut tally);
        tally.count * PINGS as u64
    })
}

fn many(peer: &Peer, size: usize, connections: usize) -> Runner {
    let wire: Arc<[u8]> = Message::new(Kind::Binary, size).frames(usize::MAX).into();
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

/// Returns messages to read, and where a read ends at the latest.
fn wire(frames: &[u8], reads: Reads) -> (Arc<[u8]>, usize) {
    let count = (256_usize << 10).div_ceil(frames.len());
    let step = match reads {
        Reads::Many => READ,
        Reads::One => frames.len(),
    };
    (frames.repeat(count).into(), step)
}

fn pings(size: usize) -> (Arc<[u8]>, usize) {
    let message = Message::new(Kind::Binary, size);
    let mut wire = message.frames(usize::MAX);
    let step = wire.len();
    for _ in 0..PINGS {
        frame(&mut wire, true, Opcode::Ping, &message.bytes);
    }
    // A message last, so that all Pings before it have been answered.
    wire.rotate_left(step);
    (wire.into(), step)
}

fn batch(size: usize, writes: Writes) -> u64 {
    match writes {
        Writes::Many => ((64 << 10) / (size as u64 + 8)).max(1),
        Writes::One => 1,
    }
}
