//! The same bytes through sansocket and other WebSocket crates, in memory.
//!
//! `--only NAME` takes the tables, and `--peer NAME` the peers, whose name contains it; `--quick` takes fewer rounds
//! and leaves out what is longer than 64 KiB; `--instructions` counts them, too, by `--once PEER WORKLOAD SIZE COUNT`;
//! `--brief` prints the bounds, sansocket, and the best of the others only.
//! `--growth` has the workloads of which many sizes are of interest; with ten thousand connections, some peers take gigabytes.

mod alloc;
mod costs;
#[path = "../../shared/forms.rs"]
mod forms;
mod instructions;
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
use workload::{GROWTH, Runner, WORKLOADS, Workload};

/// How long and how often a peer is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// How long a round is at least, unless a single message takes longer.
    round: Duration,
    /// The longest message.
    most: usize,
    /// Whether instructions are counted.
    instructions: bool,
}

const FULL: Effort = Effort {
    rounds: 21,
    round: Duration::from_millis(3),
    most: usize::MAX,
    instructions: false,
};

const QUICK: Effort = Effort {
    rounds: 9,
    round: Duration::from_micros(700),
    most: 64 << 10,
    instructions: false,
};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|word| word == "--once") {
        return once(&arguments[at + 1..]);
    }
    let has = |flag: &str| arguments.iter().any(|word| word == flag);
    let is_chosen = |name: &str, flag: &str| {
        let at = arguments.iter().position(|word| word == flag);
        let filter = at.and_then(|at| arguments.get(at + 1));
        filter.is_none_or(|filter| name.contains(filter.as_str()))
    };
    let effort = Effort {
        instructions: has("--instructions"),
        ..if has("--quick") { QUICK } else { FULL }
    };
    let peers: Vec<&Peer> = PEERS
        .iter()
        .filter(|peer| is_chosen(peer.name, "--peer"))
        .collect();
    let mut markdown = String::new();
    let mut json = Vec::new();
    let mut show = |table: &Table| {
        if has("--brief") {
            print!("{}", table.brief());
        } else {
            print!("{}", table.markdown());
        }
        markdown.push_str(&table.markdown());
        json.extend(table.json());
    };
    let (workloads, has_costs) = if has("--growth") {
        (GROWTH, false)
    } else {
        (WORKLOADS, true)
    };
    for workload in workloads {
        if is_chosen(workload.name, "--only") {
            show(&measure(workload, &peers, effort));
        }
    }
    if has_costs && is_chosen("deflate/length", "--only") {
        show(&costs::lengths(&peers));
    }
    if has_costs && is_chosen("allocations", "--only") {
        show(&costs::allocations(&peers));
    }
    if has_costs && is_chosen("heap", "--only") {
        show(&costs::heap(&peers));
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let json = format!("[\n{}\n]\n", json.join(",\n"));
    fs::create_dir_all(&target).expect("a folder");
    let name = if has_costs { "peers" } else { "growth" };
    fs::write(target.join(format!("{name}.md")), markdown).expect("a file in target");
    fs::write(target.join(format!("{name}.json")), json).expect("a file in target");
}

fn measure(workload: &Workload, peers: &[&Peer], effort: Effort) -> Table {
    let sizes = workload.sizes.iter().filter(|size| **size <= effort.most);
    let kinds: &[&str] = if effort.instructions {
        &["ns a message", "instructions"]
    } else {
        &["ns a message"]
    };
    let mut table = Table::new(workload.name, workload.about, kinds, peers);
    for &size in sizes {
        for peer in peers {
            eprint!("\r{} of {size} B: {:20}\r", workload.name, peer.name);
            workload.check(peer, size);
        }
        let times = interleaved(workload, peers, size, effort);
        let figures = peers.iter().zip(times).map(|(peer, time)| {
            let mut figures = vec![time?];
            if effort.instructions {
                let count = instructions::count(peer.name, workload.name, size, workload.len(size));
                figures.push(count.expect("valgrind is there"));
            }
            Some(figures)
        });
        table.push((workload.label)(size), size, figures.collect());
    }
    table
}

/// Returns the median time of each peer, in rounds that all take part in.
fn interleaved(
    workload: &Workload,
    peers: &[&Peer],
    size: usize,
    effort: Effort,
) -> Vec<Option<f64>> {
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
    times.into_iter().map(median).collect()
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
    let mut workloads = WORKLOADS.iter().chain(GROWTH);
    let workload = workloads.find(|known| known.name == workload);
    let runner = workload
        .expect("a workload")
        .runner(peer.expect("a peer"), size);
    let mut runner = runner.expect("a workload of this peer");
    runner(count);
    println!("{}", measured(&mut runner, count));
}
