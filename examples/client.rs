//! A line client, like wscat: lines typed go out as text messages, messages that come in are printed.
//!
//! It shows the two halves of a connection at work in two threads, without a lock.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::deflate::Offer;
use sansocket::handshake::{Client, Uri};
use sansocket::{
    CloseCode, CloseFrame, Config, EndedBy, Event, Outcome, Receiver, Reply, Sender, Transport,
    blocking, random,
};

const USAGE: &str = "\
usage: client URL

Sends each line of its input as a text message and prints each message it gets, until either side closes.

  URL    a WebSocket address such as ws://127.0.0.1:9001/";

/// How long the server has to close once there is nothing more to say.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many tasks may wait; whoever has another one waits with it.
const TASKS: usize = 64;

/// What the thread that writes is told to do.
enum Task {
    /// Send a line that was typed.
    Line(String),
    /// Close, since nothing more will be typed.
    Close,
    /// Answer what has come in.
    Reply(Reply),
}

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
    let mut handshake = Client::new(&uri, random::nonce());
    handshake.offer_deflate(Offer::default());
    let (socket, _) = blocking::connect_with(stream, &handshake, &Config::default())?;

    let (stream, connection, rest) = socket.into_parts();
    let (receiver, sender) = connection.split();
    let (tasks, todo) = mpsc::sync_channel(TASKS);
    let typed = tasks.clone();
    let reader = stream.try_clone()?;
    thread::spawn(move || listen(reader, receiver, rest, &tasks));
    thread::spawn(move || type_lines(&typed));
    write(stream, sender, &todo)
}

/// Prints what comes in, and passes on what it asks for.
fn listen(
    mut stream: TcpStream,
    mut receiver: Receiver,
    mut input: BytesMut,
    tasks: &mpsc::SyncSender<Task>,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let reply = match receiver.receive_bytes(&mut input) {
            Ok(Some(event)) => {
                print(&event);
                Reply::to(&event)
            }
            Ok(None) => match stream.read(&mut buffer) {
                Ok(0) | Err(_) => Some(Reply::Eof),
                Ok(count) => {
                    input.extend_from_slice(&buffer[..count]);
                    None
                }
            },
            Err(error) => Some(Reply::Fail(error)),
        };
        let Some(reply) = reply else { continue };
        let last = matches!(reply, Reply::Eof | Reply::Fail(_));
        if tasks.send(Task::Reply(reply)).is_err() || last {
            return;
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

/// Passes on what is typed, and that it has come to an end.
fn type_lines(tasks: &mpsc::SyncSender<Task>) {
    for line in io::stdin().lines().map_while(Result::ok) {
        if tasks.send(Task::Line(line)).is_err() {
            return;
        }
    }
    // Fails only when the connection has ended, which is just as well.
    let _ = tasks.send(Task::Close);
}

/// Does what it is told until the connection has ended.
fn write(
    mut stream: TcpStream,
    mut sender: Sender,
    todo: &mpsc::Receiver<Task>,
) -> Result<Outcome, Box<dyn Error>> {
    loop {
        let task = match sender.transport() {
            Transport::Keep => todo.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Transport::Close => break,
            _ => todo.recv_timeout(PATIENCE),
        };
        match task {
            Ok(Task::Line(line)) if sender.is_open() => sender.send_text(&line)?,
            Ok(Task::Close) if sender.is_open() => {
                sender.close(Some(CloseFrame::new(CloseCode::NORMAL_CLOSURE, "")))?;
            }
            Ok(Task::Line(_) | Task::Close) => {}
            Ok(Task::Reply(reply)) => {
                let failed = matches!(reply, Reply::Fail(_));
                sender.reply(reply);
                if failed {
                    send(&mut stream, &mut sender)?;
                    break;
                }
            }
            // The server takes too long to close.
            Err(_) => sender.reply(Reply::Eof),
        }
        send(&mut stream, &mut sender)?;
    }
    Ok(sender.outcome().ok_or("the connection goes on")?)
}

/// Writes all that waits to be written.
fn send(stream: &mut TcpStream, sender: &mut Sender) -> io::Result<()> {
    let outgoing = sender.outgoing();
    while outgoing.has_remaining() {
        let written = stream.write(outgoing.chunk())?;
        outgoing.advance(written);
    }
    Ok(())
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
        (None, EndedBy::Transport) => eprintln!("client: the connection was lost"),
        (None, _) => eprintln!("client: the closing handshake was cut short"),
    }
    ExitCode::FAILURE
}
