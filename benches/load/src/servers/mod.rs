//! The same echo server over each library.

mod event_loop;
mod tasks;
mod threads;

use std::future::Future;
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

pub struct Server {
    pub name: &'static str,
    serve: fn(TcpListener),
    /// Whether it can be asked for thousands of connections: a thread for each says more of threads than of libraries.
    is_for_many: bool,
}

pub const SERVERS: [Server; 7] = [
    Server {
        name: "sansocket, epoll",
        serve: event_loop::serve,
        is_for_many: true,
    },
    Server {
        name: "sansocket, tokio",
        serve: |listener| on_tokio(listener, tasks::sansocket),
        is_for_many: true,
    },
    Server {
        name: "tokio-tungstenite",
        serve: |listener| on_tokio(listener, tasks::tungstenite),
        is_for_many: true,
    },
    Server {
        name: "tokio-websockets",
        serve: |listener| on_tokio(listener, tasks::tokio_websockets),
        is_for_many: true,
    },
    Server {
        name: "fastwebsockets",
        serve: |listener| on_tokio(listener, tasks::fastwebsockets),
        is_for_many: true,
    },
    Server {
        name: "sansocket, threads",
        serve: |listener| threads::serve(&listener, threads::sansocket),
        is_for_many: false,
    },
    Server {
        name: "tungstenite, threads",
        serve: |listener| threads::serve(&listener, threads::tungstenite),
        is_for_many: false,
    },
];

pub fn is_for_many(name: &str) -> bool {
    let server = SERVERS.iter().find(|server| server.name == name);
    server.is_some_and(|server| server.is_for_many)
}

/// Serves until whoever has started this is gone.
pub fn serve(name: &str) {
    let server = SERVERS.iter().find(|server| server.name == name);
    let server = server.expect("a known server");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("an address");
    println!("{}", listener.local_addr().expect("an address").port());
    let serve = server.serve;
    thread::spawn(move || serve(listener));
    let mut input = io::stdin().lock();
    while input.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
}

/// Has a task of one thread for each connection.
fn on_tokio<F>(listener: TcpListener, echo: impl Fn(tokio::net::TcpStream) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            stream.set_nodelay(true).expect("a socket");
            tokio::task::spawn_local(echo(stream));
        }
    });
}
