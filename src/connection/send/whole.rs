//! What has to be fast: messages that go out as they are, in a frame that the queue is ready for.

use crate::connection::send::{Masking, SendHalf, Start, header};
use crate::connection::unsent::SendError;
use crate::message::MessageKind;

impl SendHalf {
    /// Queues a message. One that goes out as it is, in a frame that the queue is ready for, has to be fast.
    #[inline(always)]
    pub(super) fn send_whole(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let len = payload.len();
        if self.is_between_messages() && self.is_one_plain_frame(len) && self.outgoing.is_ready(len)
        {
            let start = Start::message(kind, false);
            // Asked here, so that neither role's code asks for a key again: a server's message of 16 bytes takes 65
            // instructions, where `self.header` leaves 75 (bench `send`, 64 KiB at a time).
            match self.masking {
                Masking::Server => {
                    let header = header(true, start, None, len);
                    self.outgoing.append_ready(header, payload);
                }
                Masking::Client(keys) => {
                    let header = header(true, start, Some(keys()), len);
                    self.outgoing.append_ready(header, payload);
                }
            }
            return Ok(());
        }
        self.send_any(kind, payload)
    }

    /// Tells whether the connection is open and no message is in progress; the queue may still be full.
    #[inline]
    pub(super) fn is_between_messages(&self) -> bool {
        self.closing.is_open() && self.message.is_none()
    }

    /// Tells whether a message is sent in one frame that is not compressed.
    #[inline]
    pub(super) fn is_one_plain_frame(&self, len: usize) -> bool {
        (len as u64) < self.plain_below.into()
    }
}
