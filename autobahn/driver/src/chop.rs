//! A TCP stream that can be told to move one byte at a time.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;

use sansocket::blocking::half_close;

/// A TCP stream whose reads and writes move at most `limit` bytes.
pub struct Chop {
    stream: TcpStream,
    limit: usize,
}

impl Chop {
    pub fn new(stream: TcpStream, chop: bool) -> io::Result<Self> {
        // Many cases are a strict ping-pong of small messages.
        stream.set_nodelay(true)?;
        let limit = if chop { 1 } else { usize::MAX };
        Ok(Self { stream, limit })
    }

    pub fn half_close(&mut self) -> io::Result<()> {
        half_close(&mut self.stream)
    }
}

impl Read for Chop {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(self.limit);
        self.stream.read(&mut buf[..len])
    }
}

impl Write for Chop {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.write(&buf[..buf.len().min(self.limit)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.limit == usize::MAX {
            return self.stream.write_vectored(bufs);
        }
        let first = bufs.iter().find(|buf| !buf.is_empty());
        first.map_or(Ok(0), |buf| self.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
