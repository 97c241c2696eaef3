//! A TCP stream that can be told to move one byte at a time.

use std::io::{self, BufRead, BufReader, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use sansocket::blocking::Stream;

/// A TCP stream whose reads and writes move at most `limit` bytes.
///
/// It moves more at a time between itself and the system, so that even the largest messages get through in time.
pub struct Chop {
    stream: BufReader<TcpStream>,
    written: Vec<u8>,
    limit: usize,
}

impl Chop {
    pub fn new(stream: TcpStream, chop: bool) -> io::Result<Self> {
        // Many cases are a strict ping-pong of small messages.
        stream.set_nodelay(true)?;
        let limit = if chop { 1 } else { usize::MAX };
        Ok(Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            written: Vec::new(),
            limit,
        })
    }
}

impl Read for Chop {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(self.limit);
        let count = self.stream.fill_buf()?.read(&mut buf[..len])?;
        self.stream.consume(count);
        Ok(count)
    }
}

impl Write for Chop {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let len = buf.len().min(self.limit);
        self.written.extend_from_slice(&buf[..len]);
        Ok(len)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut count = 0;
        for buf in bufs {
            count += self.write(&buf[..buf.len().min(self.limit - count)])?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.stream.get_mut().write_all(&self.written);
        self.written.clear();
        result
    }
}

/// The stream's own.
impl Stream for Chop {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.stream.get_ref().shutdown(Shutdown::Write)
    }

    fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.stream.get_ref().read_timeout()
    }

    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(timeout)
    }

    fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.stream.get_ref().write_timeout()
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.get_ref().set_write_timeout(timeout)
    }
}
