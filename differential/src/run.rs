//! What all programs do: they look at one input after another and tell what they have seen.

use std::collections::BTreeMap;
use std::env;
use std::fmt::{Debug, Display};
use std::process::{self, ExitCode};
use std::time::Instant;

use crate::arguments::Arguments;
use crate::random::Random;

/// How many inputs that tell a difference are printed.
const PRINTED: u64 = 10;

/// What has been seen.
#[derive(Debug, Default)]
pub struct Tally {
    inputs: u64,
    failed: u64,
    counts: BTreeMap<String, u64>,
}

/// What has been seen of one input.
#[derive(Debug)]
pub struct Looked<S> {
    /// There is no difference, or one that is known.
    pub passes: bool,
    pub story: S,
}

/// Looks at as many inputs as the arguments of the program ask for, or at the one, and prints what has been seen. `look`
/// makes its input from what is random.
pub fn run<S: Display>(
    program: &str,
    inputs: &str,
    mut look: impl FnMut(&mut Random, &mut Tally) -> Looked<S>,
) -> Tally {
    let arguments = Arguments::parse(env::args().skip(1)).unwrap_or_else(|wrong| {
        let inputs = inputs.to_uppercase();
        eprintln!("{wrong}\nusage: {program} [{inputs}] [--seed SEED] [--only INDEX]");
        process::exit(1)
    });
    let start = Instant::now();
    let mut tally = Tally::default();
    let indices = match arguments.only {
        Some(index) => index..index + 1,
        None => 0..arguments.inputs,
    };
    for index in indices {
        let Looked { passes, story } = look(&mut Random::new(arguments.seed, index), &mut tally);
        tally.inputs += 1;
        tally.failed += u64::from(!passes);
        if !passes && tally.failed <= PRINTED || arguments.only.is_some() {
            println!("--seed {} --only {index}: {story}", arguments.seed);
        }
    }
    tally.print(inputs, start.elapsed().as_secs_f64());
    tally
}

impl Tally {
    pub fn add(&mut self, group: &str, name: impl Display) {
        self.add_many(group, name, 1);
    }

    /// Adds what is told apart by names in code.
    pub fn add_named(&mut self, group: &str, name: &impl Debug) {
        self.add(group, format_args!("{name:?}"));
    }

    pub fn add_many(&mut self, group: &str, name: impl Display, count: u64) {
        *self.counts.entry(format!("{group}: {name}")).or_default() += count;
    }

    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::from(self.failed > 0))
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn print(&self, inputs: &str, seconds: f64) {
        let rate = self.inputs as f64 / seconds;
        println!(
            "{} {inputs} in {seconds:.1} s, {rate:.0} a second",
            self.inputs
        );
        for (name, count) in &self.counts {
            println!("{count:>12} {name}");
        }
        let passed = self.inputs - self.failed;
        println!("{passed} passed, {} failed", self.failed);
    }
}
