//! Backfill for a resuming client: what it missed is read from the database in pages as its socket sends it, so
//! resuming takes little memory.
//!
//! When the socket opens, only positions and sizes are read and cut into pages. There are two kinds of missed
//! changes: new messages, ordered by the `rev` of their creation, and changes of messages the client has, ordered by
//! the `rev` of the latest change. Either may change again before its page is read. A new message is then sent in its
//! current state; the later change has a `rev` above the backfill and arrives live.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};

use super::room_session::Resume;
use crate::{
    change::RoomChange,
    error::{Error, Result},
    event::{Audience, Frame},
    model::{
        Code, MessageId, RoomRef, UserId,
        limits::{RESUME_BYTES_MAX, RESUME_MAX},
    },
    rules::access,
    store::{
        Conn, Store,
        messages::{self, Extent},
        rooms::{self, RoomState},
    },
};

/// Limits of a page in frames and bytes of text. A larger message has a page of its own.
const PAGE_FRAMES: usize = 32;
const PAGE_BYTES: i64 = 64 * 1024;

/// A range of numbers: `after < number <= upto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    after: i64,
    upto: i64,
}

impl Span {
    fn add(&mut self, number: i64) {
        if self.upto == 0 {
            self.after = number - 1;
        }
        self.upto = number;
    }

    fn is_empty(self) -> bool {
        self.upto == 0
    }
}

/// What one page contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Page {
    /// New messages, by `seq`.
    new: Span,
    /// Changed messages, by `rev`.
    changed: Span,
}

/// The rest of a client's backfill.
pub(super) struct ResumeBackfill {
    store: Store,
    room: RoomRef,
    user: UserId,
    frames: usize,
    pages: VecDeque<Page>,
    /// The read in progress. Kept here, so that it continues after a cancelled [`Self::next`].
    reading: Option<BoxFuture<'static, Result<Vec<Bytes>>>>,
}

impl ResumeBackfill {
    /// Plans the backfill from `resume` up to the current state of `room`. `None` if the client missed too much for a
    /// backfill.
    pub(super) async fn plan(
        conn: &mut Conn,
        store: &Store,
        room: &RoomState,
        user: UserId,
        resume: Resume,
    ) -> Result<Option<Self>> {
        let (after, changed) = match resume {
            Resume::AfterId(id) => {
                (messages::seq_upto(conn, room.id, MessageId(id.max(0)), room.seq).await?, Vec::new())
            }
            Resume::AfterRev(rev) => {
                let known = rev.clamp(0, room.rev);
                let after = messages::seq_at_rev(conn, room.id, known, room.seq).await?;
                (after, messages::extents_changed(conn, room.id, known, room.rev, RESUME_MAX + 1).await?)
            }
        };
        if room.seq - after > RESUME_MAX {
            return Ok(None);
        }
        let new = messages::extents(conn, room.id, after, room.seq).await?;
        if is_too_much(new.iter().chain(&changed), RESUME_BYTES_MAX) {
            return Ok(None);
        }
        let frames = new.len() + changed.len();
        let pages = pages(&new, &changed);
        let (store, room) = (store.clone(), room.to_ref());
        Ok(Some(Self { store, room, user, frames, pages, reading: None }))
    }

    /// The total number of frames.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// The next page of frames, JSON in UTF-8; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// Why the user may not read the room any more; a failing database.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Bytes>>> {
        if self.reading.is_none() {
            let Some(page) = self.pages.pop_front() else { return Ok(None) };
            let (store, room, user) = (self.store.clone(), self.room.clone(), self.user);
            self.reading = Some(read(store, room, user, page).boxed());
        }
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let frames = reading.await;
        self.reading = None;
        frames.map(Some)
    }
}

/// Whether these are too many changes, or bytes of text, for a backfill.
pub(super) fn is_too_much<'a>(missed: impl Iterator<Item = &'a Extent>, bytes_max: i64) -> bool {
    let (count, bytes) = missed.fold((0, 0), |(count, bytes), extent| (count + 1, bytes + extent.bytes));
    count > RESUME_MAX || bytes > bytes_max
}

