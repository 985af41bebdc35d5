//! The CPU time of one unit of work.

use std::fmt;

use crate::{process::Cpu, report::short};

/// CPU time by unit of work, of the server and of its database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    server: f64,
    /// When the database is another process.
    database: Option<f64>,
    unit: &'static str,
}

impl Cost {
    /// Milliseconds per 1,000 of `count` units of work.
    pub(crate) fn per_thousand(used: Cpu, count: f64) -> Self {
        Self::new(used, 1e6 / count, " ms")
    }

    /// Seconds per million of `count` units of work.
    pub(crate) fn per_million(used: Cpu, count: f64) -> Self {
        Self::new(used, 1e6 / count, " s")
    }

    fn new(used: Cpu, factor: f64, unit: &'static str) -> Self {
        Self {
            server: used.server.as_secs_f64() * factor,
            database: used.database.map(|database| database.as_secs_f64() * factor),
            unit,
        }
    }

    /// Of server and database together: SQLite's work is done in the server.
    pub(crate) fn total(self) -> f64 {
        self.server + self.database.unwrap_or_default()
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", short(self.server), self.unit)?;
        if let Some(database) = self.database {
            write!(f, " and mariadbd {}{}", short(database), self.unit)?;
        }
        Ok(())
    }
}
