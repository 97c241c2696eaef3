//! Messages of permessage-deflate, decompressed by `sansocket` and by the C zlib.
//!
//! `deflate [STREAMS] [--seed SEED] [--only INDEX]`
//!
//! The same seed and index give the same stream.

use std::fmt::{self, Display, Formatter, Write};
use std::process::ExitCode;

use differential::deflate::oracle::{Oracle, Verdict};
use differential::deflate::socket::{Heard, hear};
use differential::deflate::stream::Stream;
use differential::random::Random;
use differential::run::{Looked, Tally, run};
use sansocket::ProtocolError;

/// The fewest messages that make shares worth checking.
const MANY: u64 = 1_000;

fn main() -> ExitCode {
    let tally = run("deflate", "streams", look);
    if is_mixed(&tally) {
        return tally.exit_code();
    }
    println!("less than a quarter is accepted, or is rejected");
    ExitCode::FAILURE
}

fn look(random: &mut Random, tally: &mut Tally) -> Looked<Compared> {
    let stream = Stream::random(random);
    let verdicts = verdicts(&stream);
    let heard = hear(random, &stream);
    let difference = difference(&verdicts, &heard);
    count(tally, &stream, &verdicts);
    if let Some((_, how)) = &difference {
        tally.add("fails", how);
    }
    Looked {
        passes: difference.is_none(),
        story: Compared {
            stream,
            verdicts,
            heard,
            difference,
        },
    }
}

/// Returns what has to become of each message, up to the first that is rejected.
fn verdicts(stream: &Stream) -> Vec<Verdict> {
    let mut oracle = Oracle::new(stream.takeover);
    let mut verdicts = Vec::new();
    for message in &stream.messages {
        verdicts.push(oracle.message(message));
        if let Some(Verdict::Rejected(..)) = verdicts.last() {
            break;
        }
    }
    verdicts
}

/// Returns the first message that is not heard as it should be, and how it is.
fn difference(verdicts: &[Verdict], heard: &Heard) -> Option<(usize, String)> {
    let mut messages = heard.messages.iter();
    for (at, verdict) in verdicts.iter().enumerate() {
        let message = messages.next();
        match verdict {
            Verdict::Accepted(output) | Verdict::AcceptedBy(_, output) => {
                if message != Some(output) {
                    return Some((at, "is not what it should be".into()));
                }
            }
            Verdict::Rejected(wrong, output) => {
                if message.is_some() {
                    return Some((at, format!("is accepted though: {wrong}")));
                }
                let both = output.len().min(heard.partial.len());
                if output[..both] != heard.partial[..both] {
                    return Some((at, "begins otherwise".into()));
                }
                let end = (heard.error, heard.code);
                let expected = (Some(ProtocolError::InvalidCompression), Some(1007));
                return (end != expected).then(|| (at, format!("ends with {end:?}")));
            }
        }
    }
    match heard.error {
        Some(error) => Some((verdicts.len(), format!("fails with {error:?}"))),
        None => (heard.code.is_some() || messages.next().is_some())
            .then(|| (verdicts.len(), "is more than there should be".into())),
    }
}

/// A stream, what should become of it and what does.
struct Compared {
    stream: Stream,
    verdicts: Vec<Verdict>,
    heard: Heard,
    difference: Option<(usize, String)>,
}

impl Display for Compared {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { stream, heard, .. } = self;
        if let Some((at, how)) = &self.difference {
            writeln!(f, "message {at} {how}")?;
        }
        writeln!(f, "  {:?}, takeover: {}", stream.origin, stream.takeover)?;
        for (at, message) in stream.messages.iter().enumerate() {
            writeln!(f, "  message {at}: {}", hex(message))?;
            match self.verdicts.get(at) {
                Some(Verdict::Accepted(output) | Verdict::AcceptedBy(_, output)) => {
                    writeln!(f, "    should be {}", hex(output))?;
                }
                Some(Verdict::Rejected(wrong, output)) => {
                    writeln!(f, "    should fail, {wrong}, behind {}", hex(output))?;
                }
                None => {}
            }
            if let Some(output) = heard.messages.get(at) {
                writeln!(f, "    is {}", hex(output))?;
            }
        }
        write!(f, "  it ends with {:?}, {:?}", heard.error, heard.code)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::from("[");
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits + "]"
}

fn count(tally: &mut Tally, stream: &Stream, verdicts: &[Verdict]) {
    tally.add_named("streams", &stream.origin);
    for verdict in verdicts {
        match verdict {
            Verdict::Accepted(output) => {
                tally.add("messages", "accepted");
                tally.add_many("messages", "bytes", output.len() as u64);
            }
            Verdict::AcceptedBy(rule, _) => {
                tally.add("messages", "accepted");
                tally.add_named("accepted by", rule);
            }
            Verdict::Rejected(wrong, _) => {
                tally.add("messages", "rejected");
                tally.add_named("rejected", wrong);
            }
        }
    }
}

/// Tells whether enough is accepted and enough rejected to show anything.
fn is_mixed(tally: &Tally) -> bool {
    let (accepted, rejected) = (
        tally.count("messages: accepted"),
        tally.count("messages: rejected"),
    );
    let all = accepted + rejected;
    all < MANY || accepted.min(rejected) >= all / 4
}
