//! What a person sees while they wait: a line before each long step, and one after it.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Says one thing.
pub(crate) fn note(text: &str) {
    eprintln!("xtask: {text}");
}

/// Runs a long step: says before what it does and how long that usually takes, and after it how long it took.
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

/// A number of bytes for people: `912 B`, `163.4 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths of a KiB in whole numbers: no float can be off.
    let tenths = bytes * 10 / 1024;
    format!("{}.{} KiB", tenths / 10, tenths % 10)
}
