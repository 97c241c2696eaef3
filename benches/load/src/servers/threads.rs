//! A thread for each connection, and blocking streams.

use std::net::{TcpListener, TcpStream};
use std::thread;

use tungstenite::protocol::WebSocketConfig;

pub fn serve(listener: &TcpListener, echo: fn(TcpStream)) {
    for stream in listener.incoming() {
        let stream = stream.expect("a client");
        stream.set_nodelay(true).expect("a socket");
        let started = thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(move || echo(stream));
        started.expect("a thread");
    }
}

/// An error is the end of a connection: the clients leave without closing.
pub fn sansocket(stream: TcpStream) {
    let Ok(mut socket) = sansocket::blocking::accept(stream) else {
        return;
    };
    while let Ok(Some(message)) = socket.read() {
        if socket.send(message).is_err() {
            return;
        }
    }
}

pub fn tungstenite(stream: TcpStream) {
    // The default of 128 KiB is zeroed before each read.
    let config = WebSocketConfig::default().read_buffer_size(4 << 10);
    let Ok(mut socket) = tungstenite::accept_with_config(stream, Some(config)) else {
        return;
    };
    while let Ok(message) = socket.read() {
        if socket.send(message).is_err() {
            return;
        }
    }
}
