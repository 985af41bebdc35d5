//! Feeds a million invalid frames to the frame parser, in a program of its own so that its memory can be measured: no
//! panic, no leak, and each frame is rejected with a code of the contract.
//!
//! A bounded replacement for a fuzzer, which would need a nightly compiler. The frames are the same in every run.
//! `LIAO_BAD_FRAMES` sets their number, for a longer run.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use chat::model::Code;
use liao::ws::frames::{self, RoomIds};

mod frame;

use frame::Source;

/// The number of invalid frames in an ordinary run.
const FRAMES: usize = 1_000_000;
/// The allowed growth of memory over the last nine tenths of the frames. One leaked byte per frame would exceed it by a
/// fifth of a million.
const SLACK: usize = 768 * 1024;

#[test]
fn a_million_invalid_frames_are_rejected_without_a_leak() {
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
                // Twice, with a measurement in between while all threads are idle.
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

/// Feeds the parser until it has rejected `count` frames.
fn refuse(source: &mut Source, count: usize, refused: &AtomicUsize) {
    let mut left = count;
    while left > 0 {
        let text = source.next();
        let Err(bad) = frames::read(&text, RoomIds::Required) else { continue };
        match bad.failure.code {
            Code::BadFrame => assert!(bad.failure.fields.is_empty(), "{text}"),
            Code::Invalid => assert!(!bad.failure.fields.is_empty(), "{text}"),
            other => panic!("{other:?} for {text}"),
        }
        left -= 1;
    }
    refused.fetch_add(count, Ordering::Relaxed);
}

/// The resident memory of this process in bytes; 0 if the system does not report it.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|statm| statm.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * 4_096
}
