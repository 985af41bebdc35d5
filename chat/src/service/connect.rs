//! A socket whose client has proved who it is, before it is opened to anything.

use super::{
    Chat, NotificationSession, RoomSession, limits::SocketPlace, messages::Receipt, sockets::Resume,
};
use crate::{
    credential::{Actor, Claim, Credential},
    error::Result,
    hub::OpenSocket,
    model::{Code, MessageDraft, MessageId, RoomId, User},
};

/// A socket of somebody. It lives as long as the credential that opened it: when that ends, on whatever node,
/// [`Self::until_ended`] says so and nothing can be sent with it any more.
pub struct AuthenticatedSocket {
    chat: Chat,
    actor: Actor,
    registered: OpenSocket,
    _place: SocketPlace,
}

impl Chat {
    /// Takes a socket in from whoever makes this claim.
    ///
    /// # Errors
    /// As [`Self::admit_claim`]; `throttled` beyond `sockets_per_user`.
    pub async fn connect(&self, claim: Claim) -> Result<AuthenticatedSocket> {
        let (registered, actor) = self.register_socket(claim).await?;
        let place = self.limits().open_socket(actor.user.id)?;
        Ok(AuthenticatedSocket { chat: self.clone(), actor, registered, _place: place })
    }

    /// Registers before it checks: a credential that ends after the check finds the socket registered.
    async fn register_socket(&self, claim: Claim) -> Result<(OpenSocket, Actor)> {
        let sockets = self.hub().open_sockets();
        let registered = sockets.register(claim.user, claim.credential.clone());
        let mut conn = self.store().read().await?;
        let (user, good_until) = self.verify(&mut conn, &claim).await?;
        self.must_be_in_group(&mut conn, claim.user).await?;
        if let Credential::Session(id) = &claim.credential {
            sockets.set_session_end(claim.user, id, good_until);
        }
        Ok((registered, Actor { user, credential: claim.credential }))
    }
}

impl AuthenticatedSocket {
    /// Opens it to a room: the frames to send first are in the session already, `connection_established` before all.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`, `banned`.
    pub async fn open_room(self, room: RoomId, resume: Option<Resume>) -> Result<RoomSession> {
        self.chat.clone().open_room(self, room, resume).await
    }

    /// Opens it for the user's notifications. The frames to send first are in the session already:
    /// `connection_established`, then `unread` for each room in which something is.
    ///
    /// # Errors
    /// A failing database.
    pub async fn open_notifications(self) -> Result<NotificationSession> {
        self.chat.clone().open_notifications(self).await
    }

    /// Goes on with another credential of the same person. Whatever goes wrong changes nothing.
    ///
    /// # Errors
    /// As [`Chat::admit_claim`]; `token_not_valid` where it is another person's.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        if claim.user != self.actor.user.id {
            return Err(Code::TokenNotValid.into());
        }
        (self.registered, self.actor) = self.chat.register_socket(claim).await?;
        Ok(())
    }

    /// Whose it is, and the credential it lives by.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whose it is.
    pub fn user(&self) -> &User {
        &self.actor.user
    }

    /// Waits until the credential ends, and says why: `token_not_valid`, `user_inactive`, `user_not_found`.
    /// Cancel-safe.
    pub(super) async fn until_ended(&self) -> Code {
        self.registered.until_ended().await
    }

    /// May it still be sent to? Asked for each frame, so it does not look at the time: see [`OpenSocket::ended`].
    pub(super) fn must_be_open(&self) -> Result<()> {
        self.registered.ended().map_or(Ok(()), |code| Err(code.into()))
    }

    /// May it still send?
    ///
    /// # Errors
    /// Why its credential has ended.
    pub(super) fn must_be_good(&self) -> Result<()> {
        self.registered.ended_by(self.chat.clock().now()).map_or(Ok(()), |code| Err(code.into()))
    }

    /// [`Chat::submit`] by whoever has the socket, as long as their credential is good.
    ///
    /// # Errors
    /// Why the credential has ended; as [`Chat::submit`].
    pub fn submit(&self, room: RoomId, draft: MessageDraft) -> Result<Receipt> {
        self.must_be_good()?;
        self.chat.submit(self.user(), room, draft)
    }

    /// [`Chat::mark_read_in`] by whoever has the socket, as long as their credential is good.
    ///
    /// # Errors
    /// Why the credential has ended; as [`Chat::mark_read_in`].
    pub async fn mark_read_in(&self, room: RoomId, message: MessageId) -> Result<()> {
        self.must_be_good()?;
        self.chat.mark_read_in(self.user(), room, message).await
    }
}
