//! Rooms: listing, creating, reading, changing, deleting, joining and leaving.

use super::{
    Chat,
    limits::Cost,
    retried,
    succession::{Successor, promote_successor, role_for_new_member},
};
use crate::{
    error::Result,
    event::{Event, UserEvent},
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
        members::{self, MemberFilter},
        rooms,
    },
};

pub use crate::store::rooms::{RoomCursor, RoomFilter};

/// A page of the room list.
#[derive(Clone, Debug)]
pub struct RoomPage {
    /// The rooms.
    pub rooms: Vec<Room>,
    /// The cursor of the last one, if more follow.
    pub next: Option<RoomCursor>,
}

impl Chat {
    /// The public rooms and the viewer's own, most recent activity first.
    ///
    /// # Errors
    /// `invalid` for an invalid search text.
    pub async fn rooms(&self, viewer: &User, filter: &RoomFilter) -> Result<Vec<Room>> {
        check_search(filter)?;
        let mut conn = self.store().read().await?;
        let listed = rooms::list(&mut conn, viewer.id, filter).await?;
        Ok(listed.into_iter().map(|(_, room)| room).collect())
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
                return Ok(RoomPage { rooms: Vec::new(), next: None });
            }
        }
        // One more than the page, to know whether there is a next one.
        filter.limit = size.saturating_add(1);
        let mut listed = rooms::list(&mut conn, viewer.id, &filter).await?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let has_more = listed.len() > size;
        listed.truncate(size);
        let next = listed.last().filter(|_| has_more).map(|(place, _)| *place);
        Ok(RoomPage { rooms: listed.into_iter().map(|(_, room)| room).collect(), next })
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
        let members = members::list(&mut conn, tag, MemberFilter::NotBanned, ROOM_DETAIL_MEMBERS).await?;
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
        members::join(&mut tx, id, creator.id, Role::Admin, 0, now).await?;
        rooms::add_members(&mut tx, id, 1).await?;
        tx.commit().await?;
        self.hub().publish_user(creator.id, UserEvent::Room(id));
        self.room(creator, id).await
    }

    /// Changes a room's name, description or `max_members`.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`, `permission_denied`; `invalid` with every bad field, also for a
    /// `max_members` below the number of members; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn edit_room(&self, editor: &User, id: RoomId, patch: RoomPatch) -> Result<Room> {
        self.limits().charge(editor.id, Cost::Act)?;
        retried(|| self.try_to_edit_room(editor, id, &patch)).await
    }

    async fn try_to_edit_room(&self, editor: &User, id: RoomId, patch: &RoomPatch) -> Result<Room> {
        let mut tx = self.store().write().await?;
        // Locked, so that nobody joins between the check of `max_members` and the change.
        rooms::lock(&mut tx, id).await?;
        let access = rooms::access(&mut tx, id, editor.id).await?;
        let state = &allow(access.as_ref(), Action::ManageRoom)?.room;
        let name = patch.name.as_deref();
        let mut problems = Problems::default();
        check_words(&mut problems, name, patch.description.as_deref());
        if let Some(max_members) = patch.max_members {
            check_capacity(&mut problems, max_members, state.member_count.max(ROOM_MEMBERS_MIN));
        }
        problems.finish()?;

        if *patch == RoomPatch::default() {
            // SQLite has one writing connection, which must be free before the room is read again.
            drop(tx);
        } else {
            let change = rooms::RoomUpdate {
                name,
                description: patch.description.as_deref(),
                max_members: patch.max_members,
            };
            rooms::update(&mut tx, id, &change, self.clock().now()).await?;
            tx.commit().await?;
        }
        self.room(editor, id).await
    }

    /// Deletes a room: nobody may join or write from now on, its sockets close, and its members may still read.
    ///
    /// # Errors
    /// `not_found` (also when it is already deleted), `banned`, `not_a_member`, `permission_denied`;
    /// [`Error::Throttled`](crate::Error::Throttled).
    pub async fn delete_room(&self, user: &User, id: RoomId) -> Result<()> {
        self.limits().charge(user.id, Cost::Act)?;
        let user = user.clone();
        self.serialized(id, move |chat| chat.try_to_delete_room(user.clone(), id)).await
    }

    async fn try_to_delete_room(self, user: User, id: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        rooms::lock(&mut tx, id).await?;
        let access = rooms::access(&mut tx, id, user.id).await?;
        allow(access.as_ref(), Action::ManageRoom)?;
        rooms::deactivate(&mut tx, id, self.clock().now()).await?;
        tx.commit().await?;
        self.hub().publish(id, Event::Close { user: None, code: Code::NotFound });
        Ok(())
    }

    /// Joins a room. Does nothing for a member.
    ///
    /// # Errors
    /// `not_found`, `banned`, `room_full`; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn join(&self, user: &User, id: RoomId) -> Result<()> {
        self.limits().charge(user.id, Cost::Act)?;
        let user = user.clone();
        self.serialized(id, move |chat| chat.try_to_join(user.clone(), id)).await
    }

    async fn try_to_join(self, user: User, id: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        // Locked first: of two users who race for the last free membership exactly one joins.
        rooms::lock(&mut tx, id).await?;
        let access = rooms::access(&mut tx, id, user.id).await?;
        let access = allow(access.as_ref(), Action::Join)?;
        if access.member.as_ref().is_some_and(|member| member.is_present) {
            return Ok(());
        }
        let room = &access.room;
        if room.member_count >= room.max_members {
            return Err(Code::RoomFull.into());
        }
        let role = role_for_new_member(&mut tx, id).await?;
        members::join(&mut tx, id, user.id, role, room.seq, self.clock().now()).await?;
        rooms::add_members(&mut tx, id, 1).await?;
        tx.commit().await?;
        self.notify_members(id, room.member_count + 1, [(&user, MemberChange::Joined, role)]);
        Ok(())
    }

    /// Leaves a room; a banned member may do so too. If the last admin leaves, a successor becomes admin. The user's
    /// sockets to the room close.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`.
    pub async fn leave(&self, user: &User, id: RoomId) -> Result<()> {
        let user = user.clone();
        self.serialized(id, move |chat| chat.try_to_leave(user.clone(), id)).await
    }

    async fn try_to_leave(self, user: User, id: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        rooms::lock(&mut tx, id).await?;
        let access = rooms::access(&mut tx, id, user.id).await?;
        let access = allow(access.as_ref(), Action::Leave)?;
        let member = access.member.as_ref().ok_or(Code::NotAMember)?;
        members::leave(&mut tx, member.id, self.clock().now()).await?;
        let counted = i64::from(!member.is_banned);
        rooms::add_members(&mut tx, id, -counted).await?;
        let successor = promote_successor(&mut tx, access.room.to_ref()).await?;
        tx.commit().await?;
        let gone = (&user, MemberChange::Left, Role::Member);
        let promoted = successor.as_ref().map(Successor::change);
        self.notify_members(id, access.room.member_count - counted, [gone].into_iter().chain(promoted));
        self.hub().publish(id, Event::Close { user: Some(user.id), code: Code::NotAMember });
        Ok(())
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
