//! MariaDB's slow log, set to log every statement: how each was executed, with its values, and how many rows it
//! examined.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use sqlx::Row as _;

use crate::database::Side;

/// The log, from the time it was started.
pub struct SlowLog {
    path: PathBuf,
    /// How much of it was read.
    read: Mutex<usize>,
}

/// One statement.
#[derive(Debug, Default)]
pub struct Entry {
    /// Rows examined, in all its parts.
    pub rows_examined: u64,
    steps: Vec<Step>,
    sql: String,
}

/// The access to one table.
#[derive(Debug)]
struct Step {
    table: String,
    access: String,
    key: String,
    extra: String,
}

impl SlowLog {
    /// Starts the log for connections opened from now on.
    pub async fn start(side: &mut Side) -> Self {
        let Side::MariaDb(conn) = &mut *side else { panic!("MariaDB's log") };
        let row = sqlx::query("SELECT @@datadir AS folder").fetch_one(conn).await.expect("a folder");
        let path = Path::new(&row.get::<String, _>("folder")).join("every.log");
        side.run(&format!(
            "SET GLOBAL slow_query_log_file = '{}'; SET GLOBAL long_query_time = 0; \
             SET GLOBAL log_slow_verbosity = 'query_plan,explain'; SET GLOBAL log_slow_filter = ''; \
             SET GLOBAL slow_query_log = 1",
            path.display()
        ))
        .await;
        Self { path, read: Mutex::new(0) }
    }

    /// The entries since the last call. The server writes them after it has replied.
    pub async fn entries(&self, at_least: usize, patience: Duration) -> Vec<Entry> {
        let deadline = Instant::now() + patience;
        loop {
            let text = std::fs::read_to_string(&self.path).unwrap_or_default();
            let read = *self.read.lock().expect("not poisoned");
            let entries = parse(&text[read..]);
            if entries.len() >= at_least {
                *self.read.lock().expect("not poisoned") = text.len();
                return entries;
            }
            assert!(Instant::now() < deadline, "{at_least} statements, {} in the log", entries.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn parse(log: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry = Entry::default();
    for line in log.lines() {
        if let Some(about) = line.strip_prefix("# Query_time: ") {
            entry = Entry::default();
            let rows = about.split("Rows_examined: ").nth(1).and_then(|rest| rest.trim().parse().ok());
            entry.rows_examined = rows.unwrap_or_default();
        } else if let Some(step) = line.strip_prefix("# explain: ") {
            let columns: Vec<&str> = step.split('\t').collect();
            if let [_, _, table, access, _, key, .., extra] = columns[..]
                && table != "table"
            {
                let [table, access, key, extra] = [table, access, key, extra].map(str::to_owned);
                entry.steps.push(Step { table, access, key, extra });
            }
        } else if line.starts_with('#') || line.starts_with("SET timestamp") || line.starts_with("use ") {
            // Ignored.
        } else if ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| line.starts_with(verb)) {
            entry.sql.push_str(line);
            entries.push(std::mem::take(&mut entry));
        }
    }
    entries
}

impl Entry {
    /// Whether a whole table or index was read, or messages were sorted. An INSERT of values is reported as a full
    /// scan, but examines no row. The public rooms of a list are all read (as `r`), since no index has their order.
    pub fn is_costly(&self) -> bool {
        self.rows_examined > 0
            && self.steps.iter().any(|step| {
                // Results of parts of the same statement, as small as the final result; a table of a few rows.
                let is_part = step.table.starts_with('<')
                    || ["p", "span", "NULL", "k", "r", "job"].contains(&&*step.table);
                let is_whole = matches!(&*step.access, "ALL" | "index") && !is_part;
                let sorts = step.extra.contains("filesort") || step.extra.contains("temporary");
                is_whole || (sorts && ["chat_message", "l"].contains(&&*step.table))
            })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} rows: {}", self.rows_examined, self.sql)?;
        for Step { table, access, key, extra } in &self.steps {
            writeln!(f, "    {table}: {access} by {key}; {extra}")?;
        }
        Ok(())
    }
}
