//! Random bytes of the operating system: what a client needs for its handshake and for each frame.

/// Returns a masking key that cannot be predicted from those before it (RFC 6455 §5.3).
///
/// # Panics
///
/// If the operating system has no random bytes to give.
#[inline]
#[must_use]
pub fn mask_key() -> [u8; 4] {
    keys::next()
}

/// Returns the nonce of an opening handshake (RFC 6455 §4.1).
///
/// # Panics
///
/// If the operating system has no random bytes to give.
#[must_use]
pub fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    fill(&mut nonce);
    nonce
}

#[expect(
    clippy::expect_used,
    reason = "no safe key can be made without the operating system, and no peer can bring that about"
)]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(feature = "std")]
mod keys {
    //! Keys are drawn many at a time, since asking the system costs more than a short frame.

    use core::cell::RefCell;

    const KEYS: usize = 256;

    struct Drawn {
        keys: [[u8; 4]; KEYS],
        left: usize,
    }

    std::thread_local! {
        static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { keys: [[0; 4]; KEYS], left: 0 }) };
    }

    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "as many keys are left as the array has"
    )]
    pub(super) fn next() -> [u8; 4] {
        DRAWN.with_borrow_mut(|drawn| {
            if drawn.left == 0 {
                super::fill(drawn.keys.as_flattened_mut());
                drawn.left = KEYS;
            }
            drawn.left -= 1;
            drawn.keys[drawn.left]
        })
    }
}

#[cfg(not(feature = "std"))]
mod keys {
    pub(super) fn next() -> [u8; 4] {
        let mut key = [0; 4];
        super::fill(&mut key);
        key
    }
}
