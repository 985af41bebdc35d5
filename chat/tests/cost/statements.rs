//! The SQL statements of a piece of work, from the driver's log events.

use std::{
    fmt::Debug,
    sync::{Mutex, Once, PoisonError},
};

use tracing_subscriber::{Layer, layer::SubscriberExt as _, util::SubscriberInitExt as _};

static MADE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs `work` and returns its statements in order, except those that only begin or end a transaction.
pub async fn of<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing_subscriber::registry().with(Listener).init());
    take();
    let result = work.await;
    // Nor the domain's own poll, once a second, and its look for jobs.
    let is_poll =
        |sql: &String| ["rev, kind, ref", "FROM job", "INTO job"].iter().any(|own| sql.contains(own));
    (result, take().into_iter().filter(|sql| !is_bracket(sql) && !is_poll(sql)).collect())
}

fn take() -> Vec<String> {
    std::mem::take(&mut *MADE.lock().unwrap_or_else(PoisonError::into_inner))
}

fn is_bracket(sql: &str) -> bool {
    ["BEGIN", "COMMIT", "ROLLBACK", "SET ", "PRAGMA"].iter().any(|word| sql.starts_with(word))
}

struct Listener;

impl<S: tracing::Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut statement = Statement::default();
            event.record(&mut statement);
            // A short statement is its own summary.
            let sql = if statement.whole.is_empty() { statement.summary } else { statement.whole };
            // What is sent in one piece still counts as several statements.
            let each = sql.trim().split("; ").map(str::to_owned);
            MADE.lock().unwrap_or_else(PoisonError::into_inner).extend(each);
        }
    }
}

#[derive(Default)]
struct Statement {
    summary: String,
    whole: String,
}

impl tracing::field::Visit for Statement {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn Debug) {}
}
