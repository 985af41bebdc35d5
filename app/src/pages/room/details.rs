//! The right pane: what the room is, who is in it and here, and the ways to its pages and out.

use chat::model::{Role, Room, RoomType, UserId};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use crate::{
    i18n::{say, td_string},
    preferences::locale,
    server::{
        members::members_path,
        room_settings::settings_path,
        rooms::{LeaveRoom, room_path},
    },
    state::roster::{Roster, Seat},
    ui::{
        anew::Anew,
        avatar::{Avatar, Shape},
        icon::{Draw, Icon},
        person::display_name,
    },
};

/// See the module.
#[component]
pub fn Details(
    /// The room.
    room: Room,
    /// Who is in it.
    roster: RwSignal<Roster>,
) -> impl IntoView {
    let kind = match room.room_type {
        RoomType::Public => say!(room.kind_public),
        RoomType::Private | RoomType::Group => say!(room.kind_private),
    };
    view! {
        <aside class="pane pane-details details" aria-label=say!(room.details)>
            <div class="bar">
                <a class="button button-icon narrow-only" href=room_path(room.id) aria-label=say!(room.close_details)>
                    <Draw icon=Icon::Back/>
                </a>
                <div class="bar-title">
                    <h1 class="unseen narrow-only">{room.name.clone()}</h1>
                    <h2>{say!(room.details)}</h2>
                </div>
                <SettingsLink room=room.clone() roster/>
            </div>
            <div class="details-scroll">
                <div class="details-about">
                    <Avatar name=room.name.clone() id=room.id.0 shape=Shape::LargeRoom/>
                    <h3>{room.name.clone()}</h3>
                    <p class="details-kind">{kind}</p>
                    {(!room.description.is_empty()).then(|| view! { <p>{room.description.clone()}</p> })}
                </div>
                <Members room=room.clone() roster/>
                {room.is_member.then(|| view! { <Leave room=room.clone()/> })}
            </div>
        </aside>
    }
    .anew()
}

/// The way to the settings, for whoever may change them.
#[component]
fn SettingsLink(room: Room, roster: RwSignal<Roster>) -> impl IntoView {
    let may = Memo::new(move |_| roster.with(|roster| roster.powers.manage_room));
    let (path, words) = (settings_path(room.id), say!(room_settings.title));
    let link = move || {
        view! {
            <a class="button button-icon" href=path.clone() rel="external" aria-label=words title=words>
                <Draw icon=Icon::Settings/>
            </a>
        }
    };
    (move || may.get().then(&link)).anew()
}

/// The way out. Where one cannot come back by oneself, it is asked twice.
#[component]
fn Leave(room: Room) -> impl IntoView {
    let (id, words) = (room.id.to_string(), say!(room.leave));
    match room.room_type {
        RoomType::Public => view! {
            <form class="details-leave" method="post" action=LeaveRoom::url()>
                <input type="hidden" name="room" value=id/>
                <button type="submit" class="button button-small button-line">
                    {words}
                </button>
            </form>
        }
        .anew(),
        RoomType::Private | RoomType::Group => view! {
            <details class="details-leave confirm">
                <summary class="button button-small button-line">{words}</summary>
                <form method="post" action=LeaveRoom::url()>
                    <input type="hidden" name="room" value=id/>
                    <p>{say!(room.leave_sure, name = room.name)}</p>
                    <button type="submit" class="button button-small button-alert">
                        {say!(room.leave_yes)}
                    </button>
                </form>
            </details>
        }
        .anew(),
    }
}

#[component]
fn Members(room: Room, roster: RwSignal<Roster>) -> impl IntoView {
    let locale = locale();
    let all = members_path(room.id);
    let may_invite = Memo::new(move |_| roster.with(|roster| roster.powers.invite));
    let more = Memo::new(move |_| roster.with(Roster::more));
    let (invite, words) = (format!("{all}#username"), say!(members.invite));
    view! {
        <div class="details-heading">
            <h3>
                <a href=all.clone() rel="external">
                    {say!(room.members)}
                </a>
            </h3>
            <span class="number">{move || roster.with(|roster| roster.count)}</span>
            {move || {
                may_invite
                    .get()
                    .then(|| {
                        view! {
                            <a class="details-invite" href=invite.clone() rel="external">
                                <Draw icon=Icon::Plus small=true/>
                                {words}
                            </a>
                        }
                    })
            }}
        </div>
        <ul data-testid="members">
            <For
                each=move || roster.with(|roster| roster.seats.iter().map(|seat| seat.user.id).collect::<Vec<_>>())
                key=|id| *id
                let:id
            >
                <Member id roster/>
            </For>
        </ul>
        <p class="details-more">
            <a href=all rel="external">
                {move || match more.get() {
                    ..=0 => td_string!(locale, room.all_members).to_owned(),
                    more => td_string!(locale, room.more_members, count = more),
                }}
            </a>
        </p>
    }
    .anew()
}

#[component]
fn Member(id: UserId, roster: RwSignal<Roster>) -> impl IntoView {
    let seat = Memo::new(move |_| {
        roster.with(|roster| roster.seats.iter().find(|seat| seat.user.id == id).cloned())
    });
    move || seat.get().map(|seat| view! { <Seated seat/> })
}

#[component]
fn Seated(seat: Seat) -> impl IntoView {
    let name = display_name(&seat.user);
    let title = format!("@{}", seat.user.username);
    let role = match seat.role {
        Role::Admin => Some(say!(room.role_admin)),
        Role::Moderator => Some(say!(room.role_moderator)),
        Role::Member => None,
    };
    view! {
        <li class="member" title=title data-here=seat.is_here.to_string()>
            <Avatar name=name.clone() id=seat.user.id.0 shape=Shape::SmallPerson/>
            <span class="member-name">{name}</span>
            {if seat.is_here {
                Either::Left(view! { <span class="unseen">{say!(room.is_here)}</span> })
            } else {
                Either::Right(())
            }}
            {role.map(|role| view! { <span class="tag">{role}</span> })}
        </li>
    }
    .anew()
}
