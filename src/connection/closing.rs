//! The closing handshake (RFC 6455 §5.5.1, §7): every transition, and what follows from the state.
//!
//! ```text
//!                 close                    receive Close
//!         Open ───────────► Closing(sent) ───────────────► Closed(by us)
//!          │ receive Close: answered at once
//!          ├───────────────────────────────────────────────► Closed(by the peer)
//!          │ fail, from Open or Closing: a Close goes out unless one did before
//!          ├───────────────────────────────────────────────► Failed
//!          │ end of stream, from Open or Closing
//!          └───────────────────────────────────────────────► Lost
//! ```
//!
//! A Close frame is queued in the same moment in which the state says so, hence there is no state "received, not yet
//! answered", and simultaneous Close frames end in `Closed` on both sides. Whether our last bytes have been written is
//! known to the outgoing queue and comes in as an argument.

use alloc::boxed::Box;
use core::fmt;

use crate::close::{self, CloseCode, CloseFrame};
use crate::error::ProtocolError;
use crate::role::Role;
use crate::text::Utf8Bytes;

/// The state of the closing handshake.
#[derive(Debug)]
pub(super) struct Closing {
    state: State,
    /// Whether the Close frame that answers an error has its text as the reason.
    error_reason: bool,
    /// The end of the stream has come.
    eof: bool,
    /// Our Close frame, or what is before it, will never be written.
    cut: bool,
    /// What the first Close frame of each side said; memory only once there is one.
    frames: Option<Box<Frames>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Closing,
    Closed {
        by: EndedBy,
    },
    Failed {
        error: Option<ProtocolError>,
        by: EndedBy,
    },
    /// The stream has ended before.
    Lost {
        by: EndedBy,
    },
}

#[derive(Debug, Default)]
struct Frames {
    sent: Option<CloseFrame>,
    received: Option<CloseFrame>,
}

impl Closing {
    pub(super) const fn new(error_reason: bool) -> Self {
        Self {
            state: State::Open,
            error_reason,
            eof: false,
            cut: false,
            frames: None,
        }
    }

    /// Tells whether data may be sent: before our Close frame, whoever was first (§5.5.1, §6.1).
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Tells whether the peer may still be heard: until its Close frame, a failure or the end of the stream.
    #[inline]
    pub(super) fn is_listening(&self) -> bool {
        matches!(self.state, State::Open | State::Closing)
    }

    /// The application's Close frame has been queued (§7.1.2).
    pub(super) fn close(&mut self, frame: Option<CloseFrame>) {
        if self.is_open() {
            self.state = State::Closing;
            self.frames().sent = frame;
        }
    }

    /// The peer's Close frame has come (§5.5.1). Returns the answer, if none was sent before.
    #[expect(clippy::option_option, reason = "a Close frame may be without content")]
    pub(super) fn receive(&mut self, frame: Option<&CloseFrame>) -> Option<Option<CloseFrame>> {
        let was_open = self.is_open();
        let by = if was_open { EndedBy::Peer } else { EndedBy::Us };
        self.state = State::Closed { by };
        let frames = self.frames();
        frames.received = frame.cloned();
        if !was_open {
            return None;
        }
        // "the endpoint typically echos the status code it received", unless it cannot have been received
        frames.sent = frame
            .filter(|frame| frame.code.is_receivable())
            .map(|frame| CloseFrame::new(frame.code, Utf8Bytes::default()));
        Some(frames.sent.clone())
    }

    /// Returns the Close frame that tells the peer of its `error` (§7.1.7).
    pub(super) fn answer(&self, error: ProtocolError) -> CloseFrame {
        let reason = if self.error_reason {
            Utf8Bytes::from_static(error.text())
        } else {
            Utf8Bytes::default()
        };
        CloseFrame::new(error.close_code(), reason)
    }

    /// The connection fails (§7.1.7), by the peer's `error` or by the will of the application;
    /// `frame` has been queued if no other was before.
    pub(super) fn fail(&mut self, error: Option<ProtocolError>, frame: CloseFrame) {
        if !self.is_listening() {
            return;
        }
        if self.is_open() {
            self.frames().sent = Some(frame);
        }
        let by = if error.is_some() {
            EndedBy::Peer
        } else {
            EndedBy::Us
        };
        self.state = State::Failed { error, by };
    }

    /// What waits to be written never will be. `told` tells whether that is nothing but Pongs: one that waits behind our
    /// Close frame is no part of the closing handshake.
    pub(super) fn lose(&mut self, told: bool) {
        self.cut |= !told;
    }

    /// The stream has ended (§7.1.4); `told` as in [`lose`](Self::lose).
    pub(super) fn receive_eof(&mut self, told: bool) {
        if self.eof {
            return;
        }
        self.eof = true;
        self.lose(told);
        match self.state {
            State::Open => {
                self.state = State::Lost {
                    by: EndedBy::StreamEnd,
                }
            }
            State::Closing => self.state = State::Lost { by: EndedBy::Us },
            _ => {}
        }
    }

