//! A WebSocket echo server with a page to try it from: open the address that it prints in a browser.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sansocket::blocking::{Closer, Incoming};
use sansocket::deflate::Offer;
use sansocket::handshake::{HandshakeError, HeadLimits, Server, reject};
use sansocket::{CloseCode, CloseFrame, Config, Error, UnexpectedEof};

const USAGE: &str = "\
usage: echo_server [ADDR]

Sends every WebSocket message back to where it came from, and serves a page to try that from. Ctrl-C closes all
connections and ends the server.

  ADDR    the address to listen on, 127.0.0.1:9001 by default; port 0 takes any free one";

/// The page; it connects back to where it came from.
const PAGE: &str = include_str!("echo.html");

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long an opening handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long clients have to answer when the server ends.
const FAREWELL: Duration = Duration::from_secs(3);

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
    let closer = Closer::new();
    let open = Arc::new(()); // each connection has a clone
    end_on_ctrl_c(closer.clone(), Arc::clone(&open));
    for stream in listener.incoming() {
        let client = stream.and_then(|stream| {
            let peer = stream.peer_addr()?;
            let (closer, open) = (closer.clone(), Arc::clone(&open));
            thread::Builder::new().spawn(move || {
                match echo(stream, &closer) {
                    // Somebody has looked whether the port is open.
                    Ok(()) | Err(Error::UnexpectedEof(UnexpectedEof::BeforeHead)) => {}
                    Err(error) => eprintln!("{peer}: {error}"),
                }
                drop(open);
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

/// Has Ctrl-C close all connections and end the process, within some seconds whatever the clients do.
fn end_on_ctrl_c(closer: Closer, open: Arc<()>) {
    let end = move || {
        let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server ends");
        closer
            .close(Some(frame), FAREWELL)
            .expect("a server may send this");
        let deadline = Instant::now() + 2 * FAREWELL;
        // The listener and this handler have one clone each.
        while Arc::strong_count(&open) > 2 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        std::process::exit(0);
    };
    if let Err(error) = ctrlc::set_handler(end) {
        eprintln!("echo_server: Ctrl-C ends the server at once: {error}");
    }
}

/// Serves one client, from its HTTP request to its last message.
fn echo(stream: TcpStream, closer: &Closer) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;

    let server = Server::new().with_deflate(Offer::default());
    let incoming = Incoming::read(stream, HeadLimits::default(), HANDSHAKE)?;
    let mut socket = match server.accept(incoming.request()) {
        Ok(accepted) => incoming.accept(&accepted, &Config::default())?,
        Err(HandshakeError::NotUpgrade) => return page(incoming),
        Err(error) => {
            incoming.reject(&error.response())?;
            return Err(error.into());
        }
    }
    .with_closer(closer);
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
