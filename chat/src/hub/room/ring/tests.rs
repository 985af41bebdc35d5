//! What readers of a ring get, from their task and directly.

use std::{
    future::poll_fn,
    sync::{Mutex, atomic::AtomicBool},
};

use bytes::Bytes;
use futures::{FutureExt as _, future::join_all};
use tokio::task::yield_now;

use super::*;
use crate::{
    credential::{Credential, SessionId},
    event::Frame,
    hub::{OpenSocket, OpenSockets},
    model::{Code, UserId},
};

const READER: UserId = UserId(1);

fn frame_of(bytes: usize) -> Event {
    Event::Frame(Frame { json: Bytes::from(vec![b' '; bytes]), rev: None, audience: Audience::Everyone })
}

fn change(rev: i64) -> Event {
    let json = Bytes::from(rev.to_string());
    Event::Frame(Frame { json, rev: Some(rev), audience: Audience::Everyone })
}

fn ring(capacity: usize) -> Arc<Ring> {
    Arc::new(Ring::new(capacity))
}

/// The reader's events, as texts.
fn rest(reader: &RingReader) -> Vec<String> {
    std::iter::from_fn(|| reader.try_next()).map(|event| text(&event.expect("not lagged"))).collect()
}

fn text(event: &Event) -> String {
    match event {
        Event::Frame(frame) => String::from_utf8_lossy(&frame.json).into_owned(),
        Event::Close { code, .. } => format!("{code:?}"),
    }
}

/// A sink that collects what it takes.
#[derive(Default)]
struct Sink {
    taken: Mutex<Vec<String>>,
    refuses: AtomicBool,
}

impl DirectSink for Sink {
    fn write(&self, frames: &FrameBatch) -> DirectWrite {
        if self.refuses.load(Ordering::Relaxed) {
            return DirectWrite::Refused;
        }
        let texts = frames.frames().iter().map(|json| String::from_utf8_lossy(json).into_owned());
        self.taken.lock().expect("not poisoned").extend(texts);
        DirectWrite::Taken
    }
}

impl Sink {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.taken.lock().expect("not poisoned"))
    }
}

fn signed_in() -> OpenSocket {
    OpenSockets::default().register(READER, Credential::Session(SessionId::of_secret("a")))
}

fn wait(reader: &RingReader) -> Option<String> {
    poll_fn(|context| reader.poll_next(context)).now_or_never().map(|event| text(&event.expect("not lagged")))
}

/// A reader whose sink has taken part since the change `rev`.
fn direct(ring: &Arc<Ring>, rev: i64, socket: &OpenSocket) -> (RingReader, Arc<Sink>) {
    let (reader, sink) = (RingReader::new(ring, READER), Arc::<Sink>::default());
    reader.write_to(sink.clone(), rev, socket.entry());
    (reader, sink)
}

#[test]
fn slow_reader_is_bounded_in_bytes() {
    let ring = ring(512);
    let (slow, fast) = (RingReader::new(&ring, READER), RingReader::new(&ring, READER));
    let large = 60 * 1024;
    for _ in 0..200 {
        ring.put(frame_of(large));
        assert!(matches!(fast.try_next(), Some(Ok(_))), "a fast reader misses nothing");
    }
    let held = ring.state().bytes;
    assert!((BYTES_MAX - large..=BYTES_MAX).contains(&held), "{held}");
    assert_eq!(slow.try_next().map(|event| event.is_err()), Some(true), "it missed some");
}

#[test]
fn events_read_by_all_are_dropped() {
    let ring = ring(512);
    let (one, two) = (RingReader::new(&ring, READER), RingReader::new(&ring, READER));
    for _ in 0..200 {
        ring.put(frame_of(1024 * 1024));
        assert!(matches!(one.try_next(), Some(Ok(_))) && wait(&one).is_none());
        assert!(matches!(two.try_next(), Some(Ok(_))) && wait(&two).is_none());
        assert_eq!(ring.state().bytes, 0);
    }
    // One megabyte each, and at most three wait.
    for _ in 0..3 {
        ring.put(frame_of(1024 * 1024));
    }
    assert_eq!((rest(&one).len(), ring.state().events.len()), (3, 3), "the other one has not read them");
    drop(two);
    assert_eq!(ring.state().events.len(), 0, "and never will");
}

#[test]
fn small_events_are_bounded_in_number() {
    let ring = ring(2);
    let reader = RingReader::new(&ring, READER);
    for _ in 0..3 {
        ring.put(frame_of(1));
    }
    assert_eq!(reader.try_next().map(|event| event.is_err()), Some(true));
    reader.skip_to_end();
    ring.put(change(4));
    assert_eq!(rest(&reader), ["4"]);
}

#[test]
fn nothing_is_kept_for_nobody() {
    let ring = ring(512);
    ring.put(frame_of(1));
    let reader = RingReader::new(&ring, READER);
    assert_eq!(ring.state().events.len(), 0);
    assert_eq!(rest(&reader).len(), 0);
}

