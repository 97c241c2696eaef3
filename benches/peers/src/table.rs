//! Figures as Markdown and JSON.

use std::fmt::Write;

use crate::peers::Peer;

/// A figure of each kind that the table has; the first one is what peers are compared by.
pub type Figures = Vec<f64>;

pub struct Table {
    name: &'static str,
    about: &'static str,
    /// What each of the figures is.
    kinds: &'static [&'static str],
    peers: Vec<(&'static str, bool)>,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    /// What the name is for.
    size: usize,
    figures: Vec<Option<Figures>>,
}

impl Table {
    pub fn new(
        name: &'static str,
        about: &'static str,
        kinds: &'static [&'static str],
        peers: &[&Peer],
    ) -> Self {
        Self {
            name,
            about,
            kinds,
            peers: peers
                .iter()
                .map(|peer| (peer.name, peer.is_bound))
                .collect(),
            columns: Vec::new(),
        }
    }

    /// Adds a column, with the figures of each peer.
    pub fn push(&mut self, name: String, size: usize, figures: Vec<Option<Figures>>) {
        self.columns.push(Column {
            name,
            size,
            figures,
        });
    }

    pub fn markdown(&self) -> String {
        let mut text = self.heading();
        for row in 0..self.peers.len() {
            self.push_row(&mut text, row);
        }
        self.push_ratios(&mut text);
        text.push('\n');
        text
    }

    /// Leaves out all but the bounds, sansocket, and the best of the others.
    pub fn brief(&self) -> String {
        let mut text = self.heading();
        for (row, (name, is_bound)) in self.peers.iter().enumerate() {
            if *is_bound || OURS.contains(name) {
                self.push_row(&mut text, row);
            }
        }
        self.push_ratios(&mut text);
        text.push_str("| best other");
        for column in &self.columns {
            let cell = match self.best(&column.figures, &OURS) {
                Some((name, figure)) => format!("{} {name}", number(figure)),
                None => NONE.to_owned(),
            };
            let _ = write!(text, " | {cell}");
        }
        text.push_str(" |\n\n");
        text
    }

    fn heading(&self) -> String {
        let kinds = self.kinds.join(" / ");
        let mut text = format!("### {}: {}; {kinds}\n\n|", self.name, self.about);
        for column in &self.columns {
            let _ = write!(text, " | {}", column.name);
        }
        text.push_str(" |\n|---");
        text.push_str(&"|---:".repeat(self.columns.len()));
        text.push_str("|\n");
        text
    }

    /// Appends the row of a peer, unless there is nothing in it.
    fn push_row(&self, text: &mut String, row: usize) {
        if self.columns.iter().all(|it| it.figures[row].is_none()) {
            return;
        }
        let _ = write!(text, "| {}", self.peers[row].0);
        for column in &self.columns {
            let _ = write!(text, " | {}", self.cell(row, &column.figures));
        }
        text.push_str(" |\n");
    }

    /// Appends how many times the figures of the build before this one's are, where both are there.
    fn push_ratios(&self, text: &mut String) {
        let row_of = |name| self.peers.iter().position(|(peer, _)| *peer == name);
        let (Some(now), Some(before)) = (row_of(OWN), row_of(BEFORE)) else {
            return;
        };
        text.push_str("| now ÷ before");
        for column in &self.columns {
            let cell = match (&column.figures[now], &column.figures[before]) {
                (Some(now), Some(before)) => {
                    let ratios = now.iter().zip(before);
                    let ratios = ratios.map(|(now, before)| ratio(*now, *before));
                    ratios.collect::<Vec<_>>().join(" / ")
                }
                _ => NONE.to_owned(),
            };
            let _ = write!(text, " | {cell}");
        }
        text.push_str(" |\n");
    }

    fn cell(&self, row: usize, figures: &[Option<Figures>]) -> String {
        let Some(own) = &figures[row] else {
            return NONE.to_owned();
        };
        let mut texts = own.iter().copied().map(number);
        let first = texts.next().expect("a figure");
        let best = self.best(figures, &[]).map(|(_, figure)| figure);
        let first = if best == own.first().copied() {
            format!("**{first}**")
        } else {
            first
        };
        [first]
            .into_iter()
            .chain(texts)
            .collect::<Vec<_>>()
            .join(" / ")
    }

    pub fn json(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for column in &self.columns {
            for ((peer, _), figures) in self.peers.iter().zip(&column.figures) {
                let Some(figures) = figures else { continue };
                let mut line = format!(
                    r#"  {{"workload": "{}", "case": "{}", "size": {}, "peer": "{peer}""#,
                    self.name, column.name, column.size
                );
                for (kind, figure) in self.kinds.iter().zip(figures) {
                    let _ = write!(line, r#", "{kind}": {figure:.2}"#);
                }
                line.push('}');
                lines.push(line);
            }
        }
        lines
    }

    /// Returns the best figure of all peers but those left `out`, and whose it is.
    fn best(&self, figures: &[Option<Figures>], out: &[&str]) -> Option<(&'static str, f64)> {
        let peers = self.peers.iter().zip(figures);
        peers
            .filter(|((name, is_bound), _)| !is_bound && !out.contains(name))
            .filter_map(|((name, _), figures)| Some((*name, *figures.as_ref()?.first()?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

/// This build of sansocket, and that of another commit (`benches/before`).
const OWN: &str = "sansocket";
const BEFORE: &str = "sansocket before";
const OURS: [&str; 2] = [OWN, BEFORE];

/// Stands where there is no figure.
const NONE: &str = "–";

/// Names a length.
pub fn bytes(size: usize) -> String {
    match size {
        0..1_024 => format!("{size} B"),
        1_024..1_048_576 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}

#[expect(clippy::float_cmp, reason = "counts that are the same")]
fn ratio(now: f64, before: f64) -> String {
    if now == before {
        // So are two times nothing.
        "1".to_owned()
    } else {
        format!("{:.3}", now / before)
    }
}

fn number(figure: f64) -> String {
    if figure == 0.0 {
        "0".to_owned()
    } else if figure < 100.0 {
        format!("{figure:.1}")
    } else if figure < 100_000.0 {
        format!("{figure:.0}")
    } else {
        format!("{:.0}k", figure / 1_000.0)
    }
}
