//! What an application says.

use bytes::Bytes;
use sansocket::deflate::Params;
use sansocket::{Compress, Message, MessageKind, Utf8Bytes};

use crate::choices::Choices;

/// Returns what two ends may have agreed on; makes all messages short enough that they come to few windows, since an engine
/// does as much when a small one is full as when a large one is.
pub fn params(choices: &mut Choices<'_>) -> Params {
    let flags = choices.byte();
    let params = Params {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: choices.pick(&[15, 8, 9, 12]),
        client_max_window_bits: choices.pick(&[15, 8, 9, 12]),
    };
    let smallest = params
        .server_max_window_bits
        .min(params.client_max_window_bits);
    choices.shorten(8 << smallest);
    params
}

pub fn compress(choices: &mut Choices<'_>) -> Compress {
    choices.pick(&[Compress::Auto, Compress::Never, Compress::Always])
}

/// Returns into what size long messages are cut; makes all messages short enough that they come to few fragments.
pub fn fragment_size(choices: &mut Choices<'_>) -> u32 {
    let size = choices.pick(&[u32::MAX, 1, 7, 125, 4_096]);
    choices.shorten((size as usize).saturating_mul(500));
    size
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