#[test]
fn a_waiting_reader_is_written_to_directly() {
    let (ring, socket) = (ring(512), signed_in());
    let (reader, sink) = direct(&ring, 0, &socket);
    ring.put(change(1));
    assert_eq!(sink.taken().len(), 0, "its task may still have something to write");
    assert_eq!((wait(&reader).as_deref(), wait(&reader)), (Some("1"), None));
    ring.put(change(2));
    ring.put(change(3));
    assert_eq!((sink.taken(), wait(&reader)), (vec!["2".into(), "3".into()], None));
    assert_eq!(ring.state().events.len(), 0);
    sink.refuses.store(true, Ordering::Relaxed);
    ring.put(change(4));
    sink.refuses.store(false, Ordering::Relaxed);
    ring.put(change(5));
    assert_eq!(sink.taken().len(), 0, "the fourth comes first");
    assert_eq!(rest(&reader), ["4", "5"]);
}

#[test]
fn changes_that_the_socket_has_are_left_to_its_task() {
    let (ring, socket) = (ring(512), signed_in());
    let (reader, sink) = direct(&ring, 7, &socket);
    assert_eq!(wait(&reader), None);
    ring.put(change(7));
    assert_eq!((sink.taken().len(), wait(&reader).as_deref(), wait(&reader)), (0, Some("7"), None));
    ring.put(change(8));
    assert_eq!(sink.taken(), ["8"]);
}

#[test]
fn closings_and_frames_for_some_are_left_to_their_tasks() {
    let (ring, socket) = (ring(512), signed_in());
    let (reader, sink) = direct(&ring, 0, &socket);
    assert_eq!(wait(&reader), None);
    let close = |user| Event::Close { user: Some(user), code: Code::Banned, rev: 2 };
    ring.put(close(UserId(2)));
    ring.put(change(1));
    assert_eq!(sink.taken(), ["1"], "another user's closing is passed over");
    ring.put(close(READER));
    ring.put(change(2));
    assert_eq!(sink.taken().len(), 0, "nothing after it");
    assert_eq!(rest(&reader), ["Banned", "2"]);
}

#[test]
fn nothing_is_written_after_the_credential_has_ended() {
    let (ring, socket) = (ring(512), signed_in());
    let (reader, sink) = direct(&ring, 0, &socket);
    assert_eq!(wait(&reader), None);
    socket.entry().end(Code::TokenNotValid);
    ring.put(change(1));
    assert_eq!((sink.taken().len(), rest(&reader).len()), (0, 1));
}

/// A sink that fails at its first write.
#[derive(Default)]
struct Broken(AtomicBool);

impl DirectSink for Broken {
    fn write(&self, _: &FrameBatch) -> DirectWrite {
        assert!(self.0.swap(true, Ordering::Relaxed), "broken");
        DirectWrite::Refused
    }
}

#[tokio::test]
async fn a_failed_publisher_is_followed_by_another() {
    let (ring, socket) = (ring(512), signed_in());
    let broken = RingReader::new(&ring, READER);
    broken.write_to(Arc::new(Broken::default()), 0, socket.entry());
    let (reader, sink) = direct(&ring, 0, &socket);
    assert_eq!((wait(&broken), wait(&reader)), (None, None));
    ring.put(change(1));
    while ring.state().is_publishing {
        yield_now().await;
    }
    assert_eq!(sink.taken().len(), 0, "the publisher failed before this one");
    ring.put(change(2));
    let next = async || text(&poll_fn(|context| reader.poll_next(context)).await.expect("not lagged"));
    assert_eq!((next().await, next().await), ("1".into(), "2".into()));
}

/// Sockets of all kinds, a publisher and a sender on several threads: each socket gets every change once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_socket_gets_every_change_once_and_in_order() {
    const CHANGES: i64 = 20_000;
    let ring = ring(1_000_000);
    let socket = Arc::new(signed_in());
    let tasks = (0..40).map(|number: i64| {
        let (reader, sink) = (RingReader::new(&ring, READER), Arc::<Sink>::default());
        if number % 4 != 0 {
            reader.write_to(sink.clone(), 0, socket.entry());
        }
        tokio::spawn(async move {
            let expected = (1..=CHANGES).map(|rev| rev.to_string()).collect::<Vec<_>>();
            let mut round = 0;
            loop {
                // What the task takes goes to the same place, before it waits again.
                let wake = poll_fn(|context| reader.poll_next(context));
                let event = tokio::time::timeout(std::time::Duration::from_millis(1), wake).await;
                match event {
                    Ok(event) => {
                        let text = text(&event.expect("not lagged"));
                        sink.taken.lock().expect("not poisoned").push(text);
                        for event in std::iter::from_fn(|| reader.try_next()).take(3) {
                            let text = self::text(&event.expect("not lagged"));
                            sink.taken.lock().expect("not poisoned").push(text);
                        }
                    }
                    Err(_) if sink.taken.lock().expect("not poisoned").len() == expected.len() => break,
                    Err(_) => {}
                }
                round += 1;
                sink.refuses.store(round % 3 == number % 3, Ordering::Relaxed);
            }
            assert_eq!(sink.taken(), expected);
        })
    });
    let tasks = tasks.collect::<Vec<_>>();
    for rev in 1..=CHANGES {
        ring.put(change(rev));
        if rev % 50 == 0 {
            yield_now().await;
        }
    }
    for done in join_all(tasks).await {
        done.expect("no panic");
    }
    assert_eq!(ring.behind.load(Ordering::Acquire), 0);
    assert_eq!(ring.state().events.len(), 0);
}
