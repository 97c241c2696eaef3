//! Streams of frames, received by `sansocket`, by a naive reader of RFC 6455 and by other implementations.
//!
//! `peers [STREAMS] [--seed SEED] [--only INDEX]`
//!
//! The same seed and index give the same stream. `DIVERGENCES.md` says what the names in the table mean.

use std::collections::BTreeMap;
use std::env;
use std::process::ExitCode;
use std::time::Instant;

use differential::arguments::Arguments;
use differential::peers::reference::{self, Instead, Reading, Rule, is_whole};
use differential::peers::stream::Stream;
use differential::peers::verdict::{End, Verdict, hex};
use differential::peers::{fastwebsockets, sansocket, tokio_websockets, tungstenite};
use differential::random::Random;

/// How many streams that tell a difference are printed.
const PRINTED: u64 = 10;

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
    let arguments = match Arguments::parse(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\nusage: peers [STREAMS] [--seed SEED] [--only INDEX]");
            return ExitCode::FAILURE;
        }
    };
    let start = Instant::now();
    let mut tally = Tally::default();
    let indices = match arguments.only {
        Some(index) => index..index + 1,
        None => 0..arguments.inputs,
    };
    for index in indices {
        let mut random = Random::new(arguments.seed, index);
        let stream = Stream::random(&mut random);
        let unexplained = compare(&mut random, &stream, &mut tally);
        tally.streams += 1;
        tally.failed += u64::from(!unexplained.is_empty());
        if !unexplained.is_empty() && tally.failed <= PRINTED || arguments.only.is_some() {
            println!(
                "--seed {} --only {index}: {:?}, {:?}, reads of {}\n  {}",
                arguments.seed,
                stream.origin,
                stream.role,
                stream.most,
                hex(&stream.bytes)
            );
            for line in unexplained {
                println!("  {line}");
            }
        }
    }
    tally.print(start.elapsed().as_secs_f64());
    if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Gives a stream to everyone; returns what nothing explains.
fn compare(random: &mut Random, stream: &Stream, tally: &mut Tally) -> Vec<String> {
    let mut unexplained = Vec::new();
    let law = reference::read(&stream.bytes, stream.role, &[]);
    tally.add(format!("streams: {:?}", stream.origin));
    match law.broken {
        Some(rule) => tally.add(format!("the law: fails by {rule:?}")),
        None => tally.add(format!("the law: {:?}", law.verdict.end)),
    }
    tally.messages += law.verdict.messages.len() as u64;

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
                    tally.add(format!("{}: {class}", peer.name));
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
        // It knows from the length that the payload will be half a code, or that a frame is too long without its key.
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
        ([0x88, 0x01 | 0x81, ..], Some(1002)) => true,
        ([_, 0xFF, ..], Some(1009)) => (10..14).contains(&frame.len()),
        _ => false,
    }
}

/// What has been seen.
#[derive(Default)]
struct Tally {
    streams: u64,
    failed: u64,
    messages: u64,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, name: String) {
        *self.counts.entry(name).or_default() += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn print(&self, seconds: f64) {
        println!(
            "{} streams in {seconds:.1} s, {:.0} a second; {} messages",
            self.streams,
            self.streams as f64 / seconds,
            self.messages
        );
        for (name, count) in &self.counts {
            println!("{count:>9} {name}");
        }
        let passed = self.streams - self.failed;
        println!("{passed} passed, {} failed", self.failed);
    }
}
