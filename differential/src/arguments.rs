//! The arguments that all programs take.

/// What a program is asked to do.
#[derive(Debug)]
pub struct Arguments {
    /// How many inputs to make.
    pub inputs: u64,
    pub seed: u64,
    /// The one input to look at, by its index.
    pub only: Option<u64>,
}

impl Arguments {
    /// Reads `[INPUTS] [--seed SEED] [--only INDEX]`.
    ///
    /// # Errors
    ///
    /// What is no number.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            inputs: 1_000_000,
            seed: 1,
            only: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || number(&arguments.next().unwrap_or_default());
            match &*argument {
                "--seed" => parsed.seed = value()?,
                "--only" => parsed.only = Some(value()?),
                inputs => parsed.inputs = number(inputs)?,
            }
        }
        Ok(parsed)
    }
}

fn number(argument: &str) -> Result<u64, String> {
    let parsed = argument.parse();
    parsed.map_err(|_| format!("{argument:?} is no number"))
}
