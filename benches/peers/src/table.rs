//! Medians as Markdown and JSON.

use std::fmt::Write;

use crate::peers::Peer;

pub struct Table {
    workload: &'static str,
    about: &'static str,
    peers: Vec<(&'static str, bool)>,
    /// For each size, the time of each peer.
    columns: Vec<(usize, Vec<Option<f64>>)>,
}

impl Table {
    pub fn new(workload: &'static str, about: &'static str, peers: &[&Peer]) -> Self {
        Self {
            workload,
            about,
            peers: peers
                .iter()
                .map(|peer| (peer.name, peer.is_bound))
                .collect(),
            columns: Vec::new(),
        }
    }

    pub fn push(&mut self, size: usize, times: Vec<Option<f64>>) {
        self.columns.push((size, times));
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("### {}: {}, ns a message\n\n|", self.workload, self.about);
        for (size, _) in &self.columns {
            let _ = write!(text, " | {}", bytes(*size));
        }
        text.push_str(" |\n|---");
        text.push_str(&"|---:".repeat(self.columns.len()));
        text.push_str("|\n");
        for (row, (name, _)) in self.peers.iter().enumerate() {
            let _ = write!(text, "| {name}");
            for (_, times) in &self.columns {
                let cell = times[row].map_or_else(|| "–".to_owned(), nanoseconds);
                if times[row].is_some() && times[row] == self.best(times) {
                    let _ = write!(text, " | **{cell}**");
                } else {
                    let _ = write!(text, " | {cell}");
                }
            }
            text.push_str(" |\n");
        }
        text.push('\n');
        text
    }

    pub fn json(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (size, times) in &self.columns {
            for ((name, _), time) in self.peers.iter().zip(times) {
                if let Some(time) = time {
                    lines.push(format!(
                        r#"  {{"workload": "{}", "size": {size}, "peer": "{name}", "ns": {time:.2}}}"#,
                        self.workload
                    ));
                }
            }
        }
        lines
    }

    fn best(&self, times: &[Option<f64>]) -> Option<f64> {
        let times = self.peers.iter().zip(times);
        times
            .filter(|((_, is_bound), _)| !is_bound)
            .filter_map(|(_, time)| *time)
            .min_by(f64::total_cmp)
    }
}

fn bytes(size: usize) -> String {
    match size {
        0..1_024 => format!("{size} B"),
        1_024..1_048_576 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}

fn nanoseconds(time: f64) -> String {
    if time < 100.0 {
        format!("{time:.1}")
    } else if time < 100_000.0 {
        format!("{time:.0}")
    } else {
        format!("{:.0}k", time / 1_000.0)
    }
}