    /// Returns what `role` is to do with the transport now.
    pub(super) fn transport_action(&self, role: Role, drained: bool) -> TransportAction {
        match self.state {
            _ if self.eof => TransportAction::Close,
            State::Open => TransportAction::Keep,
            State::Closing => TransportAction::AwaitClose,
            // §7.1.1 "the underlying TCP connection ... SHOULD be closed first by the server"
            State::Closed { .. } if role == Role::Client => TransportAction::AwaitEof,
            State::Closed { .. } if drained => TransportAction::Close,
            State::Closed { .. } => TransportAction::AwaitEof,
            State::Failed { .. } => TransportAction::HalfClose,
            State::Lost { .. } => TransportAction::Close,
        }
    }

    /// Returns how the connection ended; `None` while it goes on or our last bytes wait to be written.
    pub(super) fn outcome(&self, drained: bool) -> Option<Outcome> {
        let (by, error, complete) = match self.state {
            State::Open | State::Closing => return None,
            State::Closed { by } => (by, None, true),
            State::Failed { error, by } => (by, error, false),
            State::Lost { by } => (by, None, false),
        };
        if !drained && !self.eof {
            return None;
        }
        let frames = self.frames.as_deref();
        let received = frames.and_then(|frames| frames.received.clone());
        let (code, reason) = match received {
            Some(frame) => (frame.code, frame.reason),
            // §7.1.5 "If this Close control frame contains no status code, _The WebSocket Connection Close Code_ is
            // considered to be 1005. If ... no Close control frame was received ... 1006."
            None if complete => (CloseCode::NO_STATUS_RECEIVED, Utf8Bytes::default()),
            None => (CloseCode::ABNORMAL_CLOSURE, Utf8Bytes::default()),
        };
        let sent = frames
            .and_then(|frames| frames.sent.as_ref())
            .map(|frame| frame.code);
        Some(Outcome {
            by,
            code,
            reason,
            clean: complete && !self.cut,
            sent,
            error,
        })
    }

    fn frames(&mut self) -> &mut Frames {
        self.frames.get_or_insert_default()
    }
}

/// What is to be done with the transport, once all outgoing bytes have been written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TransportAction {
    /// Go on reading and writing.
    Keep,
    /// Go on reading and writing; our Close frame is out and the peer's is awaited. Close the transport when that takes
    /// too long.
    AwaitClose,
    /// Write what is outgoing, then read and ignore what comes until the stream ends, or until that takes too long;
    /// then close the transport. A client leaves closing to the server (RFC 6455 §7.1.1).
    AwaitEof,
    /// Write what is outgoing and shut the transport down for writing; then as [`AwaitEof`](Self::AwaitEof). The
    /// connection has failed; closing at once, with input unread, could destroy the Close frame on its way.
    HalfClose,
    /// Close the transport now.
    Close,
}

impl TransportAction {
    /// Tells whether to go on reading and writing.
    #[must_use]
    pub const fn is_in_use(self) -> bool {
        matches!(self, Self::Keep | Self::AwaitClose)
    }
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EndedBy {
    /// We did: our Close frame was first, answered or not, or the application failed the connection.
    Us,
    /// The peer did: its Close frame was first, or it broke the protocol.
    Peer,
    /// Nobody: the stream ended, and neither end had sent a Close frame that the other could answer.
    StreamEnd,
}

/// How a connection ended (RFC 6455 §7.1.4 to §7.1.7).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Who ended it.
    pub by: EndedBy,
    /// The close code (RFC 6455 §7.1.5): that of the peer's Close frame, 1005 if that had none, 1006 if there was no
    /// such frame.
    pub code: CloseCode,
    /// The close reason (RFC 6455 §7.1.6): that of the peer's Close frame, else empty.
    pub reason: Utf8Bytes,
    /// Whether the closing handshake was completed (RFC 6455 §7.1.4).
    pub clean: bool,
    /// The code that we sent, if we sent a Close frame with a code.
    pub sent: Option<CloseCode>,
    /// What the peer did wrong, if that is why the connection ended.
    pub error: Option<ProtocolError>,
}

/// Says it in one line, for a log: `closed by the peer: 1001 restart`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.by {
            EndedBy::Us => "closed by us",
            EndedBy::Peer => "closed by the peer",
            EndedBy::StreamEnd => "ended with the stream",
        })?;
        f.write_str(if self.clean { ": " } else { ", not cleanly: " })?;
        close::show(self.code, &self.reason, f)?;
        match self.error {
            Some(error) => write!(f, " ({error})"),
            None => Ok(()),
        }
    }
}
