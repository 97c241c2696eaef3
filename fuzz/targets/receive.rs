//! However the input comes and however messages are delivered, the same is heard, answered and in the end the case; and
//! memory stays within the limits.
#![no_main]

use std::thread;

use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use sansocket::deflate::Params;
use sansocket::{Config, Connection, Delivery, Limits, Outcome, Role, UnexpectedEof};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::ear::{Ear, Feed, Heard, connection, drain};
use sansocket_fuzz::heap;
use sansocket_fuzz::stream::stream;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// What a connection costs beyond a message: spare memory, control frames, answers.
const CONSTANT: usize = 64 << 10;

/// What the engine costs that decompresses.
const DEFLATE: usize = 80 << 10;

/// How many pieces an input is cut into; what is left comes whole.
const PIECES: usize = 500;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let setup = Setup::choose(&mut choices);
    let delivery = choices.pick(&[Delivery::Messages, Delivery::Chunks]);
    let feed = Feed::choose(&mut choices);
    let cuts: Vec<usize> = (0..4)
        .map(|_| choices.pick(&[1000, 1, 2, 5, 13, 125, 4_096, 9_000, 70_000]))
        .collect();
    let measured = choices.byte() & 7 == 7;
    let bytes = stream(&mut choices, setup.role, setup.deflate.is_some());
    let pieces = cut(&bytes, &cuts);

    let expected = run(&setup, Delivery::Messages, Feed::Slice, &[&bytes]);
    let heard = run(&setup, delivery, feed, &pieces);
    assert_eq!(heard, expected, "{delivery:?}, {feed:?}");
    for heard in &expected.heard {
        if let Heard::Message(_, payload) = heard {
            assert!(payload.len() as u64 <= setup.limits.message);
        }
    }
    if measured {
        costs_little(&setup, delivery, &bytes, &pieces);
    }
});

struct Setup {
    role: Role,
    limits: Limits,
    deflate: Option<Params>,
    /// We have sent a Close frame before.
    closing: bool,
}

impl Setup {
    fn choose(choices: &mut Choices<'_>) -> Self {
        let flags = choices.byte();
        let default = Limits::default();
        Self {
            role: if flags & 1 == 0 {
                Role::Server
            } else {
                Role::Client
            },
            limits: Limits::default()
                .with_frame(choices.pick(&[default.frame, 0, 125, 5_000]))
                .with_message(choices.pick(&[1 << 17, 0, 10, 300, 5_000, 70_000]))
                .with_fragments(choices.pick(&[default.fragments, 0, 1, 3]))
                .with_empty_fragments(choices.pick(&[default.empty_fragments, 0, 2]))
                .with_control_frames(choices.pick(&[default.control_frames, 0, 2])),
            deflate: (flags & 2 != 0).then(|| {
                Params::default()
                    .with_server_no_context_takeover(flags & 4 != 0)
                    .with_client_no_context_takeover(flags & 4 != 0)
            }),
            closing: flags & 0x18 == 0x18,
        }
    }

    fn connection(&self, delivery: Delivery) -> Connection {
        let mut config = Config::default()
            .with_limits(self.limits)
            .with_delivery(delivery);
        if let Some(params) = self.deflate {
            config = config.with_deflate(params);
        }
        let mut connection = connection(self.role, &config);
        if self.closing {
            connection.close(None).expect("it is open");
        }
        connection
    }
}

/// What is heard, what is written, where the stream is cut, and how the connection ends.
#[derive(Debug, PartialEq)]
struct Run {
    heard: Vec<Heard>,
    wrote: Vec<u8>,
    eof: Result<(), UnexpectedEof>,
    outcome: Option<Outcome>,
}

/// Hands over the pieces.
fn run(setup: &Setup, delivery: Delivery, feed: Feed, pieces: &[&[u8]]) -> Run {
    let mut ear = Ear::new(setup.connection(delivery), feed);
    let mut wrote = Vec::new();
    drain(&mut ear.connection, &mut wrote);
    for piece in pieces {
        // Pongs that wait take the place of each other, so none is left to wait.
        ear.read(piece, |connection| drain(connection, &mut wrote));
    }
    let eof = ear.connection.receive_eof();
    drain(&mut ear.connection, &mut wrote);
    Run {
        outcome: ear.connection.outcome(),
        heard: ear.heard,
        wrote,
        eof,
    }
}

/// Cuts `bytes` into pieces of these sizes, again and again.
fn cut<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &size in sizes.iter().cycle().take(PIECES) {
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    pieces.push(bytes);
    pieces
}

/// Looks at memory in a thread of its own: no spare memory of the thread goes uncounted there.
fn costs_little(setup: &Setup, delivery: Delivery, bytes: &[u8], pieces: &[&[u8]]) {
    let mut read = bytes.to_vec();
    let work = || {
        let mut rest = &mut read[..];
        let mut connection = setup.connection(delivery);
        for piece in pieces {
            let (mut input, behind) = std::mem::take(&mut rest).split_at_mut(piece.len());
            rest = behind;
            while let Ok(Some(_)) = connection.receive(&mut input) {}
            let len = connection.buffered();
            connection.outgoing().advance(len);
        }
    };
    let peak = heap::peak(|| {
        thread::scope(|scope| scope.spawn(work).join().expect("no panic"));
    });
    let limit = usize::try_from(setup.limits.message).expect("small");
    let engine = setup.deflate.map_or(0, |_| DEFLATE);
    assert!(
        peak <= limit + engine + CONSTANT,
        "{peak} bytes, {delivery:?}"
    );
}
