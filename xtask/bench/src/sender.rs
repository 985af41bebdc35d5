//! Somebody who sends messages by socket or REST and waits for the acknowledgement: the echo, or the 201.

use std::{net::SocketAddr, time::Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chat::model::RoomId;
use tokio::io::AsyncWriteExt as _;

use crate::{
    http::{self, Connection},
    message,
    seed::Person,
    side::Side,
    socket::{self, Kind},
};

/// The only sender of an empty room.
pub(crate) struct Sender {
    pub(crate) address: SocketAddr,
    pub(crate) side: Side,
    /// The path of the room's sockets.
    pub(crate) path: String,
    pub(crate) person: Person,
}

/// Sends by socket as long as `goes_on` says so of the number of messages before, with up to `window` unacknowledged.
/// Returns the number of messages, all acknowledged.
///
/// # Errors
/// When an echo was lost, duplicated, out of order or had the wrong text.
pub(crate) async fn send(sender: &Sender, window: u64, goes_on: impl Fn(u64) -> bool) -> Result<u64> {
    let (mut reader, mut writer) = socket::open(sender.address, &sender.path, &sender.person.token).await?;
    let (mut sent, mut heard) = (0, 0);
    let mut frames = Vec::new();
    loop {
        while let Some((kind, frame)) = reader.ready() {
            match kind {
                Kind::Text if message::is_message(frame) => {
                    let content = message::content(frame).context("an echo without its text")?;
                    if let Err(wrong) = message::check(content, heard) {
                        bail!("a wrong echo: {wrong:?}");
                    }
                    heard += 1;
                    let is_next = !sender.side.has_rev() || message::rev(frame) == Some(heard);
                    ensure!(is_next, "an echo out of order");
                }
                Kind::Ping => socket::put_pong(&mut frames, frame),
                // Others may announce a join here.
                Kind::Text if !sender.side.has_rev() && !message::is_error(frame) => {}
                Kind::Text => bail!("refused: {}", String::from_utf8_lossy(frame)),
                Kind::Close => bail!("closed"),
                Kind::Other => {}
            }
        }
        while sent < heard + window && goes_on(sent) {
            socket::put_text(&mut frames, &message::frame(sent, message::now()));
            sent += 1;
        }
        if heard == sent && !goes_on(sent) {
            return Ok(heard);
        }
        if !frames.is_empty() {
            writer.write_all(&frames).await?;
            frames.clear();
        }
        ensure!(reader.fill().await?, "the socket was closed");
    }
}

/// Sends by REST until the time is over, one message after the other. Returns their number.
///
/// # Errors
/// When one was refused, or its response has the wrong text.
pub(crate) async fn post(address: SocketAddr, room: RoomId, person: &Person, until: Instant) -> Result<u64> {
    let path = format!("/api/chat/rooms/{room}/messages/");
    let mut connection = Connection::open(address).await?;
    let mut sent = 0;
    while Instant::now() < until {
        let json = format!(r#"{{"content":"{}"}}"#, message::text(sent, message::now()));
        let (status, body) = connection.call(&http::post(address, &path, &person.token, &json)).await?;
        let content = message::content(body);
        ensure!(
            status == 201 && content.is_some_and(|content| message::check(content, sent).is_ok()),
            "{status}: {}",
            String::from_utf8_lossy(body)
        );
        sent += 1;
    }
    Ok(sent)
}
