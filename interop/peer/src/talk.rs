//! One connection: our end speaks, the other end echoes, and both must keep to what was agreed.

use sansocket::blocking::WebSocket;
use sansocket::deflate::Params;
use sansocket::{CloseCode, CloseFrame, Compress, Fin, Message, Role};

use crate::script::{Size, Step, Way, Window, script};
use crate::tap::Tap;
use crate::{PATIENCE, Result};

/// Says all there is to say; returns what it took.
pub fn talk(socket: &mut WebSocket<Tap>, own: Role, params: Option<Params>) -> Result<String> {
    let peer = match own {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let window = |sender| {
        params.map(|params: Params| Window {
            bits: params.window_bits(sender),
            takeover: !params.no_context_takeover(sender),
        })
    };
    let mut total = (0, 0, 0, 0);
    for step in script(params) {
        let before = (socket.stream().written, socket.stream().read);
        send(socket, &step)?;
        let reply = socket.read()?.ok_or("the connection has ended")?;
        let len = step.message.clone().into_bytes().len();
        if reply != step.message {
            return Err(format!("{} of {len} bytes came back changed", step.name).into());
        }
        let sent = socket.stream().written - before.0;
        let received = socket.stream().read - before.1;
        judge(&step, "went", step.sent(window(own)), len, sent)?;
        judge(
            &step,
            "came back",
            step.received(window(peer)),
            len,
            received,
        )?;
        total.0 += 1;
        total.1 += len;
        total.2 += sent;
        total.3 += received;
    }
    socket.close(
        Some(CloseFrame::new(CloseCode::NORMAL_CLOSURE, "")),
        PATIENCE,
    )?;
    let (count, len, sent, received) = total;
    let shorter = sent < len && received < len;
    if shorter != params.is_some() {
        return Err(format!("{len} bytes went as {sent} and came back as {received}").into());
    }
    Ok(format!(
        "{count} messages, {len} bytes as {sent} and {received}"
    ))
}

fn send(socket: &mut WebSocket<Tap>, step: &Step) -> Result<()> {
    let message = step.message.clone();
    match step.way {
        Way::Whole => socket.send(message)?,
        Way::Uncompressed => {
            socket
                .connection_mut()
                .send(message.compress(Compress::Never))
                .map_err(|refused| refused.error)?;
            socket.flush()?;
        }
        Way::Fragments => {
            let (kind, data) = (message.kind(), Message::into_bytes(message));
            let (first, rest) = data.split_at(1);
            let (middle, last) = rest.split_at(1000);
            for (part, fin) in [
                (first, Fin::More),
                (middle, Fin::More),
                (&[], Fin::More),
                (last, Fin::Last),
            ] {
                socket.connection_mut().send_fragment(kind, part, fin)?;
            }
            socket.flush()?;
        }
    }
    Ok(())
}

fn judge(step: &Step, way: &str, wanted: Size, len: usize, wire: usize) -> Result<()> {
    if wanted.fits(len, wire) {
        return Ok(());
    }
    let name = step.name;
    Err(format!("{name} of {len} bytes {way} as {wire}: not {wanted:?}").into())
}
