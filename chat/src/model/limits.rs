//! Length limits and defaults.
//!
//! Lengths are in characters (Unicode scalar values), not bytes. Limits marked "contract" are part of the API.

/// Maximum length of a username, as in Django's user model.
pub const USERNAME_MAX: usize = 150;
/// Maximum length of a first or last name, as in Django's user model.
pub const PERSON_NAME_MAX: usize = 150;
/// Minimum length of a password, as in Django's default validator.
pub const PASSWORD_MIN: usize = 8;
/// Maximum length of a password. Bounds the cost of hashing.
pub const PASSWORD_MAX: usize = 1_024;
/// Maximum length of a room name (contract).
pub const ROOM_NAME_MAX: usize = 100;
/// Maximum length of a room description.
pub const ROOM_DESCRIPTION_MAX: usize = 2_000;
/// Minimum capacity of a room, in members (contract).
pub const ROOM_MEMBERS_MIN: i64 = 2;
/// Maximum capacity of a room, in members (contract).
pub const ROOM_MEMBERS_MAX: i64 = 100_000;
/// Default capacity of a room, in members (contract).
pub const ROOM_MEMBERS_DEFAULT: i64 = 50;
/// Maximum length of a message's text, which must not be blank (contract).
pub const CONTENT_MAX: usize = 10_000;
/// Maximum length of a message's `client_id` (contract).
pub const CLIENT_ID_MAX: usize = 64;
/// Maximum length of a file URL.
pub const FILE_URL_MAX: usize = 2_000;
/// Maximum length of a file name.
pub const FILE_NAME_MAX: usize = 255;
/// Maximum number of messages in a page of history (contract).
pub const PAGE_SIZE_MAX: i64 = 100;
/// Default number of messages in a page of history (contract).
pub const PAGE_SIZE_DEFAULT: i64 = 20;
/// Maximum number of members in a room's detail (contract).
pub const ROOM_DETAIL_MEMBERS: i64 = 200;
/// Maximum number of changes replayed when a socket resumes. Above it the client gets a `resync` (contract).
pub const RESUME_MAX: i64 = 1_000;
/// Maximum size in bytes of the message text replayed when a socket resumes. Above it the client gets a `resync`.
pub const RESUME_BYTES_MAX: i64 = 1024 * 1024;
/// Maximum number of memberships replayed one by one when a socket resumes (contract).
pub const RESUME_MEMBERS_MAX: i64 = 200;
/// Maximum number of rooms that a socket subscribes to (contract).
pub const SUBSCRIPTIONS_MAX: usize = 200;
/// Maximum number of present users named when a socket subscribes to a room (contract).
pub const PRESENT_MAX: usize = 200;
/// Maximum number of users mentioned by one message. Further ones get an ordinary notification.
pub const MENTIONS_MAX: usize = 50;
/// Maximum number of candidate usernames looked up for one message: one word after `@` gives several candidates.
pub const MENTION_NAMES_MAX: usize = 256;
/// Maximum number of notifications in one response (contract).
pub const NOTIFICATIONS_MAX: i64 = 200;
/// Default number of notifications in one response (contract).
pub const NOTIFICATIONS_DEFAULT: i64 = 50;
