//! Figures as Markdown.

use std::fmt::Write;

pub struct Table {
    text: String,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let mut text = format!("### {title}\n\n| |");
        for column in columns {
            let _ = write!(text, " {column} |");
        }
        let _ = write!(text, "\n|---{}|\n", "|---:".repeat(columns.len()));
        Self { text }
    }

    pub fn push(&mut self, name: &str, figures: &[f64]) {
        let _ = write!(self.text, "| {name} |");
        for figure in figures {
            let digits = if *figure < 100.0 { 2 } else { 0 };
            let _ = write!(self.text, " {figure:.digits$} |");
        }
        self.text.push('\n');
    }

    pub fn markdown(self) -> String {
        self.text + "\n"
    }
}
