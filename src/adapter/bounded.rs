//! A blocking stream whose calls end in time.

use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::time::Instant;

use super::LINGER_BYTES;
use super::stream::Stream;

/// How long a single call waits where something else is to be looked at in between, and at the least where it is bounded:
/// some ticks of the operating system's clock, so that a call that has waited can be told from one that does not block.
pub(super) const SLICE: Duration = Duration::from_millis(10);

/// A blocking stream, and how long its calls block: by default as long as the application has set.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    read: Timeout,
    write: Timeout,
}

/// How long the calls of one direction block.
#[derive(Clone, Copy, Debug)]
struct Timeout {
    /// The timeout that the application has set.
    own: Option<Duration>,
    /// The timeout that the stream has now.
    set: Option<Duration>,
}

impl Timeout {
    /// Takes the application's timeout; a stream that cannot tell has none.
    fn new(own: io::Result<Option<Duration>>) -> Self {
        let own = own.unwrap_or(None);
        Self { own, set: own }
    }

    /// Sets the stream's timeout by `set` unless it is that already; tells whether it is in force.
    fn bound(
        &mut self,
        timeout: Option<Duration>,
        set: impl FnOnce(Option<Duration>) -> io::Result<()>,
    ) -> bool {
        if self.set != timeout {
            if set(timeout).is_err() {
                return false;
            }
            self.set = timeout;
        }
        true
    }
}

impl<S: Stream> Bounded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            read: Timeout::new(stream.read_timeout()),
            write: Timeout::new(stream.write_timeout()),
            stream,
        }
    }

    /// Returns the stream with the timeouts that the application has set.
    pub(super) fn into_inner(mut self) -> S {
        self.bound_read(self.read.own);
        self.bound_write(self.write.own);
        self.stream
    }

    pub(super) const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Returns how long the application lets a read block.
    pub(super) const fn read_timeout(&self) -> Option<Duration> {
        self.read.own
    }

    pub(super) const fn set_timeouts(&mut self, read: Option<Duration>, write: Option<Duration>) {
        self.read.own = read;
        self.write.own = write;
    }

    /// Has reads block no longer than `timeout`; tells whether the stream can.
    fn bound_read(&mut self, timeout: Option<Duration>) -> bool {
        let stream = &mut self.stream;
        self.read.bound(timeout, |t| stream.set_read_timeout(t))
    }

    fn bound_write(&mut self, timeout: Option<Duration>) -> bool {
        let stream = &mut self.stream;
        self.write.bound(timeout, |t| stream.set_write_timeout(t))
    }

    /// Reads once, for `timeout` at most; as long as the application lets a read block where it is `None`.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        self.bound_read(timeout.or(self.read.own));
        retry(|| self.stream.read(buffer))
    }

    /// Writes once, for [`SLICE`] at most.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.bound_write(Some(self.write.own.map_or(SLICE, |own| own.min(SLICE))));
        retry(|| match slices {
            [slice] => self.stream.write(slice), // a system call of less work
            _ => self.stream.write_vectored(slices),
        })
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        retry(|| self.stream.flush())
    }

    /// Writes all of `bytes` and flushes, until `deadline`.
    #[expect(
        clippy::indexing_slicing,
        reason = "a stream takes no more than it was given"
    )]
    pub(super) fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        let mut written = 0;
        let mut patience = Patience::until(deadline);
        while written < bytes.len() {
            match self.write(&[IoSlice::new(&bytes[written..])]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    written = written.saturating_add(count);
                    patience.progress();
                }
                Err(error) => patience.bear(error)?,
            }
        }
        self.flush()
    }

    /// Returns the patience with writes that block: as long as the application lets them, and until `deadline`.
    pub(super) fn write_patience(&self, deadline: Option<Instant>) -> Patience {
        Patience {
            timeout: self.write.own,
            deadline,
            since: None,
        }
    }

    /// Shuts the stream down for writing, then reads and ignores input until the stream ends: with input unread, the
    /// operating system would destroy the last bytes written. Ends at `deadline`, or behind [`LINGER_BYTES`].
    ///
    /// Where the stream cannot be bounded in time, it is not read at all.
    pub(super) fn shut_down(&mut self, deadline: Instant) {
        let shut = self.stream.shutdown_write();
        if shut.is_ok() {
            self.drain(deadline);
        }
    }

    /// Does what [`shut_down`](Self::shut_down) does behind the shutdown.
    pub(super) fn drain(&mut self, deadline: Instant) {
        let mut left = LINGER_BYTES;
        while let Some(time) = time_left(deadline)
            && self.bound_read(Some(time))
            && let Ok(count @ 1..) = retry(|| self.stream.read(&mut [0; super::READ]))
            && left > count
        {
            left = left.saturating_sub(count);
        }
    }
}

/// Returns how long is left until `deadline`, but no less than [`SLICE`]; `None` if it has passed.
pub(super) fn time_left(deadline: Instant) -> Option<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then(|| left.max(SLICE))
}

/// How long to try again a call that runs out of time.
#[derive(Debug)]
pub(super) struct Patience {
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// When the first try ended behind the last progress, and when the last.
    since: Option<(Instant, Instant)>,
}

impl Patience {
    pub(super) const fn until(deadline: Instant) -> Self {
        Self {
            timeout: None,
            deadline: Some(deadline),
            since: None,
        }
    }

    /// Begins anew, since something has moved.
    pub(super) const fn progress(&mut self) {
        self.since = None;
    }

    /// Takes an error of a call; returns it if it is none of time, or time has run out, or the stream does not block at all.
    pub(super) fn bear(&mut self, error: io::Error) -> io::Result<()> {
        let now = Instant::now();
        let (first, last) = *self.since.get_or_insert((now, now));
        let tried = first != now;
        let slice = self.timeout.map_or(SLICE, |timeout| timeout.min(SLICE));
        let never_blocks = tried && now.duration_since(last).saturating_mul(2) < slice;
        let is_over = self
            .timeout
            .is_some_and(|timeout| now.duration_since(first).saturating_add(slice) >= timeout)
            || self.deadline.is_some_and(|deadline| now >= deadline);
        if !is_timeout(&error) || never_blocks || is_over {
            return Err(error);
        }
        self.since = Some((first, now));
        Ok(())
    }
}

/// Tells whether the stream can be used further.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Repeats a call that was interrupted by a signal.
fn retry<T>(mut io: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match io() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
