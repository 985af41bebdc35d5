//! The limits of the disk: durable writes, and rows that SQLite alone commits.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use rusqlite::{Connection, params};

use crate::{message, report::figure};

/// The duration of a measurement. Of several, the middle one counts: a disk that stalls once would lower the goals.
const LENGTH: Duration = Duration::from_secs(1);
const TRIES: usize = 3;

/// What the disk did.
#[derive(Clone, Copy)]
pub(crate) struct Speed {
    /// Writes or rows a second.
    pub(crate) rate: f64,
    /// The 99th percentile of the time of one write or commit.
    pub(crate) p99: Duration,
}

/// Writes of 4 KiB, each synced before the next.
pub(crate) fn syncs(folder: &Path) -> Result<Speed> {
    let mut file = tempfile::tempfile_in(folder)?;
    // Preallocated, so that growing the file is not measured.
    file.write_all(&vec![1; 4_096 * 256])?;
    file.sync_all()?;
    speed(1, |n| {
        file.seek(SeekFrom::Start(n % 256 * 4_096))?;
        file.write_all(&[2; 4_096])?;
        File::sync_data(&file)?;
        Ok(())
    })
}

/// Rows that SQLite alone commits in groups of `size`: one prepared statement, one index, WAL and
/// `synchronous=FULL` as in the server.
pub(crate) fn group_commits(folder: &Path, size: u64) -> Result<Speed> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut database = Connection::open(folder.path().join("bare.db"))?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "full")?;
    database.execute_batch(
        "CREATE TABLE message (id INTEGER PRIMARY KEY, room INTEGER, seq INTEGER, sender INTEGER, content TEXT, at INTEGER);
         CREATE UNIQUE INDEX place ON message (room, seq);",
    )?;
    speed(size, |n| {
        let group = database.transaction()?;
        {
            let mut insert = group.prepare_cached(
                "INSERT INTO message (room, seq, sender, content, at) VALUES (?, ?, ?, ?, ?)",
            )?;
            for row in n..n + size {
                insert.execute(params![row % 32, row / 32, row % 32, message::text(row, 0), row])?;
            }
        }
        Ok(group.commit()?)
    })
}

/// The speed when each `call` does `size` writes or rows. Its argument is the number done before.
fn speed(size: u64, mut call: impl FnMut(u64) -> Result<()>) -> Result<Speed> {
    let mut speeds = Vec::new();
    let mut done = 0;
    for _ in 0..TRIES {
        let (start, first) = (Instant::now(), done);
        let mut times = Vec::new();
        while start.elapsed() < LENGTH {
            let before = Instant::now();
            call(done)?;
            times.push(before.elapsed());
            done += size;
        }
        let rate = figure(done - first) / start.elapsed().as_secs_f64();
        times.sort_unstable();
        speeds.push(Speed { rate, p99: times[(times.len() - 1) * 99 / 100] });
    }
    speeds.sort_unstable_by(|a, b| a.rate.total_cmp(&b.rate));
    Ok(speeds[TRIES / 2])
}