/// Cuts the missed changes into pages, ordered by `rev`.
fn pages(new: &[Extent], changed: &[Extent]) -> VecDeque<Page> {
    let (mut pages, mut page) = (VecDeque::new(), Page::default());
    let (mut frames, mut bytes) = (0, 0);
    let (mut new, mut changed) = (new.iter().peekable(), changed.iter().peekable());
    loop {
        let is_new = match (new.peek(), changed.peek()) {
            (None, None) => break,
            (Some(new), Some(changed)) => new.created_rev < changed.rev,
            (new, _) => new.is_some(),
        };
        let Some(extent) = (if is_new { new.next() } else { changed.next() }) else { break };
        if frames == PAGE_FRAMES || (frames > 0 && bytes + extent.bytes > PAGE_BYTES) {
            pages.push_back(std::mem::take(&mut page));
            (frames, bytes) = (0, 0);
        }
        frames += 1;
        bytes += extent.bytes;
        if is_new {
            page.new.add(extent.seq);
        } else {
            page.changed.add(extent.rev);
        }
    }
    if frames > 0 {
        pages.push_back(page);
    }
    pages
}

/// Reads a page, if the user may still read the room.
async fn read(store: Store, room: RoomRef, user: UserId, page: Page) -> Result<Vec<Bytes>> {
    let mut conn = store.read().await?;
    let access = rooms::access(&mut conn, room.id, user).await?.ok_or(Error::from(Code::NotFound))?;
    if let Some(code) = access::revocation(&access) {
        return Err(code.into());
    }
    let json = |change: RoomChange| {
        let frame = Frame::new(&change.frame(), None, Audience::Everyone);
        (change.rev(), frame.map(|frame| frame.json))
    };
    let mut frames = Vec::new();
    if !page.new.is_empty() {
        let found = messages::range(&mut conn, &room, page.new.after, page.new.upto).await?;
        frames.extend(found.iter().map(|stored| {
            json(RoomChange::NewMessage { message: &stored.message, rev: stored.created_rev })
        }));
    }
    if !page.changed.is_empty() {
        let Span { after, upto } = page.changed;
        let found = messages::changed_between(&mut conn, &room, after, upto).await?;
        frames.extend(found.iter().map(|stored| json(RoomChange::MessageChanged(&stored.message))));
    }
    drop(conn);
    frames.sort_unstable_by_key(|(rev, _)| *rev);
    Ok(frames.into_iter().filter_map(|(_, json)| json).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(seq: i64, created_rev: i64, rev: i64, bytes: i64) -> Extent {
        Extent { seq, rev, created_rev, bytes }
    }

    #[test]
    fn pages_are_bounded_and_contain_each_number_once() {
        let new: Vec<Extent> = (1..=100).map(|seq| extent(seq, 10 + 2 * seq, 1_000, 10)).collect();
        let changed: Vec<Extent> = (1..=50).map(|n| extent(n, 1, 11 + 4 * n, 10)).collect();
        let pages = pages(&new, &changed);
        assert_eq!(pages.len(), 5, "150 frames, 32 each");
        let (mut seq, mut rev) = (0, 0);
        for page in &pages {
            for (span, last) in [(page.new, &mut seq), (page.changed, &mut rev)] {
                if !span.is_empty() {
                    assert!(span.after >= *last && span.upto > span.after, "{pages:?}");
                    *last = span.upto;
                }
            }
        }
        assert_eq!((seq, rev), (100, 211));
    }

    #[test]
    fn large_message_has_its_own_page() {
        let sizes = [10, PAGE_BYTES * 2, 10, 10, PAGE_BYTES - 10, PAGE_BYTES - 20];
        let new: Vec<Extent> = (1..).zip(sizes).map(|(seq, bytes)| extent(seq, seq, seq, bytes)).collect();
        let spans: Vec<(i64, i64)> =
            pages(&new, &[]).iter().map(|page| (page.new.after, page.new.upto)).collect();
        assert_eq!(spans, [(0, 1), (1, 2), (2, 4), (4, 5), (5, 6)]);
        assert!(pages(&[], &[]).is_empty());
    }
}
