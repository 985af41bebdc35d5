//! The list of rooms, and at its foot oneself.

use chat::model::{Room, RoomId, RoomType, User};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_router::components::A;

use super::rooms::KnownRooms;
use crate::{
    i18n::{Locale, say, td_string},
    preferences::locale,
    server::{rooms::room_path, session::SignOut},
    state::rooms,
    ui::{
        avatar::{Avatar, Shape},
        icon::{Draw, Icon},
        mark::Mark,
        moment::BriefTime,
        person::display_name,
        switches::Switches,
    },
};

/// See the module.
#[component]
pub fn RoomList(
    /// Who is signed in.
    me: User,
    /// The rooms.
    known: KnownRooms,
) -> impl IntoView {
    let KnownRooms(all) = known;
    let mine = move || all.with(|all| rooms::mine(all));
    let open = move || all.with(|all| rooms::open_to_join(all));
    view! {
        <div class="rooms">
            <header class="bar">
                <a class="brand" href="/rooms">
                    <Mark/>
                    <span>{say!(brand)}</span>
                </a>
                <a
                    class="button button-icon"
                    href="/rooms/new"
                    rel="external"
                    aria-label=say!(rooms.new)
                    title=say!(rooms.new)
                >
                    <Draw icon=Icon::Plus/>
                </a>
            </header>
            <nav class="rooms-scroll" aria-label=say!(rooms.title)>
                <h2 class="rooms-heading">{say!(rooms.mine)}</h2>
                <Show when=move || mine().is_empty()>
                    <p class="rooms-none">{say!(rooms.none_mine)}</p>
                </Show>
                <ul>
                    <For each=mine key=|id| *id let:id>
                        <RoomItem id all/>
                    </For>
                </ul>
                <Show when=move || !open().is_empty()>
                    <h2 class="rooms-heading">{say!(rooms.discover)}</h2>
                    <ul>
                        <For each=open key=|id| *id let:id>
                            <RoomItem id all/>
                        </For>
                    </ul>
                </Show>
            </nav>
            <footer class="rooms-foot">
                <Me me/>
            </footer>
        </div>
    }
    .into_any()
}

#[component]
fn RoomItem(id: RoomId, all: RwSignal<Vec<Room>>) -> impl IntoView {
    let room = Memo::new(move |_| all.with(|all| all.iter().find(|room| room.id == id).cloned()));
    // The link stays the same element while the room changes, so that focus stays too.
    let class = move || {
        let unread =
            room.with(|room| room.as_ref().is_some_and(|room| room.is_member && room.unread_count > 0));
        if unread { "room-link room-unread" } else { "room-link" }
    };
    view! {
        <li>
            <A href=room_path(id) attr:class=class>
                {move || room.get().map(|room| view! { <RoomLine room/> })}
            </A>
        </li>
    }
    .into_any()
}

#[component]
fn RoomLine(room: Room) -> impl IntoView {
    let is_hidden = room.room_type != RoomType::Public;
    let unread = if room.is_member { room.unread_count } else { 0 };
    let (is_member, member_count, last) = (room.is_member, room.member_count, room.last_message.clone());
    let at = last.as_ref().map(|last| last.created_at);
    let line = match last {
        Some(last) if is_member => say!(rooms.said, who = last.sender, what = last.content),
        None if is_member => say!(rooms.empty).to_owned(),
        _ => members(locale(), member_count),
    };
    view! {
        <Avatar name=room.name.clone() id=room.id.0 shape=Shape::Room/>
        <span class="room-name">
            <span>{room.name}</span>
            {is_hidden
                .then(|| {
                    view! {
                        <Draw icon=Icon::Lock/>
                        <span class="unseen">{say!(rooms.private)}</span>
                    }
                })}
        </span>
        {at.filter(|_| is_member).map(|at| view! { <BriefTime class="room-time" at/> })}
        <span class="room-last">{line}</span>
        {(unread > 0)
            .then(|| {
                view! {
                    <span class="badge" aria-hidden="true">
                        {if unread > 99 { "99+".to_owned() } else { unread.to_string() }}
                    </span>
                    <span class="unseen">{unread_words(locale(), unread)}</span>
                }
            })}
    }
    .into_any()
}

/// `8 位成员`, `8 members`.
pub fn members(locale: Locale, count: i64) -> String {
    match count {
        1 => td_string!(locale, rooms.one_member).to_owned(),
        count => td_string!(locale, rooms.members, count = count),
    }
}

fn unread_words(locale: Locale, count: i64) -> String {
    match count {
        1 => td_string!(locale, rooms.one_unread).to_owned(),
        count => td_string!(locale, rooms.unread, count = count),
    }
}

#[component]
fn Me(me: User) -> impl IntoView {
    let name = display_name(&me);
    let username = (name != me.username).then(|| me.username.clone());
    view! {
        <details class="menu">
            <summary class="me">
                <Avatar name=name.clone() id=me.id.0 shape=Shape::SmallPerson/>
                <span>{name}</span>
                <span class="unseen">{say!(account.menu)}</span>
                <Draw icon=Icon::Up small=true/>
            </summary>
            <div class="menu-panel">
                {match username {
                    Some(username) => Either::Left(view! { <p class="menu-note">"@"{username}</p> }),
                    None => Either::Right(()),
                }}
                <Switches/>
                <hr/>
                <form method="post" action=SignOut::url()>
                    <button type="submit" class="button button-small button-wide">
                        <Draw icon=Icon::Out small=true/>
                        {say!(account.sign_out)}
                    </button>
                </form>
            </div>
        </details>
    }
    .into_any()
}
