//! What is measured.

use std::sync::{Arc, Mutex};

use sansocket::Opcode;

use crate::message::{Kind, Message, Tally, frame, payloads};
use crate::peers::{Peer, Role};
use crate::transport::{READ, Transport};

pub struct Workload {
    pub name: &'static str,
    pub about: &'static str,
    pub sizes: &'static [usize],
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
const FRAGMENT: usize = 4 << 10;
const CONNECTIONS: usize = 1_000;
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
        task: Task::Send { role, writes },
    }
}

const fn fragments(name: &'static str, kind: Kind) -> Workload {
    Workload {
        name,
        about: "masked messages in frames of 4 KiB, as server",
        sizes: &[64 << 10, 1 << 20],
        task: Task::Fragments { kind },
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
        task: Task::Pings,
    },
    Workload {
        name: "connections",
        about: "a masked binary message to each of 1,000 servers in turn",
        sizes: &[16, 125, 1 << 10],
        task: Task::Connections,
    },
];

/// Handles at least so many messages and returns how many they were.
pub type Runner = Box<dyn FnMut(u64) -> u64>;

impl Workload {
    /// Returns what runs this workload, or `None` where the peer is but a bound that does not tell anything.
    pub fn runner(&self, peer: &Peer, size: usize) -> Option<Runner> {
        Some(match self.task {
            Task::Receive { kind, reads } => {
                let message = Message::new(kind, size);
                receiver(peer, &message.frames(usize::MAX), reads)
            }
            Task::Fragments { .. } if peer.is_bound => return None,
            Task::Pings if !peer.answers_pings => return None,
            Task::Fragments { kind } => {
                let message = Message::new(kind, size);
                receiver(peer, &message.frames(FRAGMENT), Reads::Many)
            }
            Task::Send { role, writes } => {
                let message = Message::new(Kind::Binary, size);
                let batch = batch(size, writes);
                let mut socket = (peer.open)(role, Transport::new(Arc::new([0]), 1));
                Box::new(move |count| {
                    socket.send(&message, count, batch);
                    count
                })
            }
            Task::Pings => {
                let (wire, step) = pings(size);
                let mut socket = (peer.open)(Role::Server, Transport::new(wire, step));
                Box::new(move |count| {
                    let mut tally = Tally::default();
                    socket.receive(count.div_ceil(PINGS as u64), &mut tally);
                    tally.count * PINGS as u64
                })
            }
            Task::Connections => {
                let wire: Arc<[u8]> = Message::new(Kind::Binary, size).frames(usize::MAX).into();
                let open =
                    || (peer.open)(Role::Server, Transport::new(Arc::clone(&wire), wire.len()));
                let mut sockets: Vec<_> = (0..CONNECTIONS).map(|_| open()).collect();
                Box::new(move |count| {
                    let count = count.next_multiple_of(CONNECTIONS as u64);
                    let mut tally = Tally::default();
                    while tally.count < count {
                        for socket in &mut sockets {
                            socket.receive(tally.count + 1, &mut tally);
                        }
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
            Task::Connections => {
                let message = Message::new(Kind::Binary, size);
                let (wire, step) = wire(&message.frames(usize::MAX), Reads::One);
                check_receiving(peer, Transport::new(wire, step), message, count);
            }
            Task::Send { role, writes } => {
                let message = Message::new(Kind::Binary, size);
                let transport = Transport::new(Arc::new([0]), 1).keeping(&written);
                let mut socket = (peer.open)(role, transport);
                socket.send(&message, count, batch(size, writes));
                let sent = payloads(&written.lock().expect("one thread"));
                assert_eq!(sent.len() as u64, count, "messages sent");
                let is_right = |(opcode, payload): &(Opcode, Vec<u8>)| {
                    *opcode == Opcode::Binary && message.bytes == payload
                };
                assert!(
                    sent.iter().all(is_right),
                    "a message was sent as another one"
                );
            }
            Task::Pings if !peer.answers_pings => {}
            Task::Pings => {
                let (wire, step) = pings(size);
                let transport = Transport::new(wire, step).keeping(&written);
                let message = Message::new(Kind::Binary, size);
                check_receiving(peer, transport, message.clone(), count);
                let sent = payloads(&written.lock().expect("one thread"));
                // The last one may wait for the next call.
                assert!(sent.len() as u64 + 1 >= count * PINGS as u64, "pongs sent");
                let is_right = |(opcode, payload): &(Opcode, Vec<u8>)| {
                    *opcode == Opcode::Pong && message.bytes == payload
                };
                assert!(sent.iter().all(is_right), "a ping was answered wrongly");
            }
        }
    }
}

fn check_receiving(peer: &Peer, transport: Transport, message: Message, count: u64) {
    let mut tally = Tally {
        expected: Some(message),
        ..Default::default()
    };
    (peer.open)(Role::Server, transport).receive(count, &mut tally);
    assert!(tally.count >= count, "messages received");
}

fn receiver(peer: &Peer, frames: &[u8], reads: Reads) -> Runner {
    let (wire, step) = wire(frames, reads);
    let transport = Transport::new(wire, step).with_message_len(frames.len());
    let mut socket = (peer.open)(Role::Server, transport);
    Box::new(move |count| {
        let mut tally = Tally::default();
        socket.receive(count, &mut tally);
        tally.count
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
