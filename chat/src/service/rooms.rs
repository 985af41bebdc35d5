//! Rooms: listing, creating, reading, changing, deleting, joining and leaving.

use super::{Chat, limits::Cost, members, succession::promote_successor};
use crate::{
    error::Result,
    event::{UserChange, UserEvent},
    model::{
        Code, MemberChange, NewRoom, Problem, Role, Room, RoomId, RoomPatch, RoomType, User,
        limits::{
            ROOM_DESCRIPTION_MAX, ROOM_DETAIL_MEMBERS, ROOM_MEMBERS_DEFAULT, ROOM_MEMBERS_MAX,
            ROOM_MEMBERS_MIN, ROOM_NAME_MAX,
        },
    },
    rules::{
        access::{Action, allow},
        validate::Problems,
    },
    store::{
        members::{self as member_rows, MemberFilter},
        rooms, streams,
    },
    writer::{RoomTransaction, RoomUpdate},
};

pub use super::room_cards::RoomList;
pub use crate::store::rooms::{RoomCursor, RoomFilter};

/// A page of the room list.
pub struct RoomPage {
    /// The rooms.
    pub rooms: RoomList,
    /// The cursor of the last one, if more follow.
    pub next: Option<RoomCursor>,
}

impl Chat {
    /// The public rooms and the viewer's own, most recent activity first.
    ///
    /// # Errors
    /// `invalid` for an invalid search text.
    pub async fn rooms(&self, viewer: &User, filter: &RoomFilter) -> Result<RoomList> {
        check_search(filter)?;
        let mut conn = self.store().read().await?;
        let listed = rooms::list(&mut conn, viewer.id, filter).await?;
        Ok(self.room_cards().complete(&mut conn, viewer.id, listed).await?)
    }

    /// A page of `filter.limit` rooms: those after the cursor `filter.after` if it is set, whatever `page` is;
    /// otherwise page number `page`.
    ///
    /// With cursors each page costs the same, and a room that moves up meanwhile is not repeated. A page number has
    /// no index: its start is found by reading the keys of the pages before.
    ///
    /// # Errors
    /// As [`Self::rooms`].
    pub async fn room_page(&self, viewer: &User, filter: RoomFilter, page: i64) -> Result<RoomPage> {
        check_search(&filter)?;
        let mut conn = self.store().read().await?;
        let mut filter = filter;
        let size = filter.limit;
        if filter.after.is_none() && page > 1 {
            let before = (page - 1).saturating_mul(size);
            filter.after = rooms::nth_cursor(&mut conn, viewer.id, &filter, before).await?;
            if filter.after.is_none() {
                return Ok(RoomPage { rooms: RoomList::default(), next: None });
            }
        }
        // One more than the page, to know whether there is a next one.
        filter.limit = size.saturating_add(1);
        let mut listed = rooms::list(&mut conn, viewer.id, &filter).await?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let has_more = listed.len() > size;
        listed.truncate(size);
        let next = listed.last().filter(|_| has_more).map(|room| room.cursor);
        Ok(RoomPage { rooms: self.room_cards().complete(&mut conn, viewer.id, listed).await?, next })
    }

