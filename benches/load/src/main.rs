//! Echo servers under load: how many messages a second, for how much of the processor, and what an idle connection costs.
//!
//! Each server is a process of its own on the loopback interface; this one is the client of all of them, in turn. `--only NAME`
//! takes the servers whose name contains it, `--quick` less time; `--idle COUNT` measures memory instead.

mod client;
mod process;
mod servers;
mod table;

use std::env;
use std::time::Duration;

use process::Server;
use servers::SERVERS;
use table::Table;

/// What the clients do.
#[derive(Clone, Copy)]
pub struct Load {
    connections: usize,
    /// The length of a message.
    bytes: usize,
    /// So many messages are sent before their echoes are awaited.
    depth: usize,
}

const fn load(connections: usize, bytes: usize, depth: usize) -> Load {
    Load {
        connections,
        bytes,
        depth,
    }
}

const LOADS: [Load; 6] = [
    load(1, 125, 1),
    load(64, 125, 1),
    load(64, 125, 32),
    load(64, 16 << 10, 4),
    load(8, 1 << 20, 1),
    load(1_000, 125, 1),
];

/// How often and how long a server is under a load.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    round: Duration,
}

const FULL: Effort = Effort {
    rounds: 5,
    round: Duration::from_secs(1),
};

const QUICK: Effort = Effort {
    rounds: 3,
    round: Duration::from_millis(250),
};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |flag: &str| {
        let at = arguments.iter().position(|word| word == flag)?;
        arguments.get(at + 1).map(String::as_str)
    };
    if let Some(name) = value("--serve") {
        return servers::serve(name);
    }
    let only = value("--only").unwrap_or_default();
    let names: Vec<&'static str> = SERVERS
        .iter()
        .map(|server| server.name)
        .filter(|name| name.contains(only))
        .collect();
    if let Some(count) = value("--idle") {
        let count = count.parse().expect("--idle COUNT");
        print!("{}", idle(&names, count).markdown());
        return;
    }
    let effort = if arguments.iter().any(|word| word == "--quick") {
        QUICK
    } else {
        FULL
    };
    for load in LOADS {
        print!("{}", measure(&names, load, effort).markdown());
    }
}

fn measure(names: &[&'static str], load: Load, effort: Effort) -> Table {
    process::raise_files(load.connections);
    let servers: Vec<Server> = names.iter().map(|name| Server::start(name)).collect();
    let mut rates = vec![Vec::new(); names.len()];
    let mut costs = vec![Vec::new(); names.len()];
    for round in 0..effort.rounds {
        for i in 0..names.len() {
            let i = (i + round) % names.len();
            let mut clients = client::connect(servers[i].port(), load);
            clients.run(effort.round / 4);
            let before = servers[i].processor_seconds();
            let (messages, seconds) = clients.run(effort.round);
            let spent = servers[i].processor_seconds() - before;
            rates[i].push(messages / seconds);
            costs[i].push(spent / messages * 1e6);
        }
    }
    let title = format!(
        "{} connections, {} B, {} at a time",
        load.connections, load.bytes, load.depth
    );
    let mut table = Table::new(
        &title,
        &[
            "messages a second",
            "processor seconds a million messages, of the server",
        ],
    );
    for ((name, rates), costs) in names.iter().zip(rates).zip(costs) {
        table.push(name, &[median(rates), median(costs)]);
    }
    table
}

/// Opens idle connections, and looks at what memory the server has then.
fn idle(names: &[&'static str], count: usize) -> Table {
    process::raise_files(count);
    let mut table = Table::new(
        &format!("{count} idle connections"),
        &[
            "resident bytes a connection",
            "after an echo of 125 B on each",
        ],
    );
    for name in names.iter().filter(|name| servers::is_for_many(name)) {
        let server = Server::start(name);
        // What the first ones make the server load is not theirs.
        drop(client::connect(server.port(), load(10, 125, 1)));
        let before = server.resident_bytes();
        let mut clients = client::connect(server.port(), load(count, 125, 1));
        let opened = server.resident_bytes() - before;
        clients.run_once();
        let used = server.resident_bytes() - before;
        table.push(name, &[opened / number(count), used / number(count)]);
    }
    table
}

#[expect(clippy::cast_precision_loss, reason = "far below 2⁵²")]
fn number(count: usize) -> f64 {
    count as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
