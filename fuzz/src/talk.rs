//! What an application says.

use bytes::Bytes;
use sansocket::deflate::Params;
use sansocket::{Compress, Message, MessageKind, Utf8Bytes};

use crate::choices::Choices;

/// Returns what two ends may have agreed on.
pub fn params(choices: &mut Choices<'_>) -> Params {
    let flags = choices.byte();
    Params {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: choices.pick(&[15, 9, 10, 12]),
        client_max_window_bits: choices.pick(&[15, 9, 10, 12]),
    }
}

pub fn compress(choices: &mut Choices<'_>) -> Compress {
    choices.pick(&[Compress::Auto, Compress::Never, Compress::Always])
}

/// Returns a message that owns its data.
///
/// # Panics
///
/// If text is not UTF-8.
#[must_use]
pub fn message(kind: MessageKind, payload: &[u8]) -> Message {
    let data = Bytes::copy_from_slice(payload);
    match kind {
        MessageKind::Text => Message::Text(Utf8Bytes::try_from(data).expect("UTF-8")),
        MessageKind::Binary => Message::Binary(data),
    }
}
