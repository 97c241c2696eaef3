//! What is measured.

mod check;
#[path = "../../../shared/requests.rs"]
mod requests;
mod run;

use std::sync::Arc;

use sansocket::Opcode;

use crate::forms::NAMES;
use crate::message::{Kind, Message, frame};
use crate::peers::Role;
use crate::table::bytes;
use crate::transport::READ;

pub use run::Runner;

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
    /// A message of 4 KiB in reads of so many bytes.
    Cut {
        kind: Kind,
    },
    /// Messages of so many bytes, received by a loop of one form or another.
    Forms {
        kind: Kind,
        len: usize,
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
    /// So many bytes a read.
    Of(usize),
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
        Reads::Many => (
            "masked messages, as much a read as there is room for, at most 64 KiB, as server",
            ALL,
        ),
        _ => ("masked messages, one a read, as server", SHORT),
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
        Writes::Many => ("binary messages, written by 64 KiB at most", ALL),
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

const fn cut(name: &'static str, kind: Kind) -> Workload {
    Workload {
        name,
        about: "masked messages of 4 KiB in reads of so many bytes, as server",
        sizes: &[1, 64, 1_460],
        label: bytes,
        task: Task::Cut { kind },
    }
}

const fn forms(name: &'static str, kind: Kind, len: usize) -> Workload {
    Workload {
        name,
        about: "masked messages, many a read, by each form of the loop, from one place in the program and from eight in turn",
        sizes: &FORMS,
        label: form_label,
        task: Task::Forms { kind, len },
    }
}

/// Each form from one place, then each from eight.
const FORMS: [usize; 2 * NAMES.len()] = {
    let mut all = [0; 2 * NAMES.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = i;
        i += 1;
    }
    all
};

/// Returns the form that a size stands for, and the number of places.
fn form(size: usize) -> (usize, usize) {
    (size % NAMES.len(), if size < NAMES.len() { 1 } else { 8 })
}

fn form_label(size: usize) -> String {
    let (form, places) = form(size);
    format!("{}, {places}", NAMES[form])
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
        about: "masked messages of compressed JSON, as much a read as there is room for, as server",
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
    cut("receive-cut/binary", Kind::Binary),
    cut("receive-cut/mixed", Kind::Mixed),
    forms("forms/binary, 16 B", Kind::Binary, 16),
    forms("forms/ascii, 16 B", Kind::Ascii, 16),
    forms("forms/mixed, 16 B", Kind::Mixed, 16),
    forms("forms/binary, 125 B", Kind::Binary, 125),
    forms("forms/ascii, 125 B", Kind::Ascii, 125),
    forms("forms/mixed, 125 B", Kind::Mixed, 125),
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

/// What a server receives over and over.
struct Received {
    message: Message,
    frames: Vec<u8>,
    reads: Reads,
}

impl Workload {
    /// Returns what is received, if that is all there is to do.
    fn received(&self, size: usize) -> Option<Received> {
        let (kind, size, most, reads) = match self.task {
            Task::Receive { kind, reads } => (kind, size, usize::MAX, reads),
            Task::Forms { kind, len } => (kind, len, usize::MAX, Reads::Many),
            Task::Cut { kind } => (kind, 4 << 10, usize::MAX, Reads::Of(size)),
            Task::Fragments { kind } => (kind, size, FRAGMENT, Reads::Many),
            Task::ManyFragments => {
                let size = size * SHORT_FRAGMENT;
                (Kind::Binary, size, SHORT_FRAGMENT, Reads::Many)
            }
            Task::Connections => (Kind::Binary, size, usize::MAX, Reads::One),
            Task::ManyConnections => (Kind::Binary, SHORT_MESSAGE, usize::MAX, Reads::One),
            _ => return None,
        };
        let message = Message::new(kind, size);
        Some(Received {
            frames: message.frames(most),
            message,
            reads,
        })
    }
}

/// Returns messages to read, and where a read ends at the latest.
fn wire(frames: &[u8], reads: Reads) -> (Arc<[u8]>, usize) {
    let count = (256_usize << 10).div_ceil(frames.len());
    let step = match reads {
        Reads::Many => READ,
        Reads::One => frames.len(),
        Reads::Of(len) => len,
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

/// Returns the request of this length.
fn request(len: usize) -> &'static str {
    let request = REQUESTS.into_iter().find(|request| request.len() == len);
    request.expect("a known length")
}
