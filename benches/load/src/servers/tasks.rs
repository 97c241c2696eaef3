//! A task for each connection, on tokio. Where a library gathers what it sends, it writes when there is nothing to read.

use std::convert::Infallible;
use std::fmt::Debug;

use fastwebsockets::{FragmentCollector, OpCode, upgrade};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_websockets::ServerBuilder;
use tungstenite::protocol::WebSocketConfig;

/// Sends back each message; an error is the end of a connection, as the clients leave without closing.
async fn echo<S, M, E>(mut socket: S)
where
    S: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    E: Debug,
{
    loop {
        let received = match socket.next().now_or_never() {
            Some(received) => received,
            None if socket.flush().await.is_err() => return,
            None => socket.next().await,
        };
        let Some(Ok(message)) = received else { return };
        if socket.feed(message).await.is_err() {
            return;
        }
    }
}

pub async fn sansocket(stream: TcpStream) {
    if let Ok(socket) = sansocket::tokio::accept(stream).await {
        echo(socket).await;
    }
}

pub async fn tungstenite(stream: TcpStream) {
    // The default of 128 KiB is zeroed before each read.
    let config = WebSocketConfig::default().read_buffer_size(4 << 10);
    if let Ok(socket) = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await {
        echo(socket).await;
    }
}

pub async fn tokio_websockets(stream: TcpStream) {
    if let Ok((_, socket)) = ServerBuilder::new().accept(stream).await {
        echo(socket).await;
    }
}

/// It sends each frame at once.
pub async fn fastwebsockets(stream: TcpStream) {
    let service = service_fn(|mut request| async move {
        let (response, upgraded) = upgrade::upgrade(&mut request).expect("a handshake");
        tokio::task::spawn_local(async {
            let Ok(mut socket) = upgraded.await else {
                return;
            };
            socket.set_writev(true);
            let mut socket = FragmentCollector::new(socket);
            while let Ok(frame) = socket.read_frame().await {
                let is_data = matches!(frame.opcode, OpCode::Binary | OpCode::Text);
                if !is_data || socket.write_frame(frame).await.is_err() {
                    return;
                }
            }
        });
        Ok::<_, Infallible>(response)
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = served.with_upgrades().await;
}
