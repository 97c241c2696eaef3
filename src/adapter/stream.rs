//! Blocking streams: the calls that the blocking adapter needs beside `Read + Write`.

use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

/// A blocking stream that can be shut down for writing, and whose reads and writes can be bounded in time.
///
/// Without these two, a peer that keeps silent or does not read could hold a thread for ever. `TcpStream` and `UnixStream`
/// have both; a TLS stream passes the calls on to the stream below it. [`Unbounded`] takes any other `Read + Write`.
///
/// A read or write that runs out of time returns [`WouldBlock`](ErrorKind::WouldBlock) or
/// [`TimedOut`](ErrorKind::TimedOut), and the stream can be used further.
pub trait Stream: Read + Write {
    /// Shuts the stream down for writing: the peer reads the end of the stream, and can still be read from.
    ///
    /// # Errors
    ///
    /// That of the stream.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Returns how long a read blocks; `None` if for ever.
    ///
    /// # Errors
    ///
    /// That of the stream.
    fn read_timeout(&self) -> io::Result<Option<Duration>>;

    /// Sets how long a read blocks, more than zero; `None` for ever.
    ///
    /// # Errors
    ///
    /// That of the stream.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Returns how long a write blocks; `None` if for ever.
    ///
    /// # Errors
    ///
    /// That of the stream.
    fn write_timeout(&self) -> io::Result<Option<Duration>>;

    /// Sets how long a write blocks, more than zero; `None` for ever.
    ///
    /// # Errors
    ///
    /// That of the stream.
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;
}

/// Implements [`Stream`] for a stream of the standard library.
macro_rules! stream {
    ($stream:ty) => {
        impl Stream for $stream {
            fn shutdown_write(&mut self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }

            fn read_timeout(&self) -> io::Result<Option<Duration>> {
                <$stream>::read_timeout(self)
            }

            fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$stream>::set_read_timeout(self, timeout)
            }

            fn write_timeout(&self) -> io::Result<Option<Duration>> {
                <$stream>::write_timeout(self)
            }

            fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$stream>::set_write_timeout(self, timeout)
            }
        }
    };
}

stream!(TcpStream);
#[cfg(unix)]
stream!(UnixStream);

/// Implements [`Stream`] for a pointer to one.
macro_rules! pointer {
    ($pointer:ty) => {
        impl<S: Stream + ?Sized> Stream for $pointer {
            fn shutdown_write(&mut self) -> io::Result<()> {
                (**self).shutdown_write()
            }

            fn read_timeout(&self) -> io::Result<Option<Duration>> {
                (**self).read_timeout()
            }

            fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                (**self).set_read_timeout(timeout)
            }

            fn write_timeout(&self) -> io::Result<Option<Duration>> {
                (**self).write_timeout()
            }

            fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                (**self).set_write_timeout(timeout)
            }
        }
    };
}

pointer!(&mut S);
pointer!(alloc::boxed::Box<S>);

/// Any `Read + Write` as a [`Stream`] that cannot be shut down for writing or bounded in time: a silent peer blocks a call,
/// with any timeout, as long as the stream lets it.
///
/// A connection that has ended is not kept until the peer has read the last bytes, because that could take for ever.
#[derive(Clone, Copy, Debug)]
pub struct Unbounded<S>(pub S);

impl<S: Read> Read for Unbounded<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<S: Write> Write for Unbounded<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Read + Write> Stream for Unbounded<S> {
    fn shutdown_write(&mut self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}
