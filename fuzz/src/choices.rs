//! Random input read as choices.

/// What is left of the input. Where it has ended, every choice is the first.
#[derive(Debug)]
pub struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub fn byte(&mut self) -> u8 {
        let (byte, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *byte
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    /// Returns the next bytes: as many as the first of them says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.take(len)
    }

    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns a payload: some bytes, perhaps repeated so that it gets long.
    pub fn payload(&mut self) -> Vec<u8> {
        let times = self.pick(&[1, 1, 1, 1, 3, 40, 300, 4_000]);
        let len = usize::from(self.byte() & 31);
        self.take(len).repeat(times)
    }

    /// Returns a payload that is UTF-8.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.payload()).into_owned()
    }
}
