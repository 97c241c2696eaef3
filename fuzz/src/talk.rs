//! What an application says.

use bytes::Bytes;
use sansocket::deflate::Params;
use sansocket::{Compress, CompressionMemory, Message, MessageKind, Utf8Bytes};

use crate::choices::Choices;

/// Returns what two ends may have agreed on; makes all messages short enough that they come to few windows, since an engine
/// does as much when a small one is full as when a large one is.
pub fn params(choices: &mut Choices<'_>) -> Params {
    let flags = choices.byte();
    let params = Params::default()
        .with_server_no_context_takeover(flags & 1 != 0)
        .with_client_no_context_takeover(flags & 2 != 0)
        .with_server_max_window_bits(15 - choices.byte() % 8)
        .with_client_max_window_bits(15 - choices.byte() % 8);
    let smallest = params
        .server_max_window_bits
        .min(params.client_max_window_bits);
    choices.shorten(8 << smallest);
    params
}

/// Returns how hard to compress: every level, and two numbers that are none.
pub fn level(choices: &mut Choices<'_>) -> u8 {
    choices.pick(&[6, 1, 9, 2, 3, 4, 5, 7, 8, 0, 10])
}

/// Returns what is kept to compress the next message with.
pub fn memory(choices: &mut Choices<'_>) -> CompressionMemory {
    match choices.byte() % 16 {
        bits @ 8..=15 => CompressionMemory::History(bits),
        _ => CompressionMemory::Engine,
    }
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
