//! Calls by token that load the caller together with the result, in one statement.
//!
//! The result is returned only if [`Chat::authorize_claim`] would accept the caller. If a call fails for another
//! reason, the caller may not have been checked yet; the handler then checks, since an error about the caller takes
//! precedence.

use super::{
    Chat,
    history::{CheckedQuery, HistoryQuery},
    rooms::{RoomFilter, check_search},
};
use crate::{
    credential::Claim,
    error::Result,
    model::{Code, MessagePage, Room, RoomId, User},
    store::{
        Conn,
        rooms::{self, RoomAccess},
        users::Account,
    },
};

impl Chat {
    /// [`Self::rooms`] for the user of this claim.
    ///
    /// # Errors
    /// As [`Self::authorize_claim`] and [`Self::rooms`].
    pub async fn rooms_as(&self, claim: Claim, filter: &RoomFilter) -> Result<Vec<Room>> {
        check_search(filter)?;
        let mut conn = self.store().read().await?;
        let (account, listed) = rooms::load_caller_and_list(&mut conn, claim.user, filter).await?;
        self.check_caller(&mut conn, &claim, account).await?;
        Ok(listed.into_iter().map(|(_, room)| room).collect())
    }

    /// [`Self::history`] for the user of this claim.
    ///
    /// # Errors
    /// As [`Self::authorize_claim`] and [`Self::history`].
    pub async fn history_as(&self, claim: Claim, room: RoomId, query: HistoryQuery) -> Result<MessagePage> {
        let query = CheckedQuery::of(query)?;
        let mut conn = self.store().read().await?;
        let Some((skipped, count)) = query.newest_range() else {
            let visited = rooms::load_caller_and_room(&mut conn, room, claim.user).await?;
            let (_, access) = self.check_caller_and_room(&mut conn, &claim, visited).await?;
            return query.read(&mut conn, Some(&access)).await;
        };
        let found = rooms::load_caller_room_and_newest(&mut conn, room, claim.user, skipped, count).await?;
        let (visited, messages) =
            found.map_or((None, Vec::new()), |(visited, messages)| (Some(visited), messages));
        let (_, access) = self.check_caller_and_room(&mut conn, &claim, visited).await?;
        query.page_of(&access, messages)
    }

    /// The caller and their access to the room; `not_found` if the room does not exist.
    async fn check_caller_and_room(
        &self,
        conn: &mut Conn,
        claim: &Claim,
        visited: Option<rooms::CallerAndRoom>,
    ) -> Result<(User, RoomAccess)> {
        let (account, access) = visited.ok_or(Code::NotFound)?;
        Ok((self.check_caller(conn, claim, Some(account)).await?, access))
    }

    async fn check_caller(&self, conn: &mut Conn, claim: &Claim, account: Option<Account>) -> Result<User> {
        let user = self.active_user(account, &claim.credential)?;
        self.check_group(conn, claim.user).await?;
        Ok(user)
    }
}
