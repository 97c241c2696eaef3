//! A WebSocket echo server with a page to try it from: open the address that it prints in a browser.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Incoming, half_close};
use sansocket::deflate::Offer;
use sansocket::handshake::{HandshakeError, HeadLimits, Server, reject};
use sansocket::{Config, Error};

const USAGE: &str = "\
usage: echo_server [ADDR]

Sends every WebSocket message back to where it came from, and serves a page to try that from.

  ADDR    the address to listen on, 127.0.0.1:9001 by default; port 0 takes any free one";

/// The page; it connects back to where it came from.
const PAGE: &str = include_str!("echo.html");

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let addr = match args.as_slice() {
        [] => "127.0.0.1:9001",
        [help] if help == "--help" || help == "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [addr] if !addr.starts_with('-') => addr,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(addr) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_server: {addr}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(addr: &str) -> io::Result<()> {
    let listener = TcpListener::bind(addr)?;
    println!("listening on http://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        let client = stream.and_then(|stream| {
            let peer = stream.peer_addr()?;
            thread::Builder::new().spawn(move || {
                if let Err(error) = echo(stream) {
                    eprintln!("{peer}: {error}");
                }
            })
        });
        if let Err(error) = client {
            // The machine is short of something; waiting a little beats giving up or spinning.
            eprintln!("echo_server: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

/// Serves one client, from its HTTP request to its last message.
fn echo(stream: TcpStream) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;

    let server = Server::new().with_deflate(Offer::default());
    let incoming = Incoming::read(stream, HeadLimits::default())?;
    let mut socket = match server.accept(incoming.request()) {
        Ok(accepted) => incoming.accept(&accepted, &Config::default())?,
        Err(HandshakeError::NotUpgrade) => return page(incoming),
        Err(error) => {
            incoming.reject(&error.response())?;
            return Err(error.into());
        }
    }
    .with_half_close(half_close);
    while let Some(message) = socket.read()? {
        socket.send(message)?;
    }
    Ok(())
}

/// Answers a request that is not for a WebSocket.
fn page(incoming: Incoming<TcpStream>) -> Result<(), Error> {
    let html = [("Content-Type", "text/html; charset=utf-8")];
    let response = match incoming.request().target() {
        "/" => reject(200, &html, PAGE.as_bytes()),
        _ => reject(404, &[], b"there is nothing here but /\n"),
    };
    incoming.reject(&response.expect("the status and the headers are valid"))
}
