//! The echo server in ten lines of tokio, and a few more to start it.

use std::env;
use std::io;
use std::process::ExitCode;

use sansocket::Error;
use tokio::net::TcpListener;

async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async {
            let mut socket = sansocket::tokio::accept(stream).await?;
            while let Some(message) = socket.read().await? {
                socket.send(message).await?;
            }
            Ok::<(), Error>(())
        });
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let addr = env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".into());
    if addr.starts_with('-') || env::args().len() > 2 {
        println!("usage: tokio_echo [ADDR]    listens on ADDR, 127.0.0.1:9001 by default");
        return ExitCode::from(if addr == "--help" { 0 } else { 2 });
    }
    let served = async {
        let listener = TcpListener::bind(&addr).await?;
        println!("listening on ws://{}/", listener.local_addr()?);
        serve(listener).await
    };
    if let Err(error) = served.await {
        eprintln!("tokio_echo: {addr}: {error}");
    }
    ExitCode::FAILURE
}
