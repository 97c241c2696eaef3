//! What a client needs of randomness, for its handshake and for each frame.

/// Returns a masking key that cannot be predicted from those before it (RFC 6455 §5.3, §10.3).
///
/// It comes from a generator of the thread, `ChaCha12`, which the operating system has seeded; without the feature `std` from
/// the operating system itself.
///
/// A copy of a process has the same generators, and makes the same keys: the child of a `fork`, and a virtual machine that is
/// restored from a snapshot, perhaps many times. Whoever saw the keys of one copy can predict those of the others. Let one
/// copy send, start the threads that send after the copy, or give
/// [`Connection::client_with_keys`](crate::Connection::client_with_keys) a function that asks the operating system for each key.
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

    use core::cell::{Cell, RefCell};

    use chacha20::ChaCha12Rng;
    use chacha20::rand_core::{Rng, SeedableRng};

    /// How many keys are made at a time: four blocks of 64 bytes, which the generator makes at once.
    const MADE: usize = 64;

    /// Keys that were made beforehand, so that taking one costs little.
    struct Made {
        keys: [Cell<[u8; 4]>; MADE],
        used: Cell<usize>,
    }

    std::thread_local! {
        static KEYS: Made = const {
            Made { keys: [const { Cell::new([0; 4]) }; MADE], used: Cell::new(MADE) }
        };

        static GENERATOR: RefCell<Option<ChaCha12Rng>> = const { RefCell::new(None) };
    }

    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "less than `MADE`")]
    pub(super) fn next() -> [u8; 4] {
        KEYS.with(|made| {
            let used = made.used.get();
            let Some(key) = made.keys.get(used) else {
                return make(made);
            };
            made.used.set(used + 1);
            key.get()
        })
    }

    /// Makes more keys, and returns one.
    #[cold]
    #[inline(never)]
    fn make(made: &Made) -> [u8; 4] {
        let mut bytes = [[0; 4]; MADE];
        let generated = GENERATOR.try_with(|generator| {
            let mut generator = generator.borrow_mut();
            let generator = generator.get_or_insert_with(seeded);
            generator.fill_bytes(bytes.as_flattened_mut());
        });
        // A destructor of the thread sends, and the generator is gone.
        if generated.is_err() {
            super::fill(bytes.as_flattened_mut());
        }
        for (key, bytes) in made.keys.iter().zip(bytes) {
            key.set(bytes);
        }
        made.used.set(1);
        let [first, ..] = bytes;
        first
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

#[cfg(all(test, feature = "std"))]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use super::*;

    /// M-02, M-03: the keys that are made next are not those that were made before, and no thread makes those of another.
    #[test]
    fn keys_are_fresh() {
        let keys = || (0..150).map(|_| mask_key()).collect::<Vec<_>>();
        let (first, second) = (keys(), keys());
        let other = std::thread::spawn(keys).join().expect("keys");
        for keys in [&first, &second, &other] {
            // Chance may bring one key twice, in some run of a hundred thousand.
            let different = keys.iter().collect::<BTreeSet<_>>();
            assert!(different.len() >= 149, "a key twice in {keys:?}");
        }
        for (a, b) in [(&first, &second), (&first, &other), (&second, &other)] {
            let common = a.iter().filter(|key| b.contains(key));
            assert!(common.count() < 3, "keys of {a:?} are in {b:?}");
        }
    }

    /// HS-09: each handshake has a nonce of its own.
    #[test]
    fn nonces_are_fresh() {
        let nonces: BTreeSet<_> = (0..100).map(|_| nonce()).collect();
        assert_eq!(nonces.len(), 100);
    }
}
