//! What time does not show: allocations, memory that stays, and how short messages get.

use std::sync::Arc;

use crate::alloc;
use crate::message::{Kind, Message, Tally, compressed};
use crate::peers::{Peer, Role, Socket};
use crate::table::{Figures, Table, bytes};
use crate::transport::Transport;
use crate::workload::{WORKLOADS, Workload};

/// The workloads that allocations are counted in, with the size of their messages.
const ALLOCATIONS: [(&str, usize); 8] = [
    ("receive/binary", 125),
    ("receive/binary", 1 << 20),
    ("receive-one/ascii", 125),
    ("fragments/binary", 1 << 20),
    ("send/server", 125),
    ("send/client", 125),
    ("ping", 32),
    ("connections", 125),
];
/// So many connections that what a thread keeps for all of them does not show.
const CONNECTIONS: usize = 200;

pub fn allocations(peers: &[&Peer]) -> Table {
    let mut table = Table::new(
        "allocations",
        "in steady state",
        &["allocations a message", "bytes asked for"],
        peers,
    );
    for (name, size) in ALLOCATIONS {
        let workload = WORKLOADS.iter().find(|known| known.name == name);
        let workload = workload.expect("a workload");
        let figures = peers.iter().map(|peer| allocated(workload, peer, size));
        table.push(format!("{name} {}", bytes(size)), size, figures.collect());
    }
    table
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn allocated(workload: &Workload, peer: &Peer, size: usize) -> Option<Figures> {
    let mut runner = workload.runner(peer, size)?;
    let count = ((4 << 20) / size as u64).clamp(4, 4_000);
    runner(count);
    let before = alloc::count();
    let done = runner(count);
    let after = alloc::count();
    let each = |count: u64| count as f64 / done as f64;
    Some(vec![
        each(after.calls - before.calls),
        each(after.asked - before.asked),
    ])
}

pub fn heap(peers: &[&Peer]) -> Table {
    let mut table = Table::new(
        "heap",
        "what an idle connection holds, as server, with what drives it",
        &["bytes"],
        peers,
    );
    let plain = Message::new(Kind::Binary, 125);
    let json = Message::stream(2 << 10).swap_remove(0);
    let mut add = |name: &str, size: usize, held: &dyn Fn(&Peer) -> Option<f64>| {
        let figures = peers.iter().map(|peer| {
            let is_peer = !peer.is_bound;
            Some(vec![is_peer.then(|| held(peer)).flatten()?])
        });
        table.push(name.to_owned(), size, figures.collect());
    };
    add("opened", 0, &|peer| {
        held(
            |transport| Some((peer.open)(Role::Server, transport)),
            &[],
            None,
        )
    });
    add("after 125 B each way", 125, &|peer| {
        let open = |transport| Some((peer.open)(Role::Server, transport));
        held(open, &plain.frames(usize::MAX, None), Some(&plain))
    });
    add("after 2 KiB each way, compressed", 2 << 10, &|peer| {
        // Those that can take over contexts, and are to show what that costs.
        let takeover = peer.open_deflate(true, Transport::silent()).is_some();
        let open = |transport| peer.open_deflate(takeover, transport);
        let wire = compressed(std::slice::from_ref(&json), takeover);
        held(open, &wire, Some(&json))
    });
    table
}

/// Returns how many bytes a connection holds once it has received what is on the wire and sent the message.
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn held(
    open: impl Fn(Transport) -> Option<Box<dyn Socket>>,
    wire: &[u8],
    message: Option<&Message>,
) -> Option<f64> {
    let wire: Arc<[u8]> = wire.into();
    let used = || {
        let transport = Transport::new(Arc::clone(&wire), wire.len().max(1));
        let mut socket = open(transport)?;
        if let Some(message) = message {
            socket.receive(1, &mut Tally::default());
            socket.send(message, 1, 1);
        }
        Some(socket)
    };
    // What the thread keeps is there before it counts.
    drop(used()?);
    let mut sockets = Vec::with_capacity(CONNECTIONS);
    let before = alloc::count().live;
    for _ in 0..CONNECTIONS {
        sockets.push(used()?);
    }
    let live = alloc::count().live - before;
    Some(live as f64 / CONNECTIONS as f64 - size_of::<Transport>() as f64)
}

pub fn lengths(peers: &[&Peer]) -> Table {
    let mut table = Table::new(
        "deflate/length",
        "messages of JSON compressed at level 6, with their frames",
        &["bytes"],
        peers,
    );
    for workload in WORKLOADS {
        for &size in workload.sizes {
            let lengths: Vec<_> = peers
                .iter()
                .map(|peer| Some(vec![workload.wire_len(peer, size)?]))
                .collect();
            if lengths.iter().any(Option::is_some) {
                table.push(format!("{} {}", workload.name, bytes(size)), size, lengths);
            }
        }
    }
    table
}
