//! The C zlib, raw DEFLATE only (RFC 1951).

use std::ffi::{CStr, c_int};
use std::mem::{MaybeUninit, size_of};
use std::ptr::{addr_of, addr_of_mut};

pub use libz_sys::{
    Z_BLOCK, Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FINISH, Z_FIXED, Z_FULL_FLUSH, Z_HUFFMAN_ONLY,
    Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_RLE, Z_SYNC_FLUSH,
};
use libz_sys::{Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFLATED, Z_OK, Z_STREAM_END, z_stream};

/// What zlib knows of a stream. It has no Rust value, since zlib wants null for a function; and it stays where it is, since
/// zlib remembers where that is.
struct Stream(Box<MaybeUninit<z_stream>>);

impl Stream {
    fn new() -> Self {
        Self(Box::new(MaybeUninit::zeroed()))
    }

    fn at(&mut self) -> *mut z_stream {
        self.0.as_mut_ptr()
    }

    /// Lets `run` go on with this input and room; returns its result, how much was used and how much has come out.
    fn step(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        run: impl FnOnce(*mut z_stream) -> c_int,
    ) -> (c_int, usize, usize) {
        let at = self.at();
        let avail_in = u32::try_from(input.len()).expect("a short input");
        let avail_out = u32::try_from(room.len()).expect("a short room");
        // SAFETY: the fields are zeroed at least; the pointers are good for the lengths beside them, and zlib does not write
        // through `next_in`.
        unsafe {
            (*at).next_in = input.as_ptr().cast_mut();
            (*at).avail_in = avail_in;
            (*at).next_out = room.as_mut_ptr();
            (*at).avail_out = avail_out;
        }
        let result = run(at);
        // SAFETY: the fields are numbers.
        let (in_left, out_left) = unsafe { ((*at).avail_in, (*at).avail_out) };
        (
            result,
            (avail_in - in_left) as usize,
            (avail_out - out_left) as usize,
        )
    }
}

const VERSION: &CStr = c"1.2.11"; // zlib compares the first character
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a hundred bytes"
)]
const SIZE: c_int = size_of::<z_stream>() as c_int;

/// A compressor.
pub struct Deflate(Stream);

impl Deflate {
    /// # Panics
    ///
    /// If zlib knows no such settings.
    #[must_use]
    pub fn new(level: c_int, window_bits: c_int, mem_level: c_int, strategy: c_int) -> Self {
        let mut stream = Stream::new();
        // SAFETY: the stream is zeroed, as zlib wants it.
        let result = unsafe {
            libz_sys::deflateInit2_(
                stream.at(),
                level,
                Z_DEFLATED,
                -window_bits,
                mem_level,
                strategy,
                VERSION.as_ptr(),
                SIZE,
            )
        };
        assert_eq!(result, Z_OK, "settings that zlib knows");
        Self(stream)
    }

    /// Appends to `output` what comes of `input`.
    ///
    /// # Panics
    ///
    /// If zlib reports an error.
    pub fn deflate(&mut self, mut input: &[u8], flush: c_int, output: &mut Vec<u8>) {
        let mut room = [0; 4_096];
        loop {
            let (result, used, len) = self.0.step(input, &mut room, |at| {
                // SAFETY: the stream was initialised, `step` has set its buffers.
                unsafe { libz_sys::deflate(at, flush) }
            });
            assert!(
                [Z_OK, Z_BUF_ERROR, Z_STREAM_END].contains(&result),
                "zlib fails with {result}"
            );
            input = &input[used..];
            output.extend_from_slice(&room[..len]);
            if len < room.len() {
                assert!(input.is_empty(), "all input is used");
                return;
            }
        }
    }

    /// Begins another stream, which may refer to `history`.
    ///
    /// # Panics
    ///
    /// If zlib reports an error.
    pub fn restart(&mut self, history: &[u8]) {
        let len = u32::try_from(history.len()).expect("a short history");
        // SAFETY: the stream was initialised.
        let reset = unsafe { libz_sys::deflateReset(self.0.at()) };
        // SAFETY: the same, and the pointer is good for the length.
        let set = unsafe { libz_sys::deflateSetDictionary(self.0.at(), history.as_ptr(), len) };
        assert_eq!((reset, set), (Z_OK, Z_OK), "a stream to restart");
    }
}

impl Drop for Deflate {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised, and is used no more.
        unsafe { libz_sys::deflateEnd(self.0.at()) };
    }
}

/// A decompressor with a window of 32 KiB.
pub struct Inflate(Stream);

/// What a step of decompression has come to.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// How much of the input was used.
    pub used: usize,
    /// How much has come out.
    pub len: usize,
    /// It stopped right behind a block, all of which has come out.
    pub block_ended: bool,
    /// The block has BFINAL.
    pub is_final: bool,
    /// How many bits of the last byte used are left.
    pub unused: c_int,
}

impl Inflate {
    /// # Panics
    ///
    /// If there is no memory.
    #[must_use]
    pub fn new() -> Self {
        let mut stream = Stream::new();
        // SAFETY: the stream is zeroed, as zlib wants it.
        let result = unsafe { libz_sys::inflateInit2_(stream.at(), -15, VERSION.as_ptr(), SIZE) };
        assert_eq!(result, Z_OK, "settings that zlib knows");
        Self(stream)
    }

    /// Goes on to the end of the block, of the input or of the room.
    ///
    /// # Errors
    ///
    /// What zlib says is wrong, and how much came out before.
    ///
    /// # Panics
    ///
    /// If zlib fails in another way.
    pub fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, (&'static str, usize)> {
        let (result, used, len) = self.0.step(input, room, |at| {
            // SAFETY: the stream was initialised, `Stream::step` has set its buffers.
            unsafe { libz_sys::inflate(at, Z_BLOCK) }
        });
        let at = self.0.at();
        if result == Z_DATA_ERROR {
            // SAFETY: behind this error there is a message, a constant of zlib.
            let said = unsafe { CStr::from_ptr(addr_of!((*at).msg).read()) };
            return Err((said.to_str().expect("ASCII"), len));
        }
        assert!(
            [Z_OK, Z_BUF_ERROR].contains(&result),
            "zlib fails with {result}"
        );
        // SAFETY: the field is a number.
        let state = unsafe { addr_of_mut!((*at).data_type).read() };
        Ok(Step {
            used,
            len,
            block_ended: state & 128 != 0,
            is_final: state & 64 != 0,
            unused: state & 31,
        })
    }

    /// Begins another stream, which may refer to `history`.
    ///
    /// # Panics
    ///
    /// If zlib reports an error.
    pub fn restart(&mut self, history: &[u8]) {
        let len = u32::try_from(history.len()).expect("a short history");
        // SAFETY: the stream was initialised.
        let reset = unsafe { libz_sys::inflateReset(self.0.at()) };
        // SAFETY: the same, and the pointer is good for the length.
        let set = unsafe { libz_sys::inflateSetDictionary(self.0.at(), history.as_ptr(), len) };
        assert_eq!((reset, set), (Z_OK, Z_OK), "a stream to restart");
    }
}

impl Default for Inflate {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised, and is used no more.
        unsafe { libz_sys::inflateEnd(self.0.at()) };
    }
}
