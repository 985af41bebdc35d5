//! The commands on rooms: `liao rooms`.
//!
//! They open the database themselves, whether or not a server is running.

use chat::{
    Chat, Error,
    model::{Code, RoomId, Timestamp},
    service::trim::{Kept, Trimmed},
};

use super::RoomsCommand;

/// Runs a command and returns a sentence about its result.
///
/// # Errors
/// One sentence.
pub async fn run(chat: &Chat, command: RoomsCommand) -> Result<String, String> {
    match command {
        RoomsCommand::Trim { room, kept } => {
            let kept = match (kept.keep, kept.before) {
                (Some(count), _) => Kept::Newest(i64::from(count)),
                (None, Some(time)) => Kept::Since(time),
                (None, None) => return Err("Either --keep or --before is needed.".to_owned()),
            };
            let trimmed = chat.trim_room(room, kept).await.map_err(|error| sentence(&error, room))?;
            Ok(summary(room, trimmed))
        }
    }
}

/// Parses the id of a room.
pub(super) fn room(text: &str) -> Result<RoomId, String> {
    let id = text.parse().ok().and_then(RoomId::checked);
    id.ok_or_else(|| "a room is named by its number, as in the address of its page".to_owned())
}

/// Parses a date, which begins at midnight UTC, or an RFC 3339 time.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let time = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
    time.ok_or_else(|| "expected a date like 2026-01-25 or a time like 2026-01-25T15:30:00Z".to_owned())
}

fn summary(room: RoomId, Trimmed { removed, left }: Trimmed) -> String {
    let messages = |count: i64| if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
    match removed {
        0 => format!("Nothing to do: room {room} has no such messages; it has {}.", messages(left)),
        _ => format!("Removed {} of room {room}; {} left.", messages(removed), messages(left)),
    }
}

fn sentence(error: &Error, room: RoomId) -> String {
    match error.code() {
        Code::NotFound => format!("There is no room {room}."),
        _ => format!("That could not be done: {error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_at_midnight() {
        let midnight = time("2026-01-25").expect("a date");
        assert_eq!(Ok(midnight), time("2026-01-25T00:00:00Z"));
        assert_eq!(time("2026-01-25T08:00:00+08:00"), Ok(midnight));
        for bad in ["", "yesterday", "2026-02-30", "2026-01-25 noon"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_room_is_a_number() {
        assert_eq!(room("7"), Ok(RoomId(7)));
        for bad in ["", "0", "-1", "tea"] {
            assert!(room(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_summary_counts() {
        let told = |removed, left| summary(RoomId(3), Trimmed { removed, left });
        assert_eq!(told(5, 1), "Removed 5 messages of room 3; 1 message left.");
        assert_eq!(told(0, 2), "Nothing to do: room 3 has no such messages; it has 2 messages.");
    }
}
