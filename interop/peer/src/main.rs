//! Our end of compressed connections with implementations that are not ours, over `sansocket::blocking`.
//!
//! `interop-peer server` prints where it listens. The query of a request says what the server wants:
//! `/1?level=6&server_no_context_takeover&client_max_window_bits=12`, with the names of RFC 7692 §7.1.
//!
//! `interop-peer client` connects for each line `URL LEVEL OFFER` of its input, the offer being what the header says.
//!
//! Either way our end speaks and the other end echoes: `talk`. A line says how a connection went and what was agreed;
//! that of the server begins with the path.

use std::env;
use std::error::Error;
use std::io::{self, BufRead};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use sansocket::blocking::{Incoming, WebSocket, connect_with};
use sansocket::deflate::{ClientLimit, Element, Offer, Params};
use sansocket::handshake::{Client, Extensions, HandshakeError, HeadLimits, Server, Uri, reject};
use sansocket::{Config, Connection, Role, random};

use crate::talk::talk;
use crate::tap::Tap;

mod script;
mod talk;
mod tap;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long a peer may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => serve(),
        ["client"] => connect_all(),
        _ => Err("usage: interop-peer server | client".into()),
    }
}

fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        if let Err(error) = accept(stream?) {
            println!("not ok {error}");
        }
    }
    Ok(())
}

fn accept(stream: TcpStream) -> Result<()> {
    let incoming = Incoming::read(tap(stream)?, HeadLimits::default(), PATIENCE)?;
    let target = incoming.request().target();
    let (wanted, level) = wishes(target)?;
    let path = target.split('?').next().unwrap_or(target).to_owned();
    let accepted = match Server::new()
        .with_deflate(wanted)
        .accept(incoming.request())
    {
        Err(HandshakeError::NotUpgrade) => {
            let html = [("Content-Type", "text/html")];
            return Ok(incoming.reject(&reject(200, &html, b"<!doctype html>")?)?);
        }
        accepted => accepted?,
    };
    let socket = incoming.accept(&accepted, &config(level))?;
    match say(socket, Role::Server, accepted.deflate()) {
        Ok(line) => println!("{path} ok {line}"),
        Err(error) => println!("{path} not ok {error}"),
    }
    Ok(())
}

/// Reads what the server wants from the query of a request.
fn wishes(target: &str) -> Result<(Offer, u8)> {
    let mut offer = Offer::default();
    let mut level = config(0).compression_level;
    let query = target.split_once('?').map_or("", |(_, query)| query);
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("server_no_context_takeover", "") => offer.server_no_context_takeover = true,
            ("client_no_context_takeover", "") => offer.client_no_context_takeover = true,
            ("server_max_window_bits", bits) => offer.server_max_window_bits = bits.parse()?,
            ("client_max_window_bits", bits) => offer.client_max_window_bits = bits.parse()?,
            ("level", number) => level = number.parse()?,
            _ => return Err(format!("{setting} is no setting").into()),
        }
    }
    Ok((offer, level))
}

fn connect_all() -> Result<()> {
    for line in io::stdin().lock().lines() {
        match connect(&line?) {
            Ok(line) => println!("ok {line}"),
            Err(error) => println!("not ok {error}"),
        }
    }
    Ok(())
}

fn connect(line: &str) -> Result<String> {
    let mut words = line.splitn(3, ' ');
    let (Some(url), Some(level), Some(offer)) = (words.next(), words.next(), words.next()) else {
        return Err("a line is URL LEVEL OFFER".into());
    };
    let config = config(level.parse()?);
    let offered = Extensions::parse(offer.as_bytes())?;
    let client = Client::new(&Uri::parse(url)?, random::nonce());
    let usual = usual(&offered)?;
    let client = match usual {
        Some(offer) => client.with_deflate(offer),
        None => offered.iter().fold(client, |client, extension| {
            client.with_extension(&extension)
        }),
    };
    let address = url.strip_prefix("ws://").ok_or("no ws:// URL")?;
    let address = address.split('/').next().unwrap_or(address);
    let stream = tap(TcpStream::connect(address)?)?;
    let (socket, established) = connect_with(stream, &client, &config, PATIENCE)?;
    if usual.is_some() {
        return say(socket, Role::Client, established.deflate());
    }
    let Some(params) = established.extensions().verify_deflate(&offered)? else {
        return say(socket, Role::Client, None);
    };
    let (stream, _, rest) = socket.into_parts();
    let connection = Connection::client(&config.with_deflate(params));
    let socket = WebSocket::new(stream, connection, rest);
    say(socket, Role::Client, Some(params))
}

/// Returns the [`Offer`] that writes this, if there is one: it does not say all that RFC 7692 can.
fn usual(offered: &Extensions) -> Result<Option<Offer>> {
    let offered = offered.iter().next().ok_or("nothing is offered")?;
    let element = Element::parse(offered.params())?;
    let params = element.params();
    let offers = [ClientLimit::Optional, ClientLimit::Never].map(|client_limit| {
        Offer::default()
            .with_server_no_context_takeover(params.server_no_context_takeover)
            .with_client_no_context_takeover(params.client_no_context_takeover)
            .with_server_max_window_bits(params.server_max_window_bits)
            .with_client_max_window_bits(params.client_max_window_bits)
            .with_client_limit(client_limit)
    });
    Ok(offers.into_iter().find(|offer| offer.element() == element))
}

/// Talks, and returns what was agreed and what it took.
fn say(mut socket: WebSocket<Tap>, own: Role, params: Option<Params>) -> Result<String> {
    let agreed = params.map_or_else(|| "nothing".into(), written);
    match talk(&mut socket, own, params) {
        Ok(figures) => Ok(format!("{agreed}: {figures}")),
        Err(error) => Err(format!("{agreed}: {error}").into()),
    }
}

/// Returns the parameters with nothing left to guess.
fn written(params: Params) -> String {
    let end = |name, role| {
        let takeover = if params.no_context_takeover(role) {
            " anew"
        } else {
            ""
        };
        format!("{name} {}{takeover}", params.window_bits(role))
    };
    format!(
        "{}, {}",
        end("server", Role::Server),
        end("client", Role::Client)
    )
}

fn tap(stream: TcpStream) -> io::Result<Tap> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(Tap::new(stream))
}

/// Every message is compressed that may be.
fn config(level: u8) -> Config {
    Config::default()
        .with_compression_level(level)
        .with_compression_threshold(0)
}
