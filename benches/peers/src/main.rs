//! The same bytes through sansocket and other WebSocket crates, in memory.
//!
//! `--only NAME` runs the workloads, and `--peer NAME` the peers, whose name contains it; `--quick` takes fewer rounds
//! and leaves out what is longer than 64 KiB. `--once PEER WORKLOAD SIZE COUNT` is for `instructions`.

mod message;
mod peers;
mod table;
mod transport;
mod workload;

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use peers::{PEERS, Peer};
use table::Table;
use workload::{Runner, WORKLOADS, Workload};

/// How long and how often a peer is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// How long a round is at least, unless a single message takes longer.
    round: Duration,
    /// The longest message.
    most: usize,
}

const FULL: Effort = Effort {
    rounds: 21,
    round: Duration::from_millis(3),
    most: usize::MAX,
};

const QUICK: Effort = Effort {
    rounds: 9,
    round: Duration::from_micros(700),
    most: 64 << 10,
};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|word| word == "--once") {
        return once(&arguments[at + 1..]);
    }
    let value = |name: &str| {
        let at = arguments.iter().position(|word| word == name)?;
        arguments.get(at + 1)
    };
    let effort = if arguments.iter().any(|word| word == "--quick") {
        QUICK
    } else {
        FULL
    };
    let is_chosen = |name: &str, filter: Option<&String>| {
        filter.is_none_or(|filter| name.contains(filter.as_str()))
    };
    let peers: Vec<&Peer> = PEERS
        .iter()
        .filter(|peer| is_chosen(peer.name, value("--peer")))
        .collect();
    let mut markdown = String::new();
    let mut json = Vec::new();
    for workload in WORKLOADS
        .iter()
        .filter(|workload| is_chosen(workload.name, value("--only")))
    {
        let table = measure(workload, &peers, effort);
        print!("{}", table.markdown());
        markdown.push_str(&table.markdown());
        json.extend(table.json());
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let json = format!("[\n{}\n]\n", json.join(",\n"));
    fs::write(target.join("peers.md"), markdown).expect("a file in target");
    fs::write(target.join("peers.json"), json).expect("a file in target");
}

fn measure(workload: &Workload, peers: &[&Peer], effort: Effort) -> Table {
    let sizes = workload.sizes.iter().filter(|size| **size <= effort.most);
    let mut table = Table::new(workload.name, workload.about, peers);
    for &size in sizes {
        for peer in peers {
            eprint!("\r{} of {size} B: {:20}\r", workload.name, peer.name);
            workload.check(peer, size);
        }
        let mut runners: Vec<Option<(Runner, u64)>> = peers
            .iter()
            .map(|peer| {
                let mut runner = workload.runner(peer, size)?;
                let count = calibrate(&mut runner, effort.round);
                Some((runner, count))
            })
            .collect();
        let mut times = vec![Vec::new(); peers.len()];
        for round in 0..effort.rounds {
            for i in 0..peers.len() {
                let i = (i + round) % peers.len();
                if let Some((runner, count)) = &mut runners[i] {
                    times[i].push(time(runner, *count));
                }
            }
        }
        table.push(size, times.into_iter().map(median).collect());
    }
    table
}

/// Returns how many messages take as long as a round is.
fn calibrate(runner: &mut Runner, round: Duration) -> u64 {
    let mut count = 1;
    loop {
        let begin = clock();
        let done = measured(runner, count);
        if clock().saturating_sub(begin) >= round {
            return done;
        }
        count = done * 2;
    }
}

/// Returns the time of a message in nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "a time")]
fn time(runner: &mut Runner, count: u64) -> f64 {
    let begin = clock();
    let done = measured(runner, count);
    clock().saturating_sub(begin).as_nanos() as f64 / done as f64
}

/// What `instructions` counts the instructions of.
#[inline(never)]
fn measured(runner: &mut Runner, count: u64) -> u64 {
    black_box(runner(black_box(count)))
}

/// The processor time of this thread: others at work do not count.
fn clock() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a time that has gone by")
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

/// Runs one peer, after as many messages to warm up, and prints how many messages were measured.
fn once(arguments: &[String]) {
    let [peer, workload, size, count] = arguments else {
        panic!("--once PEER WORKLOAD SIZE COUNT");
    };
    let count = count.parse().expect("a number of messages");
    let size = size.parse().expect("a number of bytes");
    let peer = PEERS.iter().find(|known| known.name == peer);
    let workload = WORKLOADS.iter().find(|known| known.name == workload);
    let runner = workload
        .expect("a workload")
        .runner(peer.expect("a peer"), size);
    let mut runner = runner.expect("a workload of this peer");
    runner(count);
    println!("{}", measured(&mut runner, count));
}
