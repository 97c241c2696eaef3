//! Receiving within a budget: a call stops once so many bytes were inflated.

use core::mem;

use bytes::BytesMut;

use crate::connection::event::{Event, Received};
use crate::connection::receive::{ReceiveHalf, deliver};
use crate::error::ProtocolError;

impl ReceiveHalf {
    /// Does what [`receive`](Self::receive) does until `budget` bytes were inflated; see
    /// [`Connection::receive_within`](crate::Connection::receive_within).
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive).
    pub fn receive_within<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        budget: &mut usize,
    ) -> Result<Received<'i>, ProtocolError> {
        let event = self.next_within(input, budget)?;
        Ok(self.received(event, input))
    }

    /// Does what [`receive_within`](Self::receive_within) does with bytes in a [`BytesMut`], and returns events that can be
    /// kept, as [`receive_bytes`](Self::receive_bytes) does.
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive).
    pub fn receive_bytes_within(
        &mut self,
        input: &mut BytesMut,
        budget: &mut usize,
    ) -> Result<Received<'static>, ProtocolError> {
        let event = self.next_bytes_within(input, budget)?;
        Ok(self.received(event, input))
    }

    /// Returns the next event, unless the budget is used up before; [`received`](Self::received) tells why there is none.
    pub(in crate::connection) fn next_within<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        budget: &mut usize,
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        let bytes = mem::take(input);
        let step = self.next_step(bytes, budget)?;
        Ok(deliver(step, bytes, input))
    }

    /// Says why there is no event, if there is none: only a budget that is used up leaves input, or output.
    pub(in crate::connection) fn received<'i>(
        &self,
        event: Option<Event<'i>>,
        input: &[u8],
    ) -> Received<'i> {
        match event {
            Some(event) => Received::Event(event),
            None if !input.is_empty() || self.has_more() => Received::Again,
            None => Received::Wanting,
        }
    }
}
