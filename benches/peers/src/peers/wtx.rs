//! Frames lent out of its network buffer, which has 64 KiB: it grows by what is read, and reads as much as it has room for.

use std::hint::black_box;
use std::io::{IoSlice, Read, Write};

use wtx::collection::Vector;
use wtx::rng::Xorshift64;
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::compression::{Flate2, NegotiatedCompression, WindowBits};
use wtx::web_socket::{
    Compression, CompressionLevel, DeflateConfig, Frame, OpCode, WebSocket, WebSocketAcceptor,
    WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin,
};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{READ, Transport, now};

struct Wtx<N, const IS_CLIENT: bool> {
    socket: WebSocketOwned<N, Xorshift64, Transport, IS_CLIENT>,
    gathered: Vector<u8>,
    /// What is sent lies in memory that it may mask.
    out: Vec<u8>,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    match role {
        Role::Client => opened::<_, true>((), transport),
        Role::Server => opened::<_, false>((), transport),
    }
}

/// It compresses each message for itself, and resets what it inflates with: it can take over nothing.
pub(super) fn open_deflate(_: bool, transport: Transport) -> Box<dyn Socket> {
    let config = DeflateConfig {
        client_max_window_bits: WindowBits::Fifteen,
        compression_level: CompressionLevel::Six,
        server_max_window_bits: WindowBits::Fifteen,
    };
    let offer: [&[u8]; 2] = [b"Sec-WebSocket-Extensions", b"permessage-deflate"];
    let agreed = <Flate2 as Compression<false>>::negotiate(config.into(), [offer].into_iter());
    let agreed = agreed.expect("an offer");
    opened::<_, false>(agreed, transport)
}

pub(super) fn accept(transport: Transport) {
    let accepted = now(WebSocketAcceptor::default().accept(transport));
    black_box(accepted.is_ok());
}

fn opened<N: NegotiatedCompression + 'static, const IS_CLIENT: bool>(
    compression: N,
    transport: Transport,
) -> Box<dyn Socket> {
    let buffer = WebSocketBuffer::with_capacity(READ, 0, 0).expect("memory");
    let rng = Xorshift64::new(0x5DEE_CE66_D123_4567);
    let mut socket = WebSocket::new(compression, false, rng, transport, buffer);
    socket.set_max_payload_len(LIMIT);
    Box::new(Wtx::<N, IS_CLIENT> {
        socket,
        gathered: Vector::new(),
        out: Vec::new(),
    })
}

impl<N: NegotiatedCompression, const IS_CLIENT: bool> Socket for Wtx<N, IS_CLIENT> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                let frame = self
                    .socket
                    .read_frame(&mut self.gathered, WebSocketPayloadOrigin::Adaptive);
                let frame = frame.await.expect("valid frames");
                match frame.op_code() {
                    OpCode::Text => tally.take(true, frame.payload()),
                    OpCode::Binary => tally.take(false, frame.payload()),
                    _ => {}
                }
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, _: u64) {
        now(async {
            for i in 0..count {
                // A client masks in place, so each message has to be there anew.
                if IS_CLIENT || i == 0 {
                    self.out.clear();
                    self.out.extend_from_slice(&message.bytes);
                }
                let mut frame = Frame::new_fin(OpCode::Binary, &mut self.out[..]);
                let written = self.socket.write_frame(&mut frame);
                written.await.expect("memory");
            }
        });
    }
}

impl StreamReader for Transport {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(Read::read(self, bytes)?)
    }
}

impl StreamWriter for Transport {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(Write::write_all(self, bytes)?)
    }

    async fn write_all_vectored(&mut self, bytes: &[&[u8]]) -> wtx::Result<()> {
        let mut slices = [IoSlice::new(&[]); 8];
        for (slice, bytes) in slices.iter_mut().zip(bytes) {
            *slice = IoSlice::new(bytes);
        }
        let written = self.write_vectored(&slices[..bytes.len()])?;
        assert_eq!(
            written,
            bytes.iter().map(|bytes| bytes.len()).sum::<usize>(),
            "memory takes all"
        );
        Ok(())
    }
}
