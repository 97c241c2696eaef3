//! Random input read as choices.

/// What is left of the input. Where it has ended, every choice is the first.
#[derive(Debug)]
pub struct Choices<'a> {
    rest: &'a [u8],
    /// How long all payloads together may get from here on.
    room: usize,
}

impl<'a> Choices<'a> {
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            room: LONGEST,
        }
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
        let (times, unit) = self.repeated();
        unit.repeat(self.fit(times, unit.len()))
    }

    /// Returns a payload that is UTF-8.
    pub fn text(&mut self) -> String {
        let (times, unit) = self.repeated();
        let unit = String::from_utf8_lossy(unit);
        unit.repeat(self.fit(times, unit.len()))
    }

    /// Makes all payloads together no longer than `len`, where long ones would take long.
    pub fn shorten(&mut self, len: usize) {
        self.room = self.room.min(len);
    }

    fn repeated(&mut self) -> (usize, &'a [u8]) {
        let times = match self.byte() {
            0..0x80 => 1,
            0x80..0xC0 => 3,
            0xC0..0xF0 => 40,
            0xF0..0xFC => 300,
            0xFC.. => LONGEST,
        };
        let len = usize::from(self.byte() & 31);
        (times, self.take(len))
    }

    /// Takes from the room for payloads; what does not fit comes once.
    fn fit(&mut self, times: usize, len: usize) -> usize {
        let times = times.min(self.room / len.max(1)).max(1);
        self.room = self.room.saturating_sub(times * len);
        times
    }
}

/// How long all payloads together get, in bytes: one of them may need a length of 64 bits and be more than a chunk. More of
/// the kind would show nothing new and take most of the time.
const LONGEST: usize = 70_000;
