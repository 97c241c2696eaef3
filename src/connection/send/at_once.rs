//! Messages that are written at once, without the way through the queue.

use std::io::IoSlice;

use crate::buffer::Buffer;
use crate::connection::encoded::{encode_frame, frame_room};
use crate::connection::send::{Masking, SendHalf, Start, header};
use crate::connection::unsent::SendError;
use crate::frame::FrameHeader;
use crate::mask;
use crate::message::MessageKind;

/// The longest payload that is put together with its header: up to here a copy costs less than a second slice.
const JOINED_MAX: usize = 240;

/// How much is masked before it is written: it stays in the CPU's nearest cache.
const MASKED_MAX: usize = 16 << 10;

impl SendHalf {
    /// Sends a text message by `write`, and queues what that does not take.
    ///
    /// For a transport that has nothing else to write: a short message needs no memory then, a long one of a server is not
    /// copied, and one of a client is masked by 16 KiB at a time. `write` gets bytes of the frame, in slices for one
    /// vectored write, and returns how many of them it has written; 0 is right for an error, too, as the next write will
    /// meet it again. It is called until it has taken all, or less than it was given. It is not called at all if the message has
    /// to go through the queue: because something waits there, or because it is compressed or cut into fragments. So
    /// [`outgoing`](Self::outgoing) has to be written afterwards, as always.
    ///
    /// A stream whose `write_vectored` writes but one slice gains nothing by this for a long message of a server: the
    /// header goes out alone, and the payload is queued.
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text); nothing is written then.
    ///
    /// # Panics
    ///
    /// If `write` returns more than it was given.
    #[inline]
    pub fn write_text(
        &mut self,
        text: &str,
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        self.write_whole(MessageKind::Text, text.as_bytes(), write)
    }

    /// Sends a binary message by `write`, and queues what that does not take, as [`write_text`](Self::write_text) does.
    ///
    /// # Errors
    ///
    /// Those of [`send_text`](Self::send_text); nothing is written then.
    ///
    /// # Panics
    ///
    /// If `write` returns more than it was given.
    #[inline]
    pub fn write_binary(
        &mut self,
        data: &[u8],
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        self.write_whole(MessageKind::Binary, data, write)
    }

    #[inline]
    fn write_whole(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        let as_it_is = self.is_between_messages() && self.is_one_plain_frame(payload.len());
        if !as_it_is || !self.outgoing.is_idle() {
            return self.send_any(kind, payload);
        }
        let start = Start::message(kind, false);
        match self.masking {
            Masking::Server => self.write_plain(start, payload, write),
            Masking::Client(keys) => self.write_masked(start, payload, keys(), write),
        }
        Ok(())
    }

    /// Writes a frame of a server.
    #[inline]
    fn write_plain(
        &mut self,
        start: Start,
        payload: &[u8],
        mut write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) {
        let header = header(true, start, None, payload.len());
        if payload.len() <= JOINED_MAX {
            return self.write_joined(header, payload, write);
        }
        let (head, len) = header.encode();
        let head = head.get(..len).unwrap_or_default();
        let written = write(&[IoSlice::new(head), IoSlice::new(payload)]);
        self.outgoing.push_rest(head, payload, written);
    }

    /// Writes a frame of a client. Not inlined, so that a server's code has no calls that bring a key or mask: its message of
    /// 1 KiB takes 76 instructions, where one function for both takes 124 (`write_binary`, as `send-one` of benches/peers).
    #[inline(never)]
    fn write_masked(
        &mut self,
        start: Start,
        payload: &[u8],
        key: [u8; 4],
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) {
        let header = header(true, start, Some(key), payload.len());
        if payload.len() <= JOINED_MAX {
            return self.write_joined(header, payload, write);
        }
        let (head, len) = header.encode();
        self.write_pieces(head.get(..len).unwrap_or_default(), payload, key, write);
    }

    /// Writes a short frame, put together on the stack.
    #[inline(always)]
    fn write_joined(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        mut write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) {
        // As little as is enough: all of it has to be zeroed.
        let (mut least, mut short, mut most);
        let room: &mut [u8] = match payload.len() {
            0..=16 => {
                least = [0; frame_room(16)];
                &mut least
            }
            17..=128 => {
                short = [0; frame_room(128)];
                &mut short
            }
            _ => {
                most = [0; frame_room(JOINED_MAX)];
                &mut most
            }
        };
        let len = encode_frame(room, header, payload);
        let frame = room.get(..len).unwrap_or_default();
        let written = write(&[IoSlice::new(frame)]);
        self.outgoing.push_rest(frame, &[], written);
    }

    /// Writes a frame piece by piece, each masked just before, as long as the transport takes all.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "sums of lengths that lie in memory"
    )]
    fn write_pieces(
        &mut self,
        head: &[u8],
        payload: &[u8],
        key: [u8; 4],
        mut write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) {
        let mut masked = Buffer::default();
        masked.space(head.len() + payload.len().min(MASKED_MAX));
        masked.push(head);
        let mut offset = 0;
        for piece in payload.chunks(MASKED_MAX) {
            mask::copy(masked.space(piece.len()), piece, key, offset);
            masked.advance(piece.len());
            offset += piece.len();
            let written = write(&[IoSlice::new(&masked)]);
            self.outgoing.push_rest(&masked, &[], written);
            if !self.outgoing.is_empty() {
                let (_, rest) = payload.split_at(offset);
                return self.outgoing.push_payload(rest, key, offset);
            }
            masked.truncate(0);
        }
    }
}
