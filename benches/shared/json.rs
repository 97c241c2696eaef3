//! Messages to compress: JSON as an application would send it.

use std::fmt::Write;

/// The length of a stream of messages: far more than a window, so that none is seen again.
const STREAM: usize = 512 << 10;

/// A stream of different messages of one schema, the same in each run.
pub(crate) fn messages(size: usize) -> Vec<String> {
    let mut source = Source {
        state: 0x5DEE_CE66_D123_4567,
        id: 1000,
    };
    (0..STREAM / size).map(|_| source.message(size)).collect()
}

struct Source {
    state: u64,
    id: u64,
}

impl Source {
    /// A message of about `size` bytes.
    fn message(&mut self, size: usize) -> String {
        let mut text = String::from("{\"v\":1,\"events\":[");
        self.push_event(&mut text);
        loop {
            let end = text.len();
            text.push(',');
            self.push_event(&mut text);
            if text.len() > size {
                text.truncate(end);
                text.push_str("]}");
                return text;
            }
        }
    }

    fn push_event(&mut self, text: &mut String) {
        self.id += 1 + self.below(3);
        let (kind, symbol) = (self.one_of(KINDS), self.one_of(SYMBOLS));
        let (id, at) = (self.id, 1_753_000_000_000 + self.id * 1000);
        let (price, cents, user) = (self.below(2000), self.below(100), self.below(1 << 24));
        let (amount, active) = (self.below(5000), self.below(2) == 0);
        write!(
            text,
            r#"{{"id":{id},"type":"{kind}","at":{at},"symbol":"{symbol}","price":{price}.{cents:02},"#
        )
        .expect("memory");
        write!(
            text,
            r#""amount":{amount},"user":"u{user:06x}","active":{active},"note":""#
        )
        .expect("memory");
        for _ in 0..=self.below(4) {
            text.push_str(self.one_of(WORDS));
            text.push(' ');
        }
        text.push_str("\"}");
    }

    fn one_of(&mut self, list: &'static str) -> &'static str {
        let count = list.split(' ').count() as u64;
        let at = usize::try_from(self.below(count)).expect("a short list");
        list.split(' ').nth(at).expect("a word")
    }

    /// A number of an xorshift generator.
    fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 32) % limit
    }
}

const KINDS: &str = "order.created order.filled order.cancelled trade position alert";
const SYMBOLS: &str =
    "EUR/USD GBP/JPY XAU/USD BTC/EUR ETH/USD USD/CHF AUD/NZD SOL/EUR OIL/USD DAX FTSE";
const WORDS: &str = "account battery cloud delayed engine forward garden harbour island journey kernel ledger market \
    network orange packet quarter reading signal ticket update valley window yellow zenith arrived blocked checked dropped \
    expired failed granted hidden ignored joined known locked merged noted opened paused queued renamed shipped turned used";
