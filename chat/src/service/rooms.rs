//! Rooms: listing, making, seeing, coming and going.

use super::{
    Chat,
    access::{Action, allow},
    validate::Problems,
};
use crate::{
    error::Result,
    model::{
        Code, NewRoom, Problem, Role, Room, RoomId, RoomType, User,
        limits::{
            ROOM_DESCRIPTION_MAX, ROOM_DETAIL_MEMBERS, ROOM_MEMBERS_DEFAULT, ROOM_MEMBERS_MAX,
            ROOM_MEMBERS_MIN, ROOM_NAME_MAX,
        },
    },
    store::{members, rooms},
};

pub use crate::store::rooms::RoomFilter;

impl Chat {
    /// The public rooms and the viewer's own, most recent activity first.
    pub async fn rooms(&self, viewer: &User, filter: &RoomFilter) -> Result<Vec<Room>> {
        let mut conn = self.store().read().await?;
        Ok(rooms::list(&mut conn, viewer.id, filter).await?)
    }

    /// One room, with its first members.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn room(&self, viewer: &User, id: RoomId) -> Result<Room> {
        let mut conn = self.store().read().await?;
        let standing = rooms::standing(&mut conn, id, viewer.id).await?;
        let tag = allow(standing.as_ref(), Action::See)?.room.to_ref();
        let mut room = rooms::view(&mut conn, viewer.id, id).await?.ok_or(Code::NotFound)?;
        let members = members::list(&mut conn, tag, ROOM_DETAIL_MEMBERS).await?;
        room.members = Some(members.into_iter().map(|member| member.user).collect());
        Ok(room)
    }

    /// Makes a room, with its maker as admin and first member.
    ///
    /// # Errors
    /// `invalid` with every bad field.
    pub async fn create_room(&self, creator: &User, new: NewRoom) -> Result<Room> {
        let name = new.name.trim();
        let mut problems = Problems::default();
        problems.filled_line("name", name, ROOM_NAME_MAX);
        problems.text("description", &new.description, ROOM_DESCRIPTION_MAX);
        let kind = RoomType::parse(&new.room_type);
        if kind.is_none() {
            problems.add("room_type", Problem::NotAChoice);
        }
        let places = new.max_members.unwrap_or(ROOM_MEMBERS_DEFAULT);
        if !(ROOM_MEMBERS_MIN..=ROOM_MEMBERS_MAX).contains(&places) {
            problems.add("max_members", Problem::OutOfRange { min: ROOM_MEMBERS_MIN, max: ROOM_MEMBERS_MAX });
        }
        problems.finish()?;

        let now = self.clock().now();
        let mut tx = self.store().write().await?;
        let id =
            rooms::insert(&mut tx, name, &new.description, kind.unwrap_or_default(), places, creator.id, now)
                .await?;
        members::enter(&mut tx, id, creator.id, Role::Admin, 0, now).await?;
        rooms::add_members(&mut tx, id, 1).await?;
        tx.commit().await?;
        self.room(creator, id).await
    }

    /// Comes into a room; being in it already is fine.
    ///
    /// # Errors
    /// `not_found`, `banned`, `room_full`.
    pub async fn join(&self, user: &User, id: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        // The lock first: of two who race for the last place exactly one gets in.
        rooms::lock(&mut tx, id).await?;
        let standing = rooms::standing(&mut tx, id, user.id).await?;
        let standing = allow(standing.as_ref(), Action::Join)?;
        if standing.member.as_ref().is_some_and(|member| member.is_present) {
            return Ok(());
        }
        let room = &standing.room;
        if room.member_count >= room.max_members {
            return Err(Code::RoomFull.into());
        }
        members::enter(&mut tx, id, user.id, Role::Member, room.seq, self.clock().now()).await?;
        rooms::add_members(&mut tx, id, 1).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Goes out of a room. Its last admin's leaving makes the next in line admin; their
    /// sockets there close.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`.
    pub async fn leave(&self, user: &User, id: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        rooms::lock(&mut tx, id).await?;
        let standing = rooms::standing(&mut tx, id, user.id).await?;
        let standing = allow(standing.as_ref(), Action::See)?;
        let member = standing.member.as_ref().filter(|member| member.is_present).ok_or(Code::NotAMember)?;
        members::leave(&mut tx, member.id, self.clock().now()).await?;
        rooms::add_members(&mut tx, id, -1).await?;
        if !members::has_admin(&mut tx, id).await?
            && let Some(heir) = members::heir(&mut tx, id).await?
        {
            members::set_role(&mut tx, heir, Role::Admin).await?;
        }
        tx.commit().await?;
        self.hub().publish(id, crate::hub::Event::Close { user: Some(user.id), code: Code::NotAMember });
        Ok(())
    }
}
