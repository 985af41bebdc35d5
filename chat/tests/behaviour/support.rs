//! Test fixture: a domain on a database of its own, with a fixed clock.

use std::sync::atomic::{AtomicU32, Ordering};

use chat::{
    Chat, Settings,
    clock::Clock,
    credential::{Claim, Credential, SignInId, TokenClaims},
    model::{Message, MessageDraft, NewRoom, Room, RoomId, Timestamp, User},
    service::{
        NotificationSession, RoomSession, accounts::SignIn, history::HistoryQuery, room_session::Resume,
        rooms::RoomFilter,
    },
    store::Store,
};
use sqlx::{Connection as _, Executor as _, MySqlConnection, SqliteConnection};
use tempfile::TempDir;

use crate::mariadb;

pub mod cast;
pub mod nodes;

/// 2026-01-25T15:30:00Z.
pub const NOW: Timestamp = Timestamp(1_769_355_000_000_000);

/// Declares a test that runs on SQLite and on MariaDB.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident: World) $body:block)*) => {
        $(
            $(#[$doc])*
            async fn $name($world: $crate::support::World) $body

            mod $name {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    super::$name($crate::support::World::sqlite().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn mariadb() {
                    super::$name($crate::support::World::mariadb().await).await;
                }
            }
        )*
    };
}
pub(crate) use both;

/// A domain on a database of its own.
pub struct World {
    /// The domain.
    pub chat: Chat,
    /// Its clock, fixed at [`NOW`].
    pub clock: Clock,
    /// The database's URL.
    pub url: String,
    folder: TempDir,
}

impl World {
    /// On a new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("liao.db").display());
        Self::at(url, folder, unhurried()).await
    }

    /// On a new database of the MariaDB server.
    pub async fn mariadb() -> Self {
        Self::mariadb_with(unhurried()).await
    }

    /// On a new database of the MariaDB server, with these settings.
    pub async fn mariadb_with(settings: Settings) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("liao_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = tokio::task::spawn_blocking(move || mariadb::shared().database(&name))
            .await
            .expect("the server answers");
        Self::at(url, tempfile::tempdir().expect("a temporary folder"), settings).await
    }

    /// Another domain on the same database, which it connects to at `url`.
    pub async fn with_database_url(&self, url: &str) -> Chat {
        let store = Store::open(url).await.expect("the store opens");
        Chat::start(store, unhurried(), self.clock.clone())
    }

    /// Runs statements directly on the database: these on SQLite, those on MariaDB.
    pub async fn run(&self, on_sqlite: &'static str, on_mariadb: &'static str) {
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            let mut side = SqliteConnection::connect(path).await.expect("opened");
            side.execute(sqlx::raw_sql(on_sqlite)).await.map(drop).expect("run");
        } else {
            let mut side = MySqlConnection::connect(&self.url).await.expect("connected");
            side.execute(sqlx::raw_sql(on_mariadb)).await.map(drop).expect("run");
        }
    }

    async fn at(url: String, folder: TempDir, settings: Settings) -> Self {
        let clock = Clock::fixed(NOW);
        let store = Store::open(&url).await.expect("the store opens");
        Self { chat: Chat::start(store, settings, clock.clone()), clock, url, folder }
    }

    /// The same database with other settings, like a restart with a new configuration.
    pub async fn restarted(self, settings: Settings) -> Self {
        self.chat.stop().await;
        Self::at(self.url, self.folder, settings).await
    }

    /// A new user.
    pub async fn person(&self, name: &str) -> User {
        self.chat.create_user(name, "correct horse 9", "", "").await.expect("a new user")
    }

    /// A public room created by `creator`.
    pub async fn room(&self, creator: &User) -> Room {
        self.chat.create_room(creator, new_room("public")).await.expect("a new room")
    }

    /// Sends a message.
    pub async fn say(&self, sender: &User, room: RoomId, text: &str) -> Message {
        self.chat.send(sender, room, draft(text)).await.expect("stored").message
    }

    /// The texts of a room's history as `viewer` reads them, oldest first.
    pub async fn texts(&self, viewer: &User, room: RoomId) -> Vec<String> {
        let all = HistoryQuery { after_id: Some(0), page_size: Some(100), ..HistoryQuery::default() };
        let page = self.chat.history(viewer, room, all).await.expect("readable");
        page.messages.into_iter().map(|message| message.content).collect()
    }
}

