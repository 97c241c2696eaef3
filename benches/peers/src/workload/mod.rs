//! What is measured.

mod check;
#[path = "../../../shared/requests.rs"]
mod requests;
mod run;

use sansocket::Opcode;

use crate::forms::NAMES;
use crate::message::{Kind, Message, frame};
use crate::peers::Role;
use crate::table::bytes;
use crate::transport::{READ, Transport};

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
    /// Messages in pieces of one kind or another.
    Pieces {
        kind: Kind,
    },
    /// Pings, and now and then a message that says how far it is.
    Pings {
        reads: Reads,
    },
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
    /// So many bytes a read, or fewer by chance.
    UpTo(usize),
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

/// How messages come in pieces.
struct Pieces {
    label: &'static str,
    /// The lengths of the messages, in turn.
    lens: &'static [usize],
    /// The most that a frame carries.
    most: usize,
    /// After how many frames a Ping comes, if any do.
    ping_after: Option<usize>,
    reads: Reads,
}

impl Pieces {
    const fn fragments(label: &'static str, lens: &'static [usize], most: usize) -> Self {
        Self {
            label,
            lens,
            most,
            ping_after: None,
            reads: Reads::Many,
        }
    }

    const fn with_pings(self, after: usize) -> Self {
        Self {
            ping_after: Some(after),
            ..self
        }
    }

    const fn cut(label: &'static str, lens: &'static [usize], reads: Reads) -> Self {
        Self {
            reads,
            ..Self::fragments(label, lens, usize::MAX)
        }
    }
}

const PIECES: [Pieces; 12] = [
    Pieces::fragments("64 fragments of 64 B", &[4 << 10], 64),
    Pieces::fragments("a Ping after each", &[4 << 10], 64).with_pings(1),
    Pieces::fragments("a Ping after each 8th", &[4 << 10], 64).with_pings(8),
    Pieces::fragments("4,096 fragments of 16 B", &[64 << 10], 16),
    Pieces::fragments("2 fragments of 512 B", &[1 << 10], 512),
    Pieces::cut("125 B, byte by byte", &[125], Reads::Of(1)),
    Pieces::cut("125 B, reads to 200 B", &[125], Reads::UpTo(200)),
    Pieces::cut("1 KiB, reads to 1,460 B", &[1 << 10], Reads::UpTo(1_460)),
    Pieces::cut("64 KiB, reads to 1,460 B", &[64 << 10], Reads::UpTo(1_460)),
    Pieces::cut("1 MiB, reads to 1,460 B", &[1 << 20], Reads::UpTo(1_460)),
    Pieces::cut("16 KiB, reads of 16 KiB", &[16 << 10], Reads::Of(16 << 10)),
    Pieces::cut("chat, reads to 16 KiB", &CHAT, Reads::UpTo(16 << 10)),
];

/// Seven in ten messages have less than 200 bytes, one in twenty has more than 4 KiB.
const CHAT: [usize; 20] = [
    12, 80, 1_200, 33, 150, 7, 3_000, 110, 64, 190, 2_048, 20, 95, 700, 48, 40_000, 130, 25, 4_000,
    61,
];

const fn pieces(name: &'static str, kind: Kind) -> Workload {
    Workload {
        name,
        about: "masked messages in many frames or reads, as server",
        sizes: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        label: |case| PIECES[case].label.to_owned(),
        task: Task::Pieces { kind },
    }
}

const fn ping(name: &'static str, about: &'static str, reads: Reads) -> Workload {
    Workload {
        name,
        about,
        sizes: &[32],
        label: bytes,
        task: Task::Pings { reads },
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
    pieces("pieces/binary", Kind::Binary),
    pieces("pieces/emoji", Kind::Emoji),
    ping("ping", "a Ping a read, answered, as server", Reads::One),
    ping(
        "ping-many",
        "as many Pings a read as there is room for, answered, as server",
        Reads::Many,
    ),
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
    messages: Vec<Message>,
    frames: Vec<u8>,
    reads: Reads,
}

impl Workload {
    /// Returns how many bytes a message has at the most.
    pub fn len(&self, size: usize) -> usize {
        match self.task {
            Task::Pieces { .. } => PIECES[size].lens.iter().copied().max().unwrap_or(0),
            Task::Forms { len, .. } => len,
            _ => size,
        }
    }

    /// Returns what is received, if that is all there is to do.
    fn received(&self, size: usize) -> Option<Received> {
        let (kind, size, most, reads) = match self.task {
            Task::Receive { kind, reads } => (kind, size, usize::MAX, reads),
            Task::Forms { kind, len } => (kind, len, usize::MAX, Reads::Many),
            Task::Cut { kind } => (kind, 4 << 10, usize::MAX, Reads::Of(size)),
            Task::Fragments { kind } => (kind, size, FRAGMENT, Reads::Many),
            Task::Pieces { kind } => return Some(PIECES[size].received(kind)),
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
            frames: message.frames(most, None),
            messages: vec![message],
            reads,
        })
    }
}

impl Pieces {
    fn received(&self, kind: Kind) -> Received {
        let messages = self.lens.iter().map(|&len| Message::new(kind, len));
        let messages: Vec<_> = messages.collect();
        let frames = messages.iter();
        let frames = frames.flat_map(|message| message.frames(self.most, self.ping_after));
        Received {
            frames: frames.collect(),
            messages,
            reads: self.reads,
        }
    }
}

impl Received {
    /// Returns a transport that brings the messages again and again.
    fn transport(&self) -> Transport {
        let count = (256_usize << 10).div_ceil(self.frames.len());
        let wire = self.frames.repeat(count).into();
        match self.reads {
            Reads::Many => Transport::new(wire, READ),
            Reads::One => Transport::new(wire, self.frames.len()),
            Reads::Of(len) => Transport::new(wire, len),
            Reads::UpTo(len) => Transport::new(wire, len).cutting_by_chance(),
        }
    }
}

/// Returns a transport that brings Pings, and behind some of them a message.
fn pings(size: usize, reads: Reads) -> Transport {
    let message = Message::new(Kind::Binary, size);
    let mut wire = message.frames(usize::MAX, None);
    let len = wire.len();
    for _ in 0..PINGS {
        frame(&mut wire, true, Opcode::Ping, &message.bytes);
    }
    // A message last, so that all Pings before it have been answered.
    wire.rotate_left(len);
    match reads {
        Reads::One => Transport::new(wire.into(), len),
        _ => Transport::new(wire.repeat(READ / wire.len()).into(), READ),
    }
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
