//! A socket of an authenticated client, before it is opened to a room or to notifications.

use super::{
    Chat, CombinedSession, NotificationSession, RoomSession, limits::SocketPermit, messages::Receipt,
    room_session::Resume,
};
use crate::{
    credential::{Actor, Claim, Credential},
    error::Result,
    hub::{OnlineSocket, OpenSocket},
    model::{Code, MessageDraft, MessageId, RoomId, User},
};

/// An authenticated socket. When its credential ends, on whatever node, [`Self::until_ended`] returns and nothing can
/// be sent with it any more.
pub struct AuthenticatedSocket {
    chat: Chat,
    actor: Actor,
    registered: OpenSocket,
    _permit: SocketPermit,
    _online: OnlineSocket,
}

impl Chat {
    /// Registers a socket for the user of this claim.
    ///
    /// # Errors
    /// As [`Self::authorize_claim`]; `throttled` above `sockets_per_user`.
    pub async fn connect(&self, claim: Claim) -> Result<AuthenticatedSocket> {
        let (registered, actor) = self.register_socket(claim).await?;
        let permit = self.limits().open_socket(actor.user.id)?;
        let online = self.hub().open_online(actor.user.id);
        Ok(AuthenticatedSocket { chat: self.clone(), actor, registered, _permit: permit, _online: online })
    }

    /// Registers before it checks: a credential that ends after the check finds the socket registered.
    async fn register_socket(&self, claim: Claim) -> Result<(OpenSocket, Actor)> {
        let sockets = self.hub().open_sockets();
        let registered = sockets.register(claim.user, claim.credential.clone());
        let mut conn = self.store().read().await?;
        let (user, good_until) = self.verify(&mut conn, &claim).await?;
        self.check_group(&mut conn, claim.user).await?;
        if let Credential::Session(id) = &claim.credential {
            sockets.set_session_end(claim.user, id, good_until);
        }
        Ok((registered, Actor { user, credential: claim.credential }))
    }
}

impl AuthenticatedSocket {
    /// Opens a room. The frames to send first are already queued in the session, starting with
    /// `connection_established`.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`, `banned`.
    pub async fn open_room(self, room: RoomId, resume: Option<Resume>) -> Result<RoomSession> {
        self.chat.clone().open_room(self, room, resume).await
    }

    /// Opens the user's notifications. The frames to send first are already queued in the session:
    /// `connection_established`, then `unread` for each room with unread messages. A client that resumes after
    /// `after_rev` gets `unread` for all its rooms, and the notifications that it missed.
    ///
    /// # Errors
    /// A failing database.
    pub async fn open_notifications(self, after_rev: Option<i64>) -> Result<NotificationSession> {
        self.chat.clone().open_notifications(self, after_rev).await
    }

    /// Opens the user's notifications, as [`Self::open_notifications`] does, with subscriptions to rooms beside them.
    ///
    /// # Errors
    /// A failing database.
    pub async fn open_combined(self, after_rev: Option<i64>) -> Result<CombinedSession> {
        self.chat.clone().open_combined(self, after_rev).await
    }

    /// Switches to another credential of the same user. An error leaves the socket unchanged.
    ///
    /// # Errors
    /// As [`Chat::authorize_claim`]; `token_not_valid` if it belongs to another user.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        if claim.user != self.actor.user.id {
            return Err(Code::TokenNotValid.into());
        }
        (self.registered, self.actor) = self.chat.register_socket(claim).await?;
        Ok(())
    }

    /// The socket's user and current credential.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(super) fn registered(&self) -> &OpenSocket {
        &self.registered
    }

    pub(super) fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The socket's user.
    pub fn user(&self) -> &User {
        &self.actor.user
    }

    /// Waits until the credential ends, and returns the reason: `token_not_valid`, `user_inactive`, `user_not_found`.
    /// Cancel-safe.
    pub(super) async fn until_ended(&self) -> Code {
        self.registered.until_ended().await
    }

    /// Fails if the credential has ended. Called for each frame, so it does not read the clock: see
    /// [`OpenSocket::ended`].
    pub(super) fn check_open(&self) -> Result<()> {
        self.registered.ended().map_or(Ok(()), |code| Err(code.into()))
    }

    /// Checks that the credential is valid now.
    ///
    /// # Errors
    /// Why it has ended.
    pub(super) fn check_credential(&self) -> Result<()> {
        self.registered.ended_by(self.chat.clock().now()).map_or(Ok(()), |code| Err(code.into()))
    }

    /// [`Chat::submit`] by the socket's user.
    ///
    /// # Errors
    /// Why the credential has ended; as [`Chat::submit`].
    pub fn submit(&self, room: RoomId, draft: MessageDraft) -> Result<Receipt> {
        self.check_credential()?;
        let renamed = self.registered.renamed();
        self.chat.submit(renamed.as_deref().unwrap_or(self.user()), room, draft)
    }

    /// [`Chat::mark_read_in`] by the socket's user.
    ///
    /// # Errors
    /// Why the credential has ended; as [`Chat::mark_read_in`].
    pub async fn mark_read_in(&self, room: RoomId, message: MessageId) -> Result<()> {
        self.check_credential()?;
        self.chat.mark_read_in(self.user(), room, message).await
    }
}
