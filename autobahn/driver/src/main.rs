//! The peer that the Autobahn testsuite talks to, over `sansocket::blocking`.
//!
//! `autobahn-driver server 127.0.0.1:0` echoes every message, one thread a connection.
//! `autobahn-driver client ws://127.0.0.1:9001` asks the suite's server for its cases and plays them.
//! `--chop` at the end moves one byte in each read and each write.

use std::env;
use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{self, Incoming, WebSocket};
use sansocket::deflate::Offer;
use sansocket::handshake::{Client, HeadLimits, Server, Uri};
use sansocket::{Config, Message, random};

use crate::chop::Chop;

mod chop;

/// How long an opening handshake may take.
const PATIENCE: Duration = Duration::from_secs(30);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args: Vec<String> = env::args().skip(1).collect();
    let chop = args.pop_if(|arg| arg == "--chop").is_some();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", address] => serve(address, chop),
        ["client", url] => play(url, chop),
        _ => Err("usage: autobahn-driver server ADDRESS | client URL [--chop]".into()),
    }
}

fn serve(address: &str, chop: bool) -> Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = Chop::new(stream?, chop)?;
        // How a connection ends is for the suite to judge.
        thread::spawn(move || {
            let _ = accept(stream).map(echo);
        });
    }
    Ok(())
}

fn accept(stream: Chop) -> Result<WebSocket<Chop>> {
    let incoming = Incoming::read(stream, HeadLimits::default(), PATIENCE)?;
    let accepted = Server::new()
        .with_deflate(Offer::default())
        .accept(incoming.request())?;
    Ok(incoming.accept(&accepted, &config())?)
}

fn play(url: &str, chop: bool) -> Result<()> {
    let address = url.strip_prefix("ws://").ok_or("no ws:// URL")?;
    let open = |path: &str| -> Result<WebSocket<Chop>> {
        let stream = Chop::new(TcpStream::connect(address)?, chop)?;
        let mut client = Client::new(&Uri::parse(&format!("{url}{path}"))?, random::nonce());
        client = client.with_deflate(Offer::default());
        Ok(blocking::connect_with(stream, &client, &config(), PATIENCE)?.0)
    };

    let Some(Message::Text(count)) = open("/getCaseCount")?.read()? else {
        return Err("the suite told no number of cases".into());
    };
    for case in 1..=count.as_str().parse::<u32>()? {
        // How a connection ends is for the suite to judge.
        let _ = echo(open(&format!("/runCase?case={case}&agent=sansocket"))?);
    }
    // The suite closes this connection when its reports are written.
    echo(open("/updateReports?agent=sansocket")?)
}

/// Every message is compressed that may be.
fn config() -> Config {
    Config::default().with_compression_threshold(0)
}

fn echo(mut socket: WebSocket<Chop>) -> Result<()> {
    while let Some(message) = socket.read()? {
        socket.send(message)?;
    }
    Ok(())
}
