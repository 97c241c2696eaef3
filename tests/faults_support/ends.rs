//! Both adapters behind one face.

use core::time::Duration;

use sansocket::blocking;
use sansocket::handshake::{Client, HeadLimits, Server};
use sansocket::{CloseFrame, Config, Connection, Error, Event, Message, Outcome};

use super::Nth;
use crate::common::ZERO_KEY;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a stream is driven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Adapter {
    Blocking,
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Adapter {
    pub(crate) const ALL: &[Self] = &[
        Self::Blocking,
        #[cfg(feature = "tokio")]
        Self::Tokio,
    ];

    pub(crate) const fn blocks(self) -> bool {
        matches!(self, Self::Blocking)
    }

    /// Answers a client.
    pub(crate) fn accept<'a>(
        self,
        stream: &'a mut Nth,
        server: &Server,
        config: &Config,
    ) -> Result<Box<dyn End + 'a>, Error> {
        match self {
            Self::Blocking => accept(stream, server, config),
            #[cfg(feature = "tokio")]
            Self::Tokio => polled::accept(stream, server, config),
        }
    }

    /// Greets a server; the client's masking keys are known.
    pub(crate) fn connect<'a>(
        self,
        stream: &'a mut Nth,
        client: &Client,
        config: &Config,
    ) -> Result<Box<dyn End + 'a>, Error> {
        match self {
            Self::Blocking => connect(stream, client, config),
            #[cfg(feature = "tokio")]
            Self::Tokio => polled::connect(stream, client, config),
        }
    }
}

fn accept<'a>(
    stream: &'a mut Nth,
    server: &Server,
    config: &Config,
) -> Result<Box<dyn End + 'a>, Error> {
    let incoming = blocking::Incoming::read(stream, HeadLimits::default(), PATIENCE)?;
    match server.accept(incoming.request()) {
        Ok(accepted) => Ok(Box::new(incoming.accept(&accepted, config)?)),
        Err(error) => {
            incoming.reject(&error.response())?;
            Err(error.into())
        }
    }
}

fn connect<'a>(
    stream: &'a mut Nth,
    client: &Client,
    config: &Config,
) -> Result<Box<dyn End + 'a>, Error> {
    let (socket, established) = blocking::connect_with(stream, client, config, PATIENCE)?;
    let (stream, _, rest) = socket.into_parts();
    let connection = established.connection_with_keys(config, ZERO_KEY);
    Ok(Box::new(blocking::WebSocket::new(stream, connection, rest)))
}

/// An end of an open connection.
pub(crate) trait End {
    fn read_event(&mut self) -> Result<Option<Event<'static>>, Error>;
    fn send(&mut self, message: Message) -> Result<(), Error>;
    fn flush(&mut self) -> Result<(), Error>;
    fn close(&mut self, frame: Option<CloseFrame>) -> Result<Option<Outcome>, Error>;
    fn connection_mut(&mut self) -> &mut Connection;
    fn outcome(&self) -> Option<Outcome>;
}

impl End for blocking::WebSocket<&mut Nth> {
    fn read_event(&mut self) -> Result<Option<Event<'static>>, Error> {
        self.read_event()
    }

    fn send(&mut self, message: Message) -> Result<(), Error> {
        self.send(message)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.flush()
    }

    fn close(&mut self, frame: Option<CloseFrame>) -> Result<Option<Outcome>, Error> {
        self.close(frame, PATIENCE)
    }

    fn connection_mut(&mut self) -> &mut Connection {
        self.connection_mut()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.outcome()
    }
}

#[cfg(feature = "tokio")]
mod polled {
    extern crate alloc;

    use alloc::rc::Rc;
    use alloc::sync::Arc;
    use core::cell::RefCell;
    use core::pin::pin;
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::{Context, Poll, Waker};
    use std::task::Wake;

    use sansocket::tokio::{Incoming, WebSocket, connect_with};

    use super::*;

    type Asleep = Rc<RefCell<Vec<Waker>>>;

    /// A socket that is polled until it is ready.
    struct Polled<'a> {
        socket: WebSocket<&'a mut Nth>,
        asleep: Asleep,
    }

    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Polls a future whenever it was woken; the stream wakes whom it has seen when nothing else can be done.
    fn drive<T>(asleep: &Asleep, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            asleep.borrow_mut().drain(..).for_each(Waker::wake);
            let woken = woken.0.swap(false, Ordering::Relaxed);
            assert!(woken, "it waits, and nobody will wake it");
        }
    }

    pub(super) fn accept<'a>(
        stream: &'a mut Nth,
        server: &Server,
        config: &Config,
    ) -> Result<Box<dyn End + 'a>, Error> {
        let asleep = Rc::clone(&stream.asleep);
        let socket = drive(&asleep, async {
            let incoming = Incoming::read(stream, HeadLimits::default(), PATIENCE).await?;
            match server.accept(incoming.request()) {
                Ok(accepted) => incoming.accept(&accepted, config).await,
                Err(error) => {
                    incoming.reject(&error.response()).await?;
                    Err(error.into())
                }
            }
        })?;
        Ok(Box::new(Polled { socket, asleep }))
    }

    pub(super) fn connect<'a>(
        stream: &'a mut Nth,
        client: &Client,
        config: &Config,
    ) -> Result<Box<dyn End + 'a>, Error> {
        let asleep = Rc::clone(&stream.asleep);
        let (socket, established) = drive(&asleep, connect_with(stream, client, config, PATIENCE))?;
        let (stream, _, rest) = socket.into_parts();
        let connection = established.connection_with_keys(config, ZERO_KEY);
        let socket = WebSocket::new(stream, connection, rest);
        Ok(Box::new(Polled { socket, asleep }))
    }

    impl End for Polled<'_> {
        fn read_event(&mut self) -> Result<Option<Event<'static>>, Error> {
            drive(&self.asleep, self.socket.read_event())
        }

        fn send(&mut self, message: Message) -> Result<(), Error> {
            drive(&self.asleep, self.socket.send(message))
        }

        fn flush(&mut self) -> Result<(), Error> {
            drive(&self.asleep, self.socket.flush())
        }

        fn close(&mut self, frame: Option<CloseFrame>) -> Result<Option<Outcome>, Error> {
            drive(&self.asleep, self.socket.close(frame, PATIENCE))
        }

        fn connection_mut(&mut self) -> &mut Connection {
            self.socket.connection_mut()
        }

        fn outcome(&self) -> Option<Outcome> {
            self.socket.outcome()
        }
    }
}
