//! Progress on standard error: a line before each long step, and one after it.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Prints one line.
pub(crate) fn note(text: &str) {
    eprintln!("xtask: {text}");
}

/// Runs a long step. Prints before it what it does and how long that usually takes, and after it how long it took.
pub(crate) fn step<T>(what: &str, usually: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    note(&format!("{what} ({usually}) …"));
    let start = Instant::now();
    let done = work()?;
    note(&format!("{what}: done in {}", seconds(start.elapsed())));
    Ok(done)
}

/// A duration for people: `0.4 s`, `3 min 05 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 {
        format!("{:.1} s", time.as_secs_f32())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}
