//! Calls of somebody who shows a token, in which who they are is looked up together with what they ask for.
//!
//! Nothing is given to whom [`Chat::admit_claim`] would not let in. A call that is refused for another reason may
//! not have come to that question: the door asks it then, for the refusal of the person comes first.

use super::{
    Chat,
    history::{HistoryQuery, Window},
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
    /// [`Self::rooms`] for whoever makes this claim.
    ///
    /// # Errors
    /// As [`Self::admit_claim`] and [`Self::rooms`].
    pub async fn rooms_as(&self, claim: Claim, filter: &RoomFilter) -> Result<Vec<Room>> {
        check_search(filter)?;
        let mut conn = self.store().read().await?;
        let (account, listed) = rooms::load_caller_and_list(&mut conn, claim.user, filter).await?;
        self.present_as(&mut conn, &claim, account).await?;
        Ok(listed.into_iter().map(|(_, room)| room).collect())
    }

    /// [`Self::history`] for whoever makes this claim.
    ///
    /// # Errors
    /// As [`Self::admit_claim`] and [`Self::history`].
    pub async fn history_as(&self, claim: Claim, room: RoomId, query: HistoryQuery) -> Result<MessagePage> {
        let window = Window::of(query)?;
        let mut conn = self.store().read().await?;
        let Some((skipped, count)) = window.below_the_newest() else {
            let visited = rooms::load_caller_and_room(&mut conn, room, claim.user).await?;
            let (_, access) = self.present_in_room(&mut conn, &claim, visited).await?;
            return window.read(&mut conn, Some(&access)).await;
        };
        let found = rooms::load_caller_room_and_newest(&mut conn, room, claim.user, skipped, count).await?;
        let (visited, messages) =
            found.map_or((None, Vec::new()), |(visited, messages)| (Some(visited), messages));
        let (_, access) = self.present_in_room(&mut conn, &claim, visited).await?;
        window.filled(&access, messages)
    }

    /// Who visits; `not_found` where there is no such room.
    async fn present_in_room(
        &self,
        conn: &mut Conn,
        claim: &Claim,
        visited: Option<rooms::CallerAndRoom>,
    ) -> Result<(User, RoomAccess)> {
        let (account, access) = visited.ok_or(Code::NotFound)?;
        Ok((self.present_as(conn, claim, Some(account)).await?, access))
    }

    async fn present_as(&self, conn: &mut Conn, claim: &Claim, account: Option<Account>) -> Result<User> {
        let user = self.present(account, &claim.credential)?;
        self.must_be_in_group(conn, claim.user).await?;
        Ok(user)
    }
}
