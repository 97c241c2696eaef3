//! What has to be fast: messages that go out as they are, in a frame that the queue is ready for.

use crate::connection::refused::SendError;
use crate::connection::send::{MaskKeys, Sender, Start, header};
use crate::message::MessageKind;

impl Sender {
    /// Queues a message. One that goes out as it is, in a frame that the queue is ready for, has to be fast.
    #[inline(always)]
    pub(super) fn send_whole(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let len = payload.len();
        if self.is_between_messages() && self.goes_as_it_is(len) && self.outgoing.is_ready(len) {
            self.append_whole(kind, payload);
            return Ok(());
        }
        self.send_any(kind, payload)
    }

    /// Tells whether the connection is open and no message is in progress; the queue may still be full.
    #[inline]
    pub(super) fn is_between_messages(&self) -> bool {
        self.closing.is_open() && self.message.is_none()
    }

    /// Tells whether a message is sent in one frame, and not compressed.
    #[inline]
    pub(super) fn goes_as_it_is(&self, len: usize) -> bool {
        (len as u64) < self.plain_below.into()
    }

    /// Appends a message in one frame to a queue that is ready for it.
    #[inline(always)]
    pub(super) fn append_whole(&mut self, kind: MessageKind, payload: &[u8]) {
        let start = Start::message(kind, false);
        match self.keys {
            None => {
                let header = header(true, start, None, payload.len());
                self.outgoing.append_ready(header, payload);
            }
            Some(keys) => self.append_masked(start, payload, keys),
        }
    }

    /// Not inlined, so that a server saves no registers for the call that brings a key.
    #[inline(never)]
    fn append_masked(&mut self, start: Start, payload: &[u8], keys: MaskKeys) {
        let header = header(true, start, Some(keys()), payload.len());
        self.outgoing.append_ready(header, payload);
    }
}
