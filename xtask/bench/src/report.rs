//! The table: what was measured, the goal, and whether it was met.

use std::fmt::Write as _;

/// A column of figures, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// The floor: the bare broadcast, or SQLite alone.
    Bare,
    Node,
    /// The server of `--beside`.
    Beside,
    Liao,
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Node => "Node",
            Self::Beside => "beside",
            Self::Liao => "Liao",
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    what: String,
    cells: Vec<(Column, String)>,
    goals: Vec<Goal>,
}

impl Row {
    /// A line without figures yet.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cells: Vec::new(), goals: Vec::new() }
    }

    /// With a figure.
    pub(crate) fn put(mut self, column: Column, figure: String) -> Self {
        self.cells.push((column, figure));
        self
    }

    /// With one more goal of Liao's figure.
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// Whether all goals are met that could be computed; `None` when there are none.
    fn is_met(&self) -> Option<bool> {
        self.goals.iter().filter_map(|goal| goal.is_met).reduce(|all, one| all && one)
    }

    fn line(&self, columns: &[Column]) -> String {
        let mut line = format!("| {} |", self.what);
        for column in columns {
            let figures = self.cells.iter().filter(|(of, _)| of == column);
            let figures = figures.map(|(_, figure)| figure.as_str()).collect::<Vec<_>>().join("; ");
            let _ = write!(line, " {figures} |");
        }
        let goals = self.goals.iter().map(|goal| goal.words.as_str()).collect::<Vec<_>>().join("; ");
        let verdict = match self.is_met() {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        let _ = write!(line, " {goals} | {verdict} |");
        line
    }
}

/// A goal.
pub(crate) struct Goal {
    words: String,
    /// Whether it was met; `None` when what it is compared with was not measured.
    is_met: Option<bool>,
}

impl Goal {
    /// At most `limit`.
    pub(crate) fn at_most(value: f64, limit: f64, unit: &str) -> Self {
        Self { words: format!("≤ {}{unit}", short(limit)), is_met: Some(value <= limit) }
    }

    /// At least `limit`.
    pub(crate) fn at_least(value: f64, limit: f64, unit: &str) -> Self {
        Self { words: format!("≥ {}{unit}", short(limit)), is_met: Some(value >= limit) }
    }

    /// At most `factor` × `base`, which is a figure of `whose`.
    pub(crate) fn at_most_times(value: f64, factor: f64, base: Option<f64>, unit: &str, whose: &str) -> Self {
        match base {
            Some(base) => Self::at_most(value, factor * base, unit).that_is(&format!("{factor} × {whose}")),
            None => Self::open(&format!("≤ {factor} × {whose}")),
        }
    }

    /// At least `factor` × `base`, which is a figure of `whose`.
    pub(crate) fn at_least_times(
        value: f64,
        factor: f64,
        base: Option<f64>,
        unit: &str,
        whose: &str,
    ) -> Self {
        match base {
            Some(base) => Self::at_least(value, factor * base, unit).that_is(&format!("{factor} × {whose}")),
            None => Self::open(&format!("≥ {factor} × {whose}")),
        }
    }

    /// A goal whose limit was not measured in this run: it has no verdict.
    pub(crate) fn open(words: &str) -> Self {
        Self { words: format!("{words}, not measured"), is_met: None }
    }

    /// The same, with the source of the limit.
    pub(crate) fn that_is(self, source: &str) -> Self {
        Self { words: format!("{} ({source})", self.words), ..self }
    }

    /// The same, and missed when `holds` is false.
    pub(crate) fn only_if(self, holds: bool) -> Self {
        Self { is_met: if holds { self.is_met } else { Some(false) }, ..self }
    }
}

/// Sections of rows, below the conditions.
pub(crate) struct Report {
    conditions: String,
    columns: Vec<Column>,
    sections: Vec<(String, Vec<Row>)>,
}

impl Report {
    /// An empty report with these columns.
    pub(crate) fn new(conditions: String, columns: Vec<Column>) -> Self {
        Self { conditions, columns, sections: Vec::new() }
    }

    /// Begins a section, with a sentence on how its figures were measured.
    pub(crate) fn section(&mut self, words: &str) {
        self.sections.push((words.to_owned(), Vec::new()));
    }

    /// Adds a row to the last section, and prints it.
    pub(crate) fn row(&mut self, row: Row) {
        crate::say(&row.line(&self.columns));
        if let Some((_, rows)) = self.sections.last_mut() {
            rows.push(row);
        }
    }

    /// The report as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("# Benchmarks\n\n{}", self.conditions);
        let verdicts = self.sections.iter().flat_map(|(_, rows)| rows).filter_map(Row::is_met);
        let (met, missed): (Vec<_>, Vec<_>) = verdicts.partition(|is_met| *is_met);
        let _ = writeln!(text, "\nRows whose goals are met: {} of {}.", met.len(), met.len() + missed.len());
        let titles = self.columns.iter().map(|column| column.title()).collect::<Vec<_>>().join(" | ");
        for (words, rows) in &self.sections {
            let _ = writeln!(text, "\n{words}\n\n| measure | {titles} | goal | verdict |");
            let _ = writeln!(text, "|---|{}---|---|", "---|".repeat(self.columns.len()));
            for row in rows {
                let _ = writeln!(text, "{}", row.line(&self.columns));
            }
        }
        text
    }
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

    fn report(row: Row) -> String {
        let mut report =
            Report::new("On a machine.\n".to_owned(), vec![Column::Bare, Column::Node, Column::Liao]);
        report.section("Some words.");
        report.row(row);
        report.markdown()
    }

    #[test]
    fn a_line_tells_figures_goals_and_verdict() {
        let row = Row::new("a thing").put(Column::Liao, "3 ms".into()).put(Column::Bare, "1 ms".into());
        let row = row.goal(Goal::at_most_times(3.0, 2.0, Some(1.0), " ms", "bare"));
        let text = report(row.goal(Goal::at_most(3.0, 4.0, " ms")));
        let line = "| a thing | 1 ms |  | 3 ms | ≤ 2 ms (2 × bare); ≤ 4 ms | **missed** |";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("are met: 0 of 1."), "{text}");
    }

    #[test]
    fn what_was_not_measured_has_no_verdict() {
        let open = || Goal::at_least_times(3.0, 1.5, None, "/s", "Node");
        let text = report(Row::new("a thing").put(Column::Liao, "3/s".into()).goal(open()));
        assert!(text.contains("| 3/s | ≥ 1.5 × Node, not measured |  |"), "{text}");
        let text = report(Row::new("a thing").goal(open()).goal(Goal::at_least(3.0, 2.0, "/s")));
        assert!(text.contains("| ≥ 1.5 × Node, not measured; ≥ 2/s | met |"), "{text}");
    }
}
