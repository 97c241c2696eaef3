//! A line client, like wscat: lines typed go out as text messages, messages that come in are printed.
//!
//! It shows the two halves of a connection at work in two threads, of which neither waits for the other.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::deflate::Offer;
use sansocket::handshake::{Client, Uri};
use sansocket::{
    CloseCode, CloseFrame, Config, EndedBy, Event, Outcome, ReceiveHalf, Replies, Reply, SendHalf,
    TransportAction, blocking, random,
};

const USAGE: &str = "\
usage: client URL

Sends each line of its input as a text message and prints each message it gets, until either side closes.

  URL    a WebSocket address such as ws://127.0.0.1:9001/";

/// How long the server has to answer the handshake, and to close once there is nothing more to say.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many lines may wait to be sent; typing waits for room.
const LINES: usize = 64;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let url = match args.as_slice() {
        [help] if help == "--help" || help == "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [url] if !url.starts_with('-') => url,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match talk(url) {
        Ok(outcome) => report(&outcome),
        Err(error) => {
            eprintln!("client: {url}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens a connection and talks until it has ended.
fn talk(url: &str) -> Result<Outcome, Box<dyn Error>> {
    let uri = Uri::parse(url)?;
    if uri.is_secure() {
        return Err("wss needs a TLS stream, which this example leaves out".into());
    }
    let stream = TcpStream::connect((uri.host(), uri.port()))?;
    stream.set_nodelay(true)?;
    let handshake = Client::new(&uri, random::nonce()).with_deflate(Offer::default());
    let (socket, _) = blocking::connect_with(stream, &handshake, &Config::default(), PATIENCE)?;

    let (stream, connection, rest) = socket.into_parts();
    let (receiver, sender) = connection.split();
    let replies = Replies::new();
    let (typed, lines) = mpsc::sync_channel(LINES);
    let reader = stream.try_clone()?;
    let (answers, calls) = (replies.clone(), replies.clone());
    thread::spawn(move || listen(reader, receiver, rest, &answers));
    thread::spawn(move || type_lines(typed, &calls));
    write(stream, sender, &lines, &replies)
}

/// Prints what comes in, and passes on what it asks for: that never waits, whatever the thread that writes is doing.
fn listen(
    mut stream: TcpStream,
    mut receiver: ReceiveHalf,
    mut input: BytesMut,
    replies: &Replies,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match receiver.receive_bytes(&mut input) {
            Ok(Some(event)) => {
                print(&event);
                if let Some(reply) = Reply::for_event(&event) {
                    replies.put(reply);
                }
            }
            Ok(None) => match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return replies.put(Reply::Eof),
                Ok(count) => input.extend_from_slice(&buffer[..count]),
            },
            Err(error) => {
                replies.put(Reply::Fail(error));
                // The server may go on sending: reading lets our Close frame reach it.
                while matches!(stream.read(&mut buffer), Ok(1..)) {}
                return replies.put(Reply::Eof);
            }
        }
    }
}

fn print(event: &Event<'_>) {
    match event {
        Event::Text(text) => println!("{}", text.as_str()),
        Event::Binary(data) => println!(
            "(binary, {} bytes) {:02x?}",
            data.len(),
            &data[..data.len().min(16)]
        ),
        _ => {}
    }
}

/// Passes on what is typed; the channel ends with the input.
fn type_lines(typed: mpsc::SyncSender<String>, replies: &Replies) {
    for line in io::stdin().lines().map_while(Result::ok) {
        if typed.send(line).is_err() {
            return;
        }
        replies.wake();
    }
    drop(typed);
    replies.wake();
}

/// Sends lines and answers until the connection has ended.
fn write(
    mut stream: TcpStream,
    mut sender: SendHalf,
    lines: &mpsc::Receiver<String>,
    replies: &Replies,
) -> Result<Outcome, Box<dyn Error>> {
    loop {
        let patience = match sender.transport_action() {
            TransportAction::Keep => None,
            TransportAction::Close => break,
            TransportAction::HalfClose => {
                let _ = stream.shutdown(Shutdown::Write); // fails where the connection is lost already
                Some(PATIENCE)
            }
            _ => Some(PATIENCE),
        };
        if !replies.wait(patience) {
            sender.reply(Reply::Eof); // the server takes too long to close
        }
        // Behind each line the replies come first.
        loop {
            replies.pass_to(&mut sender);
            send(&mut stream, &mut sender);
            if !sender.is_open() {
                break;
            }
            match lines.try_recv() {
                Ok(line) => sender.send_text(&line)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    sender.close(Some(CloseFrame::new(CloseCode::NORMAL_CLOSURE, "")))?;
                }
            }
        }
    }
    Ok(sender.outcome().ok_or("the connection goes on")?)
}

/// Writes all that waits to be written.
///
/// An error is not the end: the server may have sent a Close frame that says why, which the other thread still has to read.
fn send(stream: &mut TcpStream, sender: &mut SendHalf) {
    while sender.outgoing().has_remaining() {
        match stream.write(sender.outgoing().chunk()) {
            Ok(count @ 1..) => sender.outgoing().advance(count),
            Ok(0) | Err(_) => sender.drop_outgoing(),
        }
    }
}

/// Says how the connection ended; it was a success if it ended as it should.
fn report(outcome: &Outcome) -> ExitCode {
    match outcome.reason.as_str() {
        "" => println!("closed {}", outcome.code),
        reason => println!("closed {} {reason}", outcome.code),
    }
    if outcome.clean {
        return ExitCode::SUCCESS;
    }
    match (outcome.error, outcome.by) {
        (Some(error), _) => eprintln!("client: the server broke the protocol: {error}"),
        (None, EndedBy::StreamEnd) => eprintln!("client: the connection was lost"),
        (None, _) => eprintln!("client: the closing handshake was cut short"),
    }
    ExitCode::FAILURE
}
