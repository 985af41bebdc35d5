//! The servers that are measured, and what one gave that is not Liao.

use std::rc::Rc;

use anyhow::Result;

use crate::report::Column;

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The bare broadcast.
    Bare,
    /// The server in Node, started by the benchmark.
    Node,
    /// The server of `--beside`, which runs already.
    Beside,
    /// Liao on this database.
    Liao(Database),
}

/// The databases of Liao.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Mariadb,
}

/// The servers that have a chat and are not Liao.
pub(crate) const CHATS: [Side; 2] = [Side::Node, Side::Beside];

impl Side {
    /// Its column in the report.
    pub(crate) fn column(self) -> Column {
        match self {
            Self::Bare => Column::Bare,
            Self::Node => Column::Node,
            Self::Beside => Column::Beside,
            Self::Liao(_) => Column::Liao,
        }
    }

    /// Whether a room's frames are numbered without gaps: `rev`. The bare broadcast sends on what a Liao would.
    pub(crate) fn has_rev(self) -> bool {
        matches!(self, Self::Bare | Self::Liao(_))
    }
}

/// What a server other than Liao gave. Its failure does not end the run.
#[derive(Clone)]
pub(crate) enum Peer<T> {
    /// It is not part of this run.
    Absent,
    /// It failed, with this error.
    Failed(Rc<str>),
    Measured(T),
}

impl<T> Peer<T> {
    /// From the result of a measurement.
    pub(crate) fn from(side: Side, result: Result<T>) -> Self {
        match result {
            Ok(value) => Self::Measured(value),
            Err(error) => {
                crate::say(&format!("{side:?} failed: {error:#}"));
                Self::Failed(format!("{error:#}").into())
            }
        }
    }

    /// For the report's cell.
    pub(crate) fn cell(&self, show: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Failed(error) => format!("failed: {}", error.replace(['|', '\n'], " ")),
            Self::Measured(value) => show(value),
        }
    }

    /// What was measured.
    pub(crate) fn measured(&self) -> Option<&T> {
        match self {
            Self::Measured(value) => Some(value),
            Self::Absent | Self::Failed(_) => None,
        }
    }
}
