//! What every part is given: the options, which servers are measured, and what is measured once in a run.

use std::{cell::OnceCell, path::Path};

use anyhow::{Context as _, Result};

use crate::{
    Run,
    disk::{self, Speed},
    durable::Outcome,
    mariadb::MariaDb,
    report::Column,
    side::{Database, Peer, Side},
};

/// The arguments of every part.
pub(crate) struct Bench {
    pub(crate) run: Run,
    /// Liao's second database, when it is measured.
    pub(crate) mariadb: Option<MariaDb>,
    /// See [`Bench::commit`].
    commit: OnceCell<Speed>,
    /// See [`durable::node_one_by_one`].
    pub(crate) node_one_by_one: tokio::sync::OnceCell<Peer<Outcome>>,
}

impl Bench {
    /// Starts MariaDB, when it is wanted.
    pub(crate) fn new(run: Run) -> Result<Self> {
        let mariadb = (run.database == Database::Mariadb).then(|| MariaDb::start(&run.folder)).transpose()?;
        Ok(Self { run, mariadb, commit: OnceCell::new(), node_one_by_one: tokio::sync::OnceCell::new() })
    }

    /// Whether a server is part of this run.
    pub(crate) fn has(&self, side: Side) -> bool {
        match side {
            Side::Bare | Side::Liao(Database::Sqlite) => true,
            Side::Node => self.run.node.is_some(),
            Side::Beside => self.run.beside.is_some(),
            Side::Liao(Database::Mariadb) => self.mariadb.is_some(),
        }
    }

    /// The result of a measurement of a server other than Liao, when it is part of this run.
    pub(crate) async fn peer<T>(&self, side: Side, work: impl Future<Output = Result<T>>) -> Peer<T> {
        if self.has(side) { Peer::from(side, work.await) } else { Peer::Absent }
    }

    /// The URL of a new, empty database of Liao, and its process, when that is another.
    pub(crate) fn database(&self, database: Database, data: &Path) -> Result<(String, Option<u32>)> {
        match database {
            Database::Sqlite => Ok((format!("sqlite:{}", data.join("liao.db").display()), None)),
            Database::Mariadb => {
                let mariadb = self.mariadb.as_ref().context("MariaDB is not part of this run")?;
                Ok((mariadb.database()?, Some(mariadb.process)))
            }
        }
    }

    /// The commits of one row by SQLite alone, measured once in a run.
    pub(crate) fn commit(&self) -> Result<Speed> {
        if let Some(speed) = self.commit.get() {
            return Ok(*speed);
        }
        let speed = disk::group_commits(&self.run.folder, 1)?;
        Ok(*self.commit.get_or_init(|| speed))
    }

    /// The columns of the report.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut columns = vec![Column::Bare, Column::Node, Column::Beside, Column::Liao];
        columns.retain(|column| *column != Column::Beside || self.has(Side::Beside));
        columns
    }

    /// `full`, or with `--quick` the shorter `quick`.
    pub(crate) fn either<T>(&self, full: T, quick: T) -> T {
        if self.run.quick { quick } else { full }
    }
}
