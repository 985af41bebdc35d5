//! A million bad frames against the decoder of the sockets, in a program of its own so that
//! its memory is what is measured: no panic, nothing kept, each refused in the contract's words.
//!
//! A bounded stand-in for a fuzzer that needs no nightly compiler. The numbers are the same
//! in every run; `LIAO_BAD_FRAMES` says how many frames, for a longer one.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use chat::model::Code;
use liao::ws::frames;

mod frame;

use frame::Source;

/// Bad frames of an ordinary run.
const FRAMES: usize = 1_000_000;
/// More memory than before, after nine tenths of them, counts as growth: a byte kept of
/// each frame would be a fifth of a million more than this.
const SLACK: usize = 768 * 1024;

#[test]
fn a_million_bad_frames_are_refused_and_leave_nothing_behind() {
    let told = std::env::var("LIAO_BAD_FRAMES").ok().and_then(|frames| frames.parse().ok());
    let frames: usize = told.unwrap_or(FRAMES);
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let share = frames / threads;
    let refused = AtomicUsize::new(0);
    let warm = Barrier::new(threads + 1);
    let grown = thread::scope(|scope| {
        for seed in 0..threads {
            let (refused, warm) = (&refused, &warm);
            scope.spawn(move || {
                let mut source = Source::new(seed);
                refuse(&mut source, share / 10, refused);
                // Twice: the memory is looked at between, while nobody works.
                warm.wait();
                warm.wait();
                refuse(&mut source, share - share / 10, refused);
                warm.wait();
                warm.wait();
            });
        }
        warm.wait();
        let before = resident();
        warm.wait();
        warm.wait();
        let after = resident();
        warm.wait();
        after.saturating_sub(before)
    });
    assert_eq!(refused.into_inner(), share * threads);
    assert!(grown < SLACK, "{grown} bytes more after {frames} frames");
}

/// Feeds the decoder until it has refused so many.
fn refuse(source: &mut Source, count: usize, refused: &AtomicUsize) {
    let mut left = count;
    while left > 0 {
        let text = source.next();
        let Err(bad) = frames::read(&text) else { continue };
        match bad.failure.code {
            Code::BadFrame => assert!(bad.failure.fields.is_empty(), "{text}"),
            Code::Invalid => assert!(!bad.failure.fields.is_empty(), "{text}"),
            other => panic!("{other:?} for {text}"),
        }
        left -= 1;
    }
    refused.fetch_add(count, Ordering::Relaxed);
}

/// Memory of this process, in bytes; 0 where the system does not say.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|statm| statm.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * 4_096
}
