//! Reads every acknowledged message back.

use std::{collections::HashSet, net::SocketAddr};

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use crate::{
    host::{Host, Room},
    http::{self, Connection},
    message,
    seed::number,
};

/// Messages of a page.
const PAGE: u64 = 100;

#[derive(Deserialize)]
struct Page {
    messages: Vec<Stored>,
    total: u64,
    /// Not all servers tell it.
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Stored {
    id: i64,
    content: String,
    created_at: String,
}

/// Checks that each room has every acknowledged message, in order, and nothing else; `sent` are their numbers. Records the
/// time of each of Liao's commits: messages of one commit have the same time.
pub(super) async fn check(
    host: &Host,
    rooms: &[Room],
    sent: &[u64],
    commits: &mut HashSet<String>,
) -> Result<()> {
    for (room, sent) in rooms.iter().zip(sent) {
        check_room(host, room, *sent, commits).await?;
    }
    Ok(())
}

async fn check_room(host: &Host, room: &Room, sent: u64, commits: &mut HashSet<String>) -> Result<()> {
    let address = host.server.address;
    let mut connection = Connection::open(address).await?;
    let path = format!("/api/chat/rooms/{}/messages/?page_size={PAGE}", room.id);
    let token = &room.creator()?.token;
    if !host.side.has_rev() {
        return by_number(&mut connection, address, &path, token, sent).await;
    }
    let (mut next, mut last) = (0, 0);
    loop {
        let page = page(&mut connection, address, &format!("{path}&after_id={last}"), token, sent).await?;
        for stored in page.messages {
            expect(&stored, next)?;
            next += 1;
            last = stored.id;
            commits.insert(stored.created_at);
        }
        if !page.has_more {
            break;
        }
    }
    ensure!(next == sent, "{next} messages can be read of {sent} that were answered");
    Ok(())
}

/// By the numbers of the pages, newest first: the Django system has no `after_id`.
async fn by_number(
    connection: &mut Connection,
    address: SocketAddr,
    path: &str,
    token: &str,
    sent: u64,
) -> Result<()> {
    let mut left = sent;
    for number_of_page in 1..=sent.div_ceil(PAGE) {
        let page = page(connection, address, &format!("{path}&page={number_of_page}"), token, sent).await?;
        let count = number(page.messages.len());
        ensure!(count == left.min(PAGE), "page {number_of_page} has {count} messages");
        for stored in &page.messages {
            left -= 1;
            expect(stored, left)?;
        }
    }
    Ok(())
}

async fn page(
    connection: &mut Connection,
    address: SocketAddr,
    path: &str,
    token: &str,
    sent: u64,
) -> Result<Page> {
    let (status, body) = connection.call(&http::get(address, path, token)).await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(body));
    let page: Page = serde_json::from_slice(body)?;
    ensure!(page.total == sent, "{} messages are stored of {sent} that were answered", page.total);
    Ok(page)
}

fn expect(stored: &Stored, number: u64) -> Result<()> {
    if let Err(wrong) = message::check(stored.content.as_bytes(), number) {
        bail!("stored otherwise than sent: {wrong:?}");
    }
    Ok(())
}
