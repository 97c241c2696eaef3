//! The loop around a library's way to receive, in each form that people write.
//!
//! The compiler makes other code of each of them: what is as good as free in one may cost as much as the message in another.

/// Makes the module `$forms` with a function for each form, which takes all that `$connection` has to receive.
///
/// Each form is there at eight places, because a library's function that is called at many places is not inlined.
macro_rules! forms {
    (
        $forms:ident, $connection:ident: $Connection:ty, $Error:ty, $next:expr,
        text($text:ident) $echo_text:expr, binary($data:ident) $echo_binary:expr
    ) => {
        mod $forms {
            use super::*;
            use std::error::Error;
            use std::io;

            pub(crate) type Form = fn(&mut $Connection, &mut Tally);

            #[inline(never)]
            fn by_value(event: Event<'_>, tally: &mut Tally) {
                match event {
                    Event::Text(text) => tally.take(true, text.as_bytes()),
                    Event::Binary(data) => tally.take(false, &data),
                    _ => {}
                }
            }

            #[inline(never)]
            fn payload(is_text: bool, payload: &[u8], tally: &mut Tally) {
                tally.take(is_text, payload);
            }

            #[inline(always)]
            fn bare($connection: &mut $Connection, tally: &mut Tally) -> Result<(), $Error> {
                while let Some(event) = $next? {
                    match event {
                        Event::Text(text) => tally.take(true, text.as_bytes()),
                        Event::Binary(data) => tally.take(false, &data),
                        _ => {}
                    }
                }
                Ok(())
            }

            #[inline(always)]
            fn map_err($connection: &mut $Connection, tally: &mut Tally) -> io::Result<()> {
                while let Some(event) = $next.map_err(io::Error::other)? {
                    match event {
                        Event::Text(text) => tally.take(true, text.as_bytes()),
                        Event::Binary(data) => tally.take(false, &data),
                        _ => {}
                    }
                }
                Ok(())
            }

            #[inline(always)]
            fn matching($connection: &mut $Connection, tally: &mut Tally) -> io::Result<()> {
                loop {
                    match $next {
                        Ok(Some(Event::Text(text))) => tally.take(true, text.as_bytes()),
                        Ok(Some(Event::Binary(data))) => tally.take(false, &data),
                        Ok(Some(_)) => {}
                        Ok(None) => return Ok(()),
                        Err(error) => return Err(io::Error::other(error)),
                    }
                }
            }

            #[inline(always)]
            fn expect($connection: &mut $Connection, tally: &mut Tally) -> io::Result<()> {
                while let Some(event) = $next.expect("valid frames") {
                    match event {
                        Event::Text(text) => tally.take(true, text.as_bytes()),
                        Event::Binary(data) => tally.take(false, &data),
                        _ => {}
                    }
                }
                Ok(())
            }

            #[inline(always)]
            fn event($connection: &mut $Connection, tally: &mut Tally) -> Result<(), $Error> {
                while let Some(event) = $next? {
                    by_value(event, tally);
                }
                Ok(())
            }

            #[inline(always)]
            fn slice($connection: &mut $Connection, tally: &mut Tally) -> Result<(), $Error> {
                while let Some(event) = $next? {
                    match event {
                        Event::Text(text) => payload(true, text.as_bytes(), tally),
                        Event::Binary(data) => payload(false, &data, tally),
                        _ => {}
                    }
                }
                Ok(())
            }

            #[inline(always)]
            fn echo_bare(
                $connection: &mut $Connection,
                tally: &mut Tally,
            ) -> Result<(), Box<dyn Error>> {
                while let Some(event) = $next? {
                    match event {
                        Event::Text($text) => {
                            tally.take(true, $text.as_bytes());
                            $echo_text?;
                        }
                        Event::Binary($data) => {
                            tally.take(false, &$data);
                            $echo_binary?;
                        }
                        _ => {}
                    }
                }
                Ok(())
            }

            #[inline(always)]
            fn echo_map_err($connection: &mut $Connection, tally: &mut Tally) -> io::Result<()> {
                while let Some(event) = $next.map_err(io::Error::other)? {
                    match event {
                        Event::Text($text) => {
                            tally.take(true, $text.as_bytes());
                            $echo_text.map_err(io::Error::other)?;
                        }
                        Event::Binary($data) => {
                            tally.take(false, &$data);
                            $echo_binary.map_err(io::Error::other)?;
                        }
                        _ => {}
                    }
                }
                Ok(())
            }

            #[inline(always)]
            fn echo_expect($connection: &mut $Connection, tally: &mut Tally) -> io::Result<()> {
                while let Some(event) = $next.expect("valid frames") {
                    match event {
                        Event::Text($text) => {
                            tally.take(true, $text.as_bytes());
                            $echo_text.expect("an open connection");
                        }
                        Event::Binary($data) => {
                            tally.take(false, &$data);
                            $echo_binary.expect("an open connection");
                        }
                        _ => {}
                    }
                }
                Ok(())
            }

            /// The forms, in the order of `NAMES`.
            pub(crate) const FORMS: [[Form; 8]; 9] = [
        sites!($Connection, bare: 0 1 2 3 4 5 6 7),
        sites!($Connection, map_err: 0 1 2 3 4 5 6 7),
        sites!($Connection, matching: 0 1 2 3 4 5 6 7),
        sites!($Connection, expect: 0 1 2 3 4 5 6 7),
        sites!($Connection, event: 0 1 2 3 4 5 6 7),
        sites!($Connection, slice: 0 1 2 3 4 5 6 7),
        sites!($Connection, echo_bare: 0 1 2 3 4 5 6 7),
        sites!($Connection, echo_map_err: 0 1 2 3 4 5 6 7),
        sites!($Connection, echo_expect: 0 1 2 3 4 5 6 7),
            ];
        }
    };
}

/// A form at several places, of which the compiler must not make one.
macro_rules! sites {
    ($Connection:ty, $form:ident: $($site:literal)*) => {
        [$({
            #[inline(never)]
            fn site(connection: &mut $Connection, tally: &mut Tally) {
                std::hint::black_box($site);
                $form(connection, tally).expect("valid frames");
            }
            site as Form
        }),*]
    };
}

/// What the forms are called.
pub(crate) const NAMES: [&str; 9] = [
    "`?`",
    "`.map_err(f)?`",
    "`match`",
    "`.expect`",
    "event to a function",
    "payload to a function",
    "echo, `?`",
    "echo, `.map_err(f)?`",
    "echo, `.expect`",
];

pub(crate) use {forms, sites};