    /// One room, with its first members.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn room(&self, viewer: &User, id: RoomId) -> Result<Room> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, id, viewer.id).await?;
        let tag = allow(access.as_ref(), Action::See)?.room.to_ref();
        let mut room = rooms::view(&mut conn, viewer.id, id).await?.ok_or(Code::NotFound)?;
        let members = member_rows::list(&mut conn, tag, MemberFilter::NotBanned, ROOM_DETAIL_MEMBERS).await?;
        room.members = Some(members.into_iter().map(|member| member.user).collect());
        Ok(room)
    }

    /// Creates a room, with its creator as admin and first member.
    ///
    /// # Errors
    /// `invalid` with every bad field; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn create_room(&self, creator: &User, new: NewRoom) -> Result<Room> {
        self.limits().charge(creator.id, Cost::Act)?;
        let name = new.name.as_str();
        let mut problems = Problems::default();
        check_words(&mut problems, Some(name), Some(&new.description));
        let kind = RoomType::parse(&new.room_type);
        if kind.is_none() {
            problems.add("room_type", Problem::NotAChoice);
        }
        let max_members = new.max_members.unwrap_or(ROOM_MEMBERS_DEFAULT);
        check_capacity(&mut problems, max_members, ROOM_MEMBERS_MIN);
        problems.finish()?;
        self.limits().charge(creator.id, Cost::NewRoom)?;

        let now = self.clock().now();
        let mut tx = self.store().write().await?;
        let id = rooms::insert(
            &mut tx,
            name,
            &new.description,
            kind.unwrap_or_default(),
            max_members,
            creator.id,
            now,
        )
        .await?;
        // The room's stream begins after this.
        let rev = 0;
        member_rows::join(&mut tx, id, creator.id, Role::Admin, 0, rev, now).await?;
        rooms::set_counters(&mut tx, id, 1, rev).await?;
        let user_rev = streams::advance_one(&mut tx, creator.id).await?;
        member_rows::set_user_rev(&mut tx, id, creator.id, user_rev).await?;
        tx.commit().await?;
        let event = UserEvent { rev: Some(user_rev), change: UserChange::Room(id) };
        self.hub().publish_user(creator.id, event);
        self.room(creator, id).await
    }

    /// Changes a room's name, description or `max_members`.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`, `permission_denied`; `invalid` with every bad field, also for a
    /// `max_members` below the number of members; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn edit_room(&self, editor: &User, id: RoomId, patch: RoomPatch) -> Result<Room> {
        self.limits().charge(editor.id, Cost::Act)?;
        self.writer().update(id, editor.id, EditRoom { patch }).await?;
        self.room(editor, id).await
    }

    /// Deletes a room: nobody may join or write from now on, its sockets close, and its members may still read.
    ///
    /// # Errors
    /// `not_found` (also when it is already deleted), `banned`, `not_a_member`, `permission_denied`;
    /// [`Error::Throttled`](crate::Error::Throttled).
    pub async fn delete_room(&self, user: &User, id: RoomId) -> Result<()> {
        self.limits().charge(user.id, Cost::Act)?;
        self.writer().update(id, user.id, DeleteRoom).await
    }

    /// Joins a room. Does nothing for a member.
    ///
    /// # Errors
    /// `not_found`, `banned`, `room_full`; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn join(&self, user: &User, id: RoomId) -> Result<()> {
        self.limits().charge(user.id, Cost::Act)?;
        self.writer().update(id, user.id, Join).await
    }

    /// Leaves a room; a banned member may do so too. If the last admin leaves, a successor becomes admin. The user's
    /// sockets to the room close.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`.
    pub async fn leave(&self, user: &User, id: RoomId) -> Result<()> {
        self.writer().update(id, user.id, Leave).await
    }
}

struct EditRoom {
    patch: RoomPatch,
}

impl RoomUpdate for EditRoom {
    type Output = ();

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        let access = tx.actor_access().await?;
        let state = &allow(access.as_ref(), Action::ManageRoom)?.room;
        let RoomPatch { name, description, max_members } = &self.patch;
        let mut problems = Problems::default();
        check_words(&mut problems, name.as_deref(), description.as_deref());
        if let Some(max_members) = *max_members {
            check_capacity(&mut problems, max_members, state.member_count.max(ROOM_MEMBERS_MIN));
        }
        problems.finish()?;
        if self.patch == RoomPatch::default() {
            return Ok(());
        }
        tx.update_room(&rooms::RoomUpdate {
            name: name.as_deref(),
            description: description.as_deref(),
            max_members: *max_members,
            ..rooms::RoomUpdate::default()
        })
        .await
    }
}

struct DeleteRoom;

impl RoomUpdate for DeleteRoom {
    type Output = ();

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        let access = tx.actor_access().await?;
        allow(access.as_ref(), Action::ManageRoom)?;
        tx.update_room(&rooms::RoomUpdate { is_deleted: true, ..rooms::RoomUpdate::default() }).await
    }
}

struct Join;

impl RoomUpdate for Join {
    type Output = ();

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        let access = tx.actor_access().await?;
        let access = allow(access.as_ref(), Action::Join)?;
        if access.member.as_ref().is_some_and(|member| member.is_present) {
            return Ok(());
        }
        // Under the room's lock: of two users who race for the last free membership exactly one joins.
        if access.room.member_count >= access.room.max_members {
            return Err(Code::RoomFull.into());
        }
        members::enter(tx, tx.actor(), MemberChange::Joined).await.map(drop)
    }
}

struct Leave;

impl RoomUpdate for Leave {
    type Output = ();

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        let access = tx.actor_access().await?;
        let access = allow(access.as_ref(), Action::Leave)?;
        let member = access.member.as_ref().ok_or(Code::NotAMember)?;
        members::exit(tx, member.id, tx.actor(), !member.is_banned, MemberChange::Left).await?;
        promote_successor(tx).await
    }
}

/// Both databases reject overlong patterns with an error.
pub(super) fn check_search(filter: &RoomFilter) -> Result<()> {
    let mut problems = Problems::default();
    if let Some(search) = &filter.search {
        problems.text("search", search, ROOM_NAME_MAX);
    }
    problems.finish()
}

fn check_words(problems: &mut Problems, name: Option<&str>, description: Option<&str>) {
    if let Some(name) = name {
        problems.filled_name("name", name, ROOM_NAME_MAX);
    }
    if let Some(description) = description {
        problems.text("description", description, ROOM_DESCRIPTION_MAX);
    }
}

fn check_capacity(problems: &mut Problems, max_members: i64, min: i64) {
    if !(min..=ROOM_MEMBERS_MAX).contains(&max_members) {
        problems.add("max_members", Problem::OutOfRange { min, max: ROOM_MEMBERS_MAX });
    }
}