/// The claim of an access token of a new sign-in, issued now, that never expires.
pub async fn token(chat: &Chat, user: &User) -> Claim {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let sign_in = SignInId::new(&format!("sign_in_{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let issued_at = chat.clock().now().max(proved(chat, user).await.tokens_from);
    let credential = Credential::Token { sign_in, issued_at, expires_at: Timestamp(i64::MAX) };
    Claim { user: user.id, credential }
}

/// The claims of a refresh token that started a sign-in.
pub fn refresh_token(user: &User, jti: &str) -> TokenClaims {
    let (jti, sign_in) = (jti.to_owned(), SignInId::new(jti));
    TokenClaims { jti, sign_in, user: user.id, issued_at: NOW, expires_at: NOW.plus_micros(3_600_000_000) }
}

/// A sign-in of a user whose password was just checked.
pub async fn proved(chat: &Chat, user: &User) -> SignIn {
    SignIn { user: user.clone(), tokens_from: chat.tokens_from(user.id).await.expect("readable") }
}

/// Sockets of a user whose credential does not matter.
pub trait Sockets {
    /// A room socket.
    async fn open_room(&self, user: &User, room: RoomId, resume: Option<Resume>)
    -> chat::Result<RoomSession>;

    /// A notification socket.
    async fn open_notifications(&self, user: &User) -> chat::Result<NotificationSession>;

    /// A notification socket that resumes after this change, if one is given.
    async fn resume_notifications(
        &self,
        user: &User,
        after_rev: Option<i64>,
    ) -> chat::Result<NotificationSession>;
}

impl Sockets for Chat {
    async fn open_room(
        &self,
        user: &User,
        room: RoomId,
        resume: Option<Resume>,
    ) -> chat::Result<RoomSession> {
        self.connect(token(self, user).await).await?.open_room(room, resume).await
    }

    async fn open_notifications(&self, user: &User) -> chat::Result<NotificationSession> {
        self.resume_notifications(user, None).await
    }

    async fn resume_notifications(
        &self,
        user: &User,
        after_rev: Option<i64>,
    ) -> chat::Result<NotificationSession> {
        self.connect(token(self, user).await).await?.open_notifications(after_rev).await
    }
}

/// Rooms as lists show them.
pub trait Listed {
    /// The room in the user's list.
    async fn room_in_list(&self, user: &User, room: RoomId) -> Room;
}

impl Listed for Chat {
    async fn room_in_list(&self, user: &User, room: RoomId) -> Room {
        let filter = RoomFilter { mine: true, limit: 1_000, ..RoomFilter::default() };
        let rooms = self.rooms(user, &filter).await.expect("listed").to_rooms();
        rooms.into_iter().find(|found| found.id == room).expect("in the list")
    }
}

/// Settings without rate limits.
pub fn unhurried() -> Settings {
    Settings {
        writes_per_second: 0,
        acts_per_minute: 0,
        read_marks_per_second: 0,
        rooms_per_day: 0,
        invitations_per_hour: 0,
        ..Settings::default()
    }
}

/// The input for a room of this type.
pub fn new_room(room_type: &str) -> NewRoom {
    NewRoom { name: "Tea 茶".into(), room_type: room_type.into(), ..NewRoom::default() }
}

/// The input for a message.
pub fn draft(text: &str) -> MessageDraft {
    MessageDraft { content: text.into(), ..MessageDraft::default() }
}
