//! How long things may be. In characters (Unicode scalar values), not bytes:
//! people count characters, and Chinese takes three bytes for each.

/// A username: at most 150 characters, as in Django's user model.
pub const USERNAME_MAX: usize = 150;
/// A first or last name: at most 150 characters, as in Django's user model.
pub const PERSON_NAME_MAX: usize = 150;
/// A password: at least 8 characters, as Django's default validator wants.
pub const PASSWORD_MIN: usize = 8;
/// A password: at most 1,024 characters, so that hashing cannot be made to cost more.
pub const PASSWORD_MAX: usize = 1_024;
/// A room's name: 1 to 100 characters (contract).
pub const ROOM_NAME_MAX: usize = 100;
/// A room's description: at most 2,000 characters.
pub const ROOM_DESCRIPTION_MAX: usize = 2_000;
/// Places in a room: at least 2 (contract).
pub const ROOM_MEMBERS_MIN: i64 = 2;
/// Places in a room: at most 100,000 (contract).
pub const ROOM_MEMBERS_MAX: i64 = 100_000;
/// Places in a room where nothing was asked for: 50 (contract).
pub const ROOM_MEMBERS_DEFAULT: i64 = 50;
/// A message's text: 1 to 10,000 characters, not blank (contract).
pub const CONTENT_MAX: usize = 10_000;
/// A client's own id for a message: at most 64 characters (contract).
pub const CLIENT_ID_MAX: usize = 64;
/// A link to a file: at most 2,000 characters.
pub const FILE_URL_MAX: usize = 2_000;
/// A file's name: at most 255 characters.
pub const FILE_NAME_MAX: usize = 255;
/// Messages on one page of history: at most 100 (contract).
pub const PAGE_SIZE_MAX: i64 = 100;
/// Messages on one page of history where nothing was asked for: 20 (contract).
pub const PAGE_SIZE_DEFAULT: i64 = 20;
/// Members listed in a room's detail: at most 200 (contract).
pub const ROOM_DETAIL_MEMBERS: i64 = 200;
/// Changes a socket replays on resume; above that it is told to page by REST (contract).
pub const RESUME_MAX: i64 = 1_000;
/// Bytes of their text that a returning client is sent; above, it pages as well.
pub const RESUME_BYTES_MAX: i64 = 1024 * 1024;
/// People that one message mentions; more who are named get a plain notification.
pub const MENTIONS_MAX: usize = 50;
/// Names that are looked up for one message: a word after `@` may stand for several.
pub const MENTION_NAMES_MAX: usize = 256;
/// Notifications in one answer: at most 200 (contract).
pub const NOTIFICATIONS_MAX: i64 = 200;
/// Notifications in one answer where nothing was asked for: 50 (contract).
pub const NOTIFICATIONS_DEFAULT: i64 = 50;
