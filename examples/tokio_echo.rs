//! The echo server in a few lines of tokio, and some more to start it and to tell what goes wrong.

use std::process::ExitCode;
use std::time::Duration;

use sansocket::Error;
use tokio::net::{TcpListener, TcpStream};

const USAGE: &str = "usage: tokio_echo [ADDR]    listens on ADDR, 127.0.0.1:9001 by default";

/// Serves one client, from its HTTP request to its last message.
async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut socket = sansocket::tokio::accept(stream).await?;
    while let Some(message) = socket.read().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => drop(tokio::spawn(async move {
                if let Err(error) = echo(stream).await {
                    eprintln!("{peer}: {error}");
                }
            })),
            Err(error) => {
                // The machine is short of something; waiting a little beats giving up or spinning.
                eprintln!("tokio_echo: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
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
    let bound = async {
        let listener = TcpListener::bind(addr).await?;
        println!("listening on ws://{}/", listener.local_addr()?);
        Ok::<_, std::io::Error>(listener)
    };
    match bound.await {
        Ok(listener) => serve(listener).await,
        Err(error) => eprintln!("tokio_echo: {addr}: {error}"),
    }
    ExitCode::FAILURE
}
