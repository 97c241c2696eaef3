//! The peer that the Autobahn testsuite talks to, over `sansocket::blocking`.
//!
//! `autobahn-driver server 127.0.0.1:0` echoes every message, one thread a connection.
//! `autobahn-driver client ws://127.0.0.1:9001` asks the suite's server for its cases and plays them.
//! `--chop` at the end moves one byte in each read and each write.

use std::env;
use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::thread;

use sansocket::Message;
use sansocket::blocking::{self, WebSocket};

use crate::chop::Chop;

mod chop;

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
        thread::spawn(move || {
            // How a connection ends is for the suite to judge.
            let _ = blocking::accept(stream).map(echo);
        });
    }
    Ok(())
}

fn play(url: &str, chop: bool) -> Result<()> {
    let address = url.strip_prefix("ws://").ok_or("no ws:// URL")?;
    let open = |path: &str| -> Result<WebSocket<Chop>> {
        let stream = Chop::new(TcpStream::connect(address)?, chop)?;
        Ok(blocking::connect(stream, &format!("{url}{path}"))?)
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

fn echo(socket: WebSocket<Chop>) -> Result<()> {
    let mut socket = socket.with_half_close(Chop::half_close);
    while let Some(message) = socket.read()? {
        socket.send(message)?;
    }
    Ok(())
}
