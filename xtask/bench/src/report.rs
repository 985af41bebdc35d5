//! The table: what was measured, the goal, and whether it was met.

use std::fmt::Write as _;

/// One line of the table.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// The bare broadcast's, or the disk's, figure of the same run.
    pub(crate) beside: String,
    /// The server's figure.
    pub(crate) value: String,
    /// The goal, and whether it was met; `None` for a figure without a goal.
    pub(crate) goal: Option<Goal>,
}

/// A goal.
pub(crate) struct Goal {
    /// In words.
    pub(crate) words: String,
    /// Whether it was met.
    pub(crate) is_met: bool,
}

impl Goal {
    /// At most `limit`.
    pub(crate) fn at_most(value: f64, limit: f64, unit: &str) -> Self {
        Self { words: format!("≤ {}{unit}", short(limit)), is_met: value <= limit }
    }

    /// At least `limit`.
    pub(crate) fn at_least(value: f64, limit: f64, unit: &str) -> Self {
        Self { words: format!("≥ {}{unit}", short(limit)), is_met: value >= limit }
    }

    /// The same, with the source of the limit.
    pub(crate) fn that_is(self, source: &str) -> Self {
        Self { words: format!("{} ({source})", self.words), ..self }
    }
}

/// Sections of rows, below the conditions.
pub(crate) struct Report {
    conditions: String,
    sections: Vec<(String, Vec<Row>)>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(conditions: String) -> Self {
        Self { conditions, sections: Vec::new() }
    }

    /// Begins a section, with a sentence on how its figures were measured.
    pub(crate) fn section(&mut self, words: &str) {
        self.sections.push((words.to_owned(), Vec::new()));
    }

    /// Adds a row to the last section, and prints it.
    pub(crate) fn row(&mut self, row: Row) {
        crate::say(&line(&row));
        if let Some((_, rows)) = self.sections.last_mut() {
            rows.push(row);
        }
    }

    /// The report as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("# Benchmarks\n\n{}", self.conditions);
        let goals = self.sections.iter().flat_map(|(_, rows)| rows).filter_map(|row| row.goal.as_ref());
        let (met, missed): (Vec<_>, Vec<_>) = goals.partition(|goal| goal.is_met);
        let _ = writeln!(text, "\nGoals met: {} of {}.", met.len(), met.len() + missed.len());
        for (words, rows) in &self.sections {
            let _ =
                writeln!(text, "\n{words}\n\n| measure | beside it | Liao | goal | |\n|---|---|---|---|---|");
            for row in rows {
                let _ = writeln!(text, "{}", line(row));
            }
        }
        text
    }
}

fn line(row: &Row) -> String {
    let (goal, verdict) = match &row.goal {
        Some(Goal { words, is_met: true }) => (words.as_str(), "met"),
        Some(Goal { words, is_met: false }) => (words.as_str(), "**missed**"),
        None => ("", ""),
    };
    format!("| {} | {} | {} | {goal} | {verdict} |", row.what, row.beside, row.value)
}

/// A figure with three significant digits, and separated thousands.
pub(crate) fn short(figure: f64) -> String {
    let digits = match figure.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{figure:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (figure, text) in [
            (0.5, "0.5"),
            (5.678, "5.68"),
            (14.26, "14.3"),
            (100.4, "100"),
            (40_000.0, "40,000"),
            (2e6, "2,000,000"),
        ] {
            assert_eq!(short(figure), text);
        }
    }

    #[test]
    fn a_line_tells_figure_goal_and_verdict() {
        let mut report = Report::new("On a machine.\n".to_owned());
        report.section("Some words.");
        let goal = Goal::at_most(3.0, 2.0, " ms").that_is("twice the floor");
        report.row(Row {
            what: "a thing".into(),
            beside: "1 ms".into(),
            value: "3 ms".into(),
            goal: Some(goal),
        });
        let text = report.markdown();
        assert!(text.contains("| a thing | 1 ms | 3 ms | ≤ 2 ms (twice the floor) | **missed** |"), "{text}");
        assert!(text.contains("Goals met: 0 of 1."), "{text}");
    }
}
