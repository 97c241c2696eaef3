//! A stream in memory.
#![allow(
    clippy::panic_in_result_fn,
    reason = "what no stream allows ends the test"
)]

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};

use sansocket::blocking::Stream;

/// A stream in memory that brings what the peer is said to have sent, takes what is written, and fails when told to.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    /// What is still to be read.
    pub(crate) input: VecDeque<u8>,
    /// What comes behind the input.
    pub(crate) end: End,
    /// What has been written.
    pub(crate) written: Vec<u8>,
    /// How much of that has been flushed.
    pub(crate) flushed: usize,
    /// Whether the stream has been shut down for writing.
    pub(crate) shut: bool,
    /// Whether the end of the stream has been read.
    pub(crate) ended: bool,
    /// The most bytes that a call takes or brings.
    pub(crate) piece: usize,
    /// How many bytes can be written before the stream blocks.
    pub(crate) room: usize,
    /// How many calls there were.
    pub(crate) calls: usize,
    /// Which call fails, and how.
    pub(crate) fault: Option<(usize, Fault)>,
    /// The most slices that a write offered.
    pub(crate) slices: usize,
}

/// What comes behind the input of a [`Wire`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// The end of the stream.
    Eof,
    /// Nothing yet: a read blocks.
    Silence,
}

/// What a call does instead of what it should.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It fails, and the next does not.
    Once(ErrorKind),
    /// It fails, and so do all that follow.
    Always(ErrorKind),
    /// It takes or brings nothing.
    Zero,
    /// It takes or brings one byte.
    One,
}

impl Wire {
    pub(crate) fn new(input: impl Into<Vec<u8>>) -> Self {
        Self {
            input: input.into().into(),
            end: End::Eof,
            written: Vec::new(),
            flushed: 0,
            shut: false,
            ended: false,
            piece: usize::MAX,
            room: usize::MAX,
            calls: 0,
            fault: None,
            slices: 0,
        }
    }

    /// One behind whose input nothing comes, not even the end.
    pub(crate) fn silent(input: impl Into<Vec<u8>>) -> Self {
        Self {
            end: End::Silence,
            ..Self::new(input)
        }
    }

    /// Counts a call; returns how many bytes it moves at most.
    fn call(&mut self) -> io::Result<usize> {
        let call = self.calls;
        self.calls += 1;
        // Whoever calls again and again without coming to an end would hang a real stream.
        assert!(call < 2_000_000, "a call without end");
        match self.fault {
            Some((at, Fault::Once(kind))) if call == at => Err(kind.into()),
            Some((at, Fault::Always(kind))) if call >= at => Err(kind.into()),
            Some((at, Fault::Zero)) if call == at => Ok(0),
            Some((at, Fault::One)) if call == at => Ok(1),
            _ => Ok(self.piece),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.call()?;
        if most > 0 && self.input.is_empty() && self.end == End::Silence {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = most.min(buffer.len()).min(self.input.len());
        self.input.read_exact(&mut buffer[..count])?;
        self.ended |= count == 0;
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let most = self.call()?;
        assert!(!self.shut, "a write behind the shutdown");
        assert!(
            slices.iter().any(|slice| !slice.is_empty()),
            "a write of nothing"
        );
        self.slices = self.slices.max(slices.len());
        if most > 0 && self.room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let before = self.written.len();
        for slice in slices {
            let left = most.min(self.room) - (self.written.len() - before);
            self.written
                .extend_from_slice(&slice[..left.min(slice.len())]);
        }
        let count = self.written.len() - before;
        self.room = self.room.saturating_sub(count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call()?;
        self.flushed = self.written.len();
        Ok(())
    }
}

/// It never blocks, so that no timeout makes a difference.
impl Stream for Wire {
    fn shutdown_write(&mut self) -> io::Result<()> {
        assert_eq!(self.flushed, self.written.len(), "all has been flushed");
        self.shut = true;
        Ok(())
    }

    fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}
