//! Messages that are written at once, without the way through the queue.

use std::io::IoSlice;

use crate::connection::outgoing::{encode_frame, frame_room};
use crate::connection::refused::SendError;
use crate::connection::send::{Sender, Start};
use crate::frame::FrameHeader;
use crate::message::MessageKind;
use crate::role::Role;

/// The longest payload that is put together with its header: up to here a copy costs less than a second slice.
const JOINED_MAX: usize = 240;

impl Sender {
    /// Sends a text message by `write`, and queues what that does not take.
    ///
    /// For a transport that has nothing else to write: a short message needs no memory then, and a long one of a server is
    /// not copied. `write` gets the bytes of the frame, in slices for one vectored write, and returns how many of them it has
    /// written; 0 is right for an error, too, as the next write will meet it again. It is called at most once, and not at all
    /// if the message has to go through the queue: because something waits there, because it is compressed or cut into
    /// fragments, or because it is long and has to be masked. So [`outgoing`](Self::outgoing) has to be written
    /// afterwards, as always.
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
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
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
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        self.write_whole(MessageKind::Binary, data, write)
    }

    #[inline]
    fn write_whole(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        let fits = payload.len() <= JOINED_MAX || self.role == Role::Server;
        if !(fits && self.outgoing.is_empty() && self.goes_as_it_is(payload.len())) {
            return self.queue_whole(kind, payload);
        }
        self.may_begin()?;
        let header = self.header(true, Start::message(kind, false), payload.len());
        if payload.len() <= JOINED_MAX {
            self.write_joined(header, payload, write);
        } else {
            let (head, len) = header.encode();
            self.write_parts(head.get(..len).unwrap_or_default(), payload, write);
        }
        Ok(())
    }

    #[inline(never)]
    fn queue_whole(&mut self, kind: MessageKind, payload: &[u8]) -> Result<(), SendError> {
        self.send_whole(kind, payload)
    }

    /// Writes a short frame, put together on the stack.
    #[inline]
    fn write_joined(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) {
        let mut room = [0; frame_room(JOINED_MAX)];
        let len = encode_frame(&mut room, header, payload);
        let frame = room.get(..len).unwrap_or_default();
        let written = write(&[IoSlice::new(frame)]);
        self.outgoing.push_rest(frame, &[], written);
    }

    /// Writes a frame where its parts lie.
    #[inline]
    fn write_parts(
        &mut self,
        head: &[u8],
        payload: &[u8],
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) {
        let written = write(&[IoSlice::new(head), IoSlice::new(payload)]);
        self.outgoing.push_rest(head, payload, written);
    }
}
