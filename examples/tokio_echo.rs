//! The echo server in ten lines of tokio.

use sansocket::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
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
