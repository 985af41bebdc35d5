//! The sessions of the bundled UI: a cookie, and a row in the database.
//!
//! The row's key is the hash of the cookie's value, so that nobody can take over a session by reading the database. The
//! cookie is marked `Secure` by [`crate::middleware::secure_cookies`].

use std::{fmt, time::Duration};

use app::server::identity::{DEVICE_KEY, Device, SEEN_KEY, TOKENS_FROM_KEY, USER_ID_KEY};
use async_trait::async_trait;
use axum::{extract::Request, middleware::Next, response::Response};
use chat::{
    Chat,
    credential::SessionId,
    model::{Code, Timestamp, UserId},
    service::accounts::SessionRecord,
};
use time::OffsetDateTime;
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store,
};

use crate::{error::ApiError, middleware::client::UserAgent};

/// The cookie's name (contract).
pub const COOKIE: &str = "liao_session";

/// How often the expiry of a used session is extended. Each time is a write to the database.
const EXTEND_EVERY: Duration = Duration::from_mins(10);
/// How often expired rows are deleted.
const SWEEP: Duration = Duration::from_hours(1);

/// Stores sessions in the chat's database.
#[derive(Clone)]
pub struct Sessions {
    chat: Chat,
}

/// The layer that adds the [`Session`] to a request. A session that is not used for `lifetime` expires.
pub fn layer(chat: Chat, lifetime: Duration) -> SessionManagerLayer<Sessions> {
    let lifetime = time::Duration::try_from(lifetime).unwrap_or(time::Duration::MAX);
    SessionManagerLayer::new(Sessions { chat })
        .with_name(COOKIE)
        .with_path("/")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(lifetime))
}

/// The user id in the session. Whether the user is still active is not checked.
///
/// # Errors
/// `unavailable` if the session cannot be read.
pub async fn user_id(session: &Session) -> Result<Option<UserId>, ApiError> {
    session.get::<i64>(USER_ID_KEY).await.map(|id| id.map(UserId)).map_err(|error| {
        tracing::error!(%error, "a session could not be read");
        Code::Unavailable.into()
    })
}

/// Middleware of the bundled UI that extends the session of a request.
pub async fn extend_used(
    session: Session,
    UserAgent(agent): UserAgent,
    request: Request,
    next: Next,
) -> Response {
    // Before the handler, so that a sign-out in the handler is final.
    if session.id().is_some()
        && let Err(error) = extend(&session, &agent).await
    {
        // If the handler needs the session, it will fail there.
        tracing::warn!(%error, "a session could not be extended");
    }
    next.run(request).await
}

async fn extend(session: &Session, agent: &str) -> Result<(), tower_sessions::session::Error> {
    if session.get_value(USER_ID_KEY).await?.is_none() {
        return Ok(());
    }
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let seen = session.get::<i64>(SEEN_KEY).await?;
    if seen.is_none_or(|seen| seen.abs_diff(now) >= EXTEND_EVERY.as_secs()) {
        // Any change makes the layer save the session with a new expiry.
        session.insert(SEEN_KEY, now).await?;
        if session.get_value(DEVICE_KEY).await?.is_none() {
            session.insert(DEVICE_KEY, Device::new(agent)).await?;
        }
    }
    Ok(())
}

/// Deletes expired sessions and tokens now and every hour, for ever. `longest` is the longest lifetime of a token.
pub async fn sweep(chat: Chat, longest: Duration) {
    let mut hourly = tokio::time::interval(SWEEP);
    loop {
        hourly.tick().await;
        // A margin, since a token's `iat` may be later than the time of its issue.
        match chat.forget_expired(longest + SWEEP).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "expired sessions and tokens were removed"),
            Err(error) => tracing::warn!(%error, "expired sessions and tokens could not be removed"),
        }
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let tokens_from = record.data.get(TOKENS_FROM_KEY).and_then(serde_json::Value::as_i64);
        // A session without it has no user.
        let tokens_from = Timestamp(tokens_from.unwrap_or(i64::MIN));
        while !self.chat.create_session(&stored(record)?, tokens_from).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.chat.save_session(&stored(record)?).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some(stored) = self.chat.load_session(&session_id(id)).await.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_str(&stored.data)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(stored.expires_at.0) * 1_000)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.chat.delete_session(&session_id(id)).await.map_err(backend)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

fn session_id(secret: &Id) -> SessionId {
    SessionId::of_secret(&secret.to_string())
}

fn stored(record: &Record) -> session_store::Result<SessionRecord> {
    let data = serde_json::to_string(&record.data)
        .map_err(|error| session_store::Error::Encode(error.to_string()))?;
    let micros = record.expiry_date.unix_timestamp_nanos() / 1_000;
    Ok(SessionRecord {
        id: session_id(&record.id),
        data,
        user: record.data.get(USER_ID_KEY).and_then(serde_json::Value::as_i64).map(UserId),
        expires_at: Timestamp(i64::try_from(micros).unwrap_or(i64::MAX)),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn backend(error: chat::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}
