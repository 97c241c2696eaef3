//! What connections, events and errors weigh. A server holds very many connections, so a new field has to be meant.

use core::mem::size_of;

use sansocket::{
    CloseFrame, Config, Connection, Event, FrameHeader, Limits, Message, Outcome, Payload,
    ProtocolError, ReceiveHalf, Reply, SendError, SendHalf, Text, Unsent,
};

/// An idle connection is this and nothing else, for it holds no memory on the heap.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_connection_is_small() {
    let deflate = usize::from(cfg!(feature = "deflate"));
    assert_eq!(size_of::<ReceiveHalf>(), 112 + 8 * deflate);
    assert_eq!(size_of::<SendHalf>(), 104 + 24 * deflate);
    assert_eq!(size_of::<Connection>(), 216 + 32 * deflate);
}

/// Errors come back from every call.
#[test]
fn errors_are_tiny() {
    assert_eq!(size_of::<ProtocolError>(), 1);
    assert_eq!(size_of::<SendError>(), 1);
    assert_eq!(size_of::<Result<(), SendError>>(), 1);
    assert_eq!(size_of::<Option<ProtocolError>>(), 1);
    assert!(size_of::<Unsent>() <= size_of::<Message>() + 8);
}

/// Events move once a frame.
#[test]
#[cfg(target_pointer_width = "64")]
fn events_are_small() {
    for (name, size, most) in [
        ("Event", size_of::<Event<'_>>(), 48),
        (
            "Result",
            size_of::<Result<Option<Event<'_>>, ProtocolError>>(),
            48,
        ),
        ("Payload", size_of::<Payload<'_>>(), 24),
        ("Text", size_of::<Text<'_>>(), 24),
        ("Message", size_of::<Message>(), 40),
        ("CloseFrame", size_of::<CloseFrame>(), 40),
        ("Reply", size_of::<Reply>(), 48),
        ("FrameHeader", size_of::<FrameHeader>(), 16),
        ("Outcome", size_of::<Outcome>(), 48),
        ("Limits", size_of::<Limits>(), 32),
        ("Config", size_of::<Config>(), 72),
    ] {
        assert!(size <= most, "{name} has {size} bytes");
    }
}

/// Whatever may be handed to another task can be.
#[test]
fn everything_can_move_to_another_thread() {
    fn moves<T: Send + Sync + 'static>() {}

    moves::<Connection>();
    moves::<ReceiveHalf>();
    moves::<SendHalf>();
    moves::<Reply>();
    moves::<Message>();
    moves::<Outcome>();
    moves::<Event<'static>>();
    moves::<ProtocolError>();
    moves::<Unsent>();
}
