//! Unmasked in the read buffer and lent out of it where a message came whole, else gathered. It leaves UTF-8 and the
//! gathering to the caller.

use std::cell::RefCell;
use std::io::{IoSlice, Read, Write};
use std::mem;
use std::rc::Rc;

use websocket_sans_io::{
    FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent,
};

use super::{Role, Socket, WRITE};
use crate::message::{Message, Tally};
use crate::transport::Transport;

struct SansIo {
    transport: Transport,
    decoder: WebsocketFrameDecoder,
    encoder: WebsocketFrameEncoder,
    buffer: Rc<RefCell<Box<[u8]>>>,
    message: Vec<u8>,
    control: Vec<u8>,
    out: Vec<u8>,
    role: Role,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    Box::new(SansIo {
        transport,
        decoder: WebsocketFrameDecoder::new(),
        encoder: WebsocketFrameEncoder::new(),
        buffer: Transport::buffer(),
        message: Vec::new(),
        control: Vec::new(),
        out: Vec::new(),
        role,
    })
}

fn take(tally: &mut Tally, opcode: Opcode, payload: &[u8]) {
    let is_text = opcode == Opcode::Text;
    if is_text {
        simdutf8::basic::from_utf8(payload).expect("text");
    }
    tally.take(is_text, payload);
}

fn info(opcode: Opcode, len: usize, mask: Option<[u8; 4]>) -> FrameInfo {
    FrameInfo {
        opcode,
        payload_length: len as u64,
        mask,
        fin: true,
        reserved: 0,
    }
}

impl Socket for SansIo {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        let buffer = Rc::clone(&self.buffer);
        let mut buffer = buffer.borrow_mut();
        while tally.count < until {
            let count = self.transport.read(&mut buffer).expect("memory");
            let mut input = &mut buffer[..count];
            // The piece of the message that lies in the input and may be all of it.
            let mut whole: &[u8] = &[];
            loop {
                let found = self.decoder.add_data(input).expect("infallible");
                let (used, rest) = mem::take(&mut input).split_at_mut(found.consumed_bytes);
                input = rest;
                match found.event {
                    Some(WebsocketFrameEvent::Start { frame_info, .. }) => {
                        assert!(frame_info.is_reasonable(), "valid frames");
                    }
                    Some(WebsocketFrameEvent::PayloadChunk { original_opcode }) => {
                        if original_opcode.is_control() {
                            self.control.extend_from_slice(used);
                        } else {
                            self.message.extend_from_slice(whole);
                            whole = used;
                        }
                    }
                    Some(WebsocketFrameEvent::End {
                        frame_info,
                        original_opcode,
                    }) => {
                        if original_opcode == Opcode::Ping {
                            let info = info(Opcode::Pong, self.control.len(), None);
                            let head = self.encoder.start_frame(&info);
                            self.out.extend_from_slice(&head);
                            self.out.append(&mut self.control);
                        } else if frame_info.fin && self.message.is_empty() {
                            take(tally, original_opcode, whole);
                            whole = &[];
                        } else if frame_info.fin {
                            self.message.extend_from_slice(whole);
                            whole = &[];
                            take(tally, original_opcode, &self.message);
                            self.message.clear();
                        }
                    }
                    None if used.is_empty() => break,
                    None => {}
                }
            }
            self.message.extend_from_slice(whole);
            if !self.out.is_empty() {
                self.transport.write_all(&self.out).expect("memory");
                self.out.clear();
            }
        }
    }

    /// It chooses no key; a constant one is cheaper than what the others do.
    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        for i in 1..=count {
            let len = message.bytes.len();
            if self.role == Role::Client {
                let info = info(Opcode::Binary, len, Some([1, 2, 3, 4]));
                let head = self.encoder.start_frame(&info);
                self.out.extend_from_slice(&head);
                let begin = self.out.len();
                self.out.extend_from_slice(&message.bytes);
                self.encoder.transform_frame_payload(&mut self.out[begin..]);
                if batch == 1 || self.out.len() >= WRITE || i == count {
                    self.transport.write_all(&self.out).expect("memory");
                    self.out.clear();
                }
            } else {
                let info = info(Opcode::Binary, len, None);
                let head = self.encoder.start_frame(&info);
                let slices = [IoSlice::new(&head), IoSlice::new(&message.bytes)];
                let written = self.transport.write_vectored(&slices);
                assert_eq!(
                    written.expect("memory"),
                    head.len() + len,
                    "memory takes all"
                );
            }
        }
    }
}
