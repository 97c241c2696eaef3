//! Messages of permessage-deflate, decompressed by `sansocket` and by the C zlib.
//!
//! `deflate [STREAMS] [--seed SEED] [--only INDEX]`
//!
//! The same seed and index give the same stream.

use std::collections::BTreeMap;
use std::env;
use std::fmt::{Debug, Write};
use std::process::ExitCode;
use std::time::Instant;

use differential::arguments::Arguments;
use differential::deflate::oracle::{Oracle, Verdict};
use differential::deflate::socket::{Heard, hear};
use differential::deflate::stream::Stream;
use differential::random::Random;
use sansocket::ProtocolError;

/// How many streams that tell a difference are printed.
const PRINTED: u64 = 10;

/// The fewest messages that make shares worth checking.
const MANY: u64 = 1_000;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\nusage: deflate [STREAMS] [--seed SEED] [--only INDEX]");
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
        let verdicts = verdicts(&stream);
        let heard = hear(&mut random, &stream);
        let difference = difference(&verdicts, &heard);
        tally.count(&stream, &verdicts);
        let Some((at, how)) = difference else {
            tally.passed += 1;
            continue;
        };
        tally.failed += 1;
        tally.add("fails", &how);
        if tally.failed <= PRINTED {
            let story = describe(&stream, &verdicts, &heard);
            println!(
                "--seed {} --only {index}: message {at} {how}\n{story}",
                arguments.seed
            );
        }
    }
    tally.print(start.elapsed().as_secs_f64());
    let mixed = tally.is_mixed();
    if !mixed {
        println!("less than a quarter is accepted, or is rejected");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 && mixed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
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

fn describe(stream: &Stream, verdicts: &[Verdict], heard: &Heard) -> String {
    let mut text = format!("  {:?}, takeover: {}\n", stream.origin, stream.takeover);
    for (at, message) in stream.messages.iter().enumerate() {
        let _ = writeln!(text, "  message {at}: {}", hex(message));
        match verdicts.get(at) {
            Some(Verdict::Accepted(output) | Verdict::AcceptedBy(_, output)) => {
                let _ = writeln!(text, "    should be {}", hex(output));
            }
            Some(Verdict::Rejected(wrong, output)) => {
                let _ = writeln!(text, "    should fail, {wrong}, behind {}", hex(output));
            }
            None => {}
        }
        if let Some(output) = heard.messages.get(at) {
            let _ = writeln!(text, "    is {}", hex(output));
        }
    }
    let (error, code) = (heard.error, heard.code);
    let _ = writeln!(text, "  it ends with {error:?}, {code:?}");
    text
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::from("[");
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits + "]"
}

/// What has been seen.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    accepted: u64,
    rejected: u64,
    output: u64,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    fn count(&mut self, stream: &Stream, verdicts: &[Verdict]) {
        self.add("streams", &stream.origin);
        for verdict in verdicts {
            match verdict {
                Verdict::Accepted(output) => {
                    self.accepted += 1;
                    self.output += output.len() as u64;
                }
                Verdict::AcceptedBy(rule, _) => {
                    self.accepted += 1;
                    self.add("accepted by", rule);
                }
                Verdict::Rejected(wrong, _) => {
                    self.rejected += 1;
                    self.add("rejected", wrong);
                }
            }
        }
    }

    fn add(&mut self, group: &str, name: &impl Debug) {
        *self.counts.entry(format!("{group}: {name:?}")).or_default() += 1;
    }

    /// Tells whether enough is accepted and enough rejected to show anything.
    fn is_mixed(&self) -> bool {
        let all = self.accepted + self.rejected;
        all < MANY || self.accepted.min(self.rejected) >= all / 4
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn print(&self, seconds: f64) {
        let streams = self.passed + self.failed;
        println!(
            "{streams} streams in {seconds:.1} s, {:.0} a second; {} messages: {} accepted ({} bytes), {} rejected",
            streams as f64 / seconds,
            self.accepted + self.rejected,
            self.accepted,
            self.output,
            self.rejected
        );
        for (name, count) in &self.counts {
            println!("{count:>9} {name}");
        }
    }
}
