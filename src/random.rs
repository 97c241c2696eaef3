//! What a client needs of randomness, for its handshake and for each frame.

/// Returns a masking key that cannot be predicted from those before it (RFC 6455 §5.3, §10.3).
///
/// It comes from a generator of the thread, `ChaCha12`, which the operating system has seeded; without the feature `std` from
/// the operating system itself. A process that forks shares its generators with its child: let one of them send.
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
    //! Keys come from a generator that no one can predict who does not know its seed: asking the system for each, or for
    //! many at a time, costs more than a short frame.

    use core::cell::RefCell;

    use chacha20::ChaCha12Rng;
    use chacha20::rand_core::{Rng, SeedableRng};

    std::thread_local! {
        static GENERATOR: RefCell<Option<ChaCha12Rng>> = const { RefCell::new(None) };
    }

    #[inline]
    pub(super) fn next() -> [u8; 4] {
        GENERATOR.with_borrow_mut(|generator| {
            let generator = generator.get_or_insert_with(seeded);
            generator.next_u32().to_le_bytes()
        })
    }

    #[cold]
    fn seeded() -> ChaCha12Rng {
        let mut seed = [0; 32];
        super::fill(&mut seed);
        ChaCha12Rng::from_seed(seed)
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
