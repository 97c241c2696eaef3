//! Streams of frames, received by `sansocket`, by a naive reader of RFC 6455 and by other implementations.
//!
//! `peers [STREAMS] [--seed SEED] [--only INDEX]`
//!
//! The same seed and index give the same stream. `DIVERGENCES.md` says what the names in the table mean.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;

use differential::peers::reference::{self, Instead, Reading, Rule, is_whole};
use differential::peers::stream::Stream;
use differential::peers::verdict::{End, Verdict, hex};
use differential::peers::{fastwebsockets, sansocket, tokio_websockets, tungstenite};
use differential::random::Random;
use differential::run::{Looked, Tally, run};

struct Peer {
    name: &'static str,
    hear: fn(&[u8], usize, ::sansocket::Role) -> Verdict,
    waivers: &'static [(Rule, Instead)],
    /// Whether it sends a Close frame by itself when the connection fails.
    sends_codes: bool,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "tungstenite",
        hear: tungstenite::hear,
        waivers: tungstenite::WAIVERS,
        sends_codes: false,
    },
    Peer {
        name: "tokio-websockets",
        hear: tokio_websockets::hear,
        waivers: tokio_websockets::WAIVERS,
        sends_codes: true,
    },
    Peer {
        name: "fastwebsockets",
        hear: fastwebsockets::hear,
        waivers: fastwebsockets::WAIVERS,
        sends_codes: false,
    },
];

fn main() -> ExitCode {
    run("peers", "streams", |random, tally| {
        let stream = Stream::random(random);
        let unexplained = compare(random, &stream, tally);
        Looked {
            passes: unexplained.is_empty(),
            story: Compared {
                stream,
                unexplained,
            },
        }
    })
    .exit_code()
}

/// A stream and what nothing explains of it.
struct Compared {
    stream: Stream,
    unexplained: Vec<String>,
}

impl Display for Compared {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Stream {
            origin,
            role,
            most,
            bytes,
        } = &self.stream;
        write!(f, "{origin:?}, {role:?}, reads of {most}\n  {}", hex(bytes))?;
        let mut lines = self.unexplained.iter();
        lines.try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Gives a stream to everyone; returns what nothing explains.
fn compare(random: &mut Random, stream: &Stream, tally: &mut Tally) -> Vec<String> {
    let mut unexplained = Vec::new();
    let law = reference::read(&stream.bytes, stream.role, &[]);
    tally.add_named("streams", &stream.origin);
    match law.broken {
        Some(rule) => tally.add("the law", format_args!("fails by {rule:?}")),
        None => tally.add_named("the law", &law.verdict.end),
    }
    let messages = law.verdict.messages.len() as u64;
    tally.add_many("the law", "messages", messages);

    let ours = sansocket::hear(random, &stream.bytes, stream.role);
    if ours != law.verdict {
        unexplained.push(format!("sansocket: {ours:?}\n  the law: {law:?}"));
    }
    for peer in PEERS {
        let theirs = (peer.hear)(&stream.bytes, stream.most, stream.role);
        let model = reference::read(&stream.bytes, stream.role, peer.waivers);
        match explain(peer, stream, &model, &theirs) {
            Some(classes) => {
                for class in classes {
                    tally.add(peer.name, class);
                }
            }
            None => unexplained.push(format!(
                "{}: {theirs:?}\n  expected: {model:?}\n  the law: {law:?}",
                peer.name
            )),
        }
    }
    unexplained
}

/// Returns the known ways in which a peer has departed from the law, or `None` if there are others.
fn explain(peer: &Peer, stream: &Stream, model: &Reading, theirs: &Verdict) -> Option<Vec<String>> {
    let expected = &model.verdict;
    let mut classes: Vec<_> = (model.waived.iter())
        .map(|rule| format!("waives {rule:?}"))
        .collect();
    if theirs.messages != expected.messages {
        return None;
    }
    let last = &stream.bytes[model.frame.min(stream.bytes.len())..];
    match (expected.end, theirs.end) {
        (End::Failed, End::Failed) if !peer.sends_codes => {
            classes.push("leaves Close to the application".into());
        }
        // It looks at a frame only once more of it has come.
        (End::Failed, End::Open) if !is_whole(last) => classes.push("fails later".into()),
        // It knows from the length that a frame is too long, without its key.
        (End::Open, End::Failed) if peer.sends_codes && is_known_early(last, theirs.code) => {
            classes.push("fails earlier".into());
        }
        (expected_end, end) if expected_end == end && expected.code == theirs.code => {}
        _ => return None,
    }
    Some(classes)
}

fn is_known_early(frame: &[u8], code: Option<u16>) -> bool {
    match (frame, code) {
        ([_, 0xFF, ..], Some(1009)) => (10..14).contains(&frame.len()),
        _ => false,
    }
}
