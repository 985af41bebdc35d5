//! The right pane: the room's details, its members with presence, and links to its pages.

use chat::model::{Role, Room, RoomId, RoomType, UserId};
use leptos::{prelude::*, server_fn::ServerFn};

use super::LiveWords;
use crate::{
    i18n::{t, td_string},
    markdown::escaped,
    preferences::locale,
    server::{
        members::members_path,
        person::person_path,
        room_settings::settings_path,
        rooms::{LeaveRoom, room_path},
    },
    state::roster::{MemberEntry, Roster},
    ui::{
        avatar::{Avatar, Shape, avatar_html},
        erased::IntoErased,
        icon::{Icon, IconSvg},
        person::display_name,
    },
};

#[component]
pub fn Details(room: Room, roster: RwSignal<Roster>) -> impl IntoView {
    let kind = match room.room_type {
        RoomType::Public => t!(room.kind_public),
        RoomType::Private | RoomType::Group => t!(room.kind_private),
    };
    let name = expect_context::<LiveWords>().name();
    view! {
        <aside class="pane pane-details details" aria-label=t!(room.details)>
            <div class="bar">
                <a class="button button-icon narrow-only" href=room_path(room.id) aria-label=t!(room.close_details)>
                    <IconSvg icon=Icon::Back/>
                </a>
                <div class="bar-title">
                    <h1 class="unseen narrow-only">{name}</h1>
                    <h2>{t!(room.details)}</h2>
                </div>
                <SettingsLink room=room.clone() roster/>
            </div>
            <div class="details-scroll">
                <div class="details-about">
                    <Avatar name=room.name.clone() id=room.id.0 shape=Shape::LargeRoom/>
                    <h3>{name}</h3>
                    <p class="details-kind">{kind}</p>
                    {(!room.description.is_empty()).then(|| view! { <p>{room.description.clone()}</p> })}
                </div>
                <Members room=room.clone() roster/>
                {room.is_member.then(|| view! { <Leave room=room.clone()/> })}
            </div>
        </aside>
    }
    .erased()
}

/// For users who may manage the room.
#[component]
fn SettingsLink(room: Room, roster: RwSignal<Roster>) -> impl IntoView {
    let may = Memo::new(move |_| roster.with(|roster| roster.powers.manage_room));
    let (path, text) = (settings_path(room.id), t!(room_settings.title));
    let link = move || {
        view! {
            <a class="button button-icon" href=path.clone() rel="external" aria-label=text title=text>
                <IconSvg icon=Icon::Settings/>
            </a>
        }
    };
    (move || may.get().then(&link)).erased()
}

/// The button to leave. Rooms that cannot be joined again without an invitation ask for confirmation.
#[component]
fn Leave(room: Room) -> impl IntoView {
    let (id, text) = (room.id.to_string(), t!(room.leave));
    match room.room_type {
        RoomType::Public => view! {
            <form class="details-leave" method="post" action=LeaveRoom::url()>
                <input type="hidden" name="room" value=id/>
                <button type="submit" class="button button-small button-line">
                    {text}
                </button>
            </form>
        }
        .erased(),
        RoomType::Private | RoomType::Group => view! {
            <details class="details-leave confirm">
                <summary class="button button-small button-line">{text}</summary>
                <form method="post" action=LeaveRoom::url()>
                    <input type="hidden" name="room" value=id/>
                    <p>{t!(room.leave_sure, name = room.name)}</p>
                    <div class="confirm-choices">
                        <button type="submit" class="button button-small button-alert">
                            {t!(room.leave_yes)}
                        </button>
                        <a class="button button-small button-line" href="" rel="external" data-dismiss="">
                            {t!(banner.cancel)}
                        </a>
                    </div>
                </form>
            </details>
        }
        .erased(),
    }
}

#[component]
fn Members(room: Room, roster: RwSignal<Roster>) -> impl IntoView {
    let locale = locale();
    let all = members_path(room.id);
    let may_invite = Memo::new(move |_| roster.with(|roster| roster.powers.invite));
    let more = Memo::new(move |_| roster.with(Roster::hidden_count));
    let (invite, text) = (format!("{all}#username"), t!(members.invite));
    view! {
        <div class="details-heading">
            <h3>
                <a href=all.clone() rel="external">
                    {t!(room.members)}
                </a>
            </h3>
            <span class="number">{move || roster.with(|roster| roster.count)}</span>
            {move || {
                may_invite
                    .get()
                    .then(|| {
                        view! {
                            <a class="details-invite" href=invite.clone() rel="external">
                                <IconSvg icon=Icon::Plus small=true/>
                                {text}
                            </a>
                        }
                    })
            }}
        </div>
        <ul data-testid="members">
            <For
                each=move || roster.with(|roster| roster.members.iter().map(|member| member.user.id).collect::<Vec<_>>())
                key=|id| *id
                let:id
            >
                <Member room=room.id id roster/>
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
    .erased()
}

#[component]
fn Member(room: RoomId, id: UserId, roster: RwSignal<Roster>) -> impl IntoView {
    let member = Memo::new(move |_| {
        roster.with(|roster| roster.members.iter().find(|member| member.user.id == id).cloned())
    });
    move || member.get().map(|member| view! { <MemberItem room member/> })
}

/// Its content is an HTML string, which is less wasm than components.
#[component]
fn MemberItem(room: RoomId, member: MemberEntry) -> impl IntoView {
    let name = display_name(&member.user);
    let title = format!("@{}", member.user.username);
    let mut html = avatar_html(&name, member.user.id.0, Shape::SmallPerson);
    // `public/page.js` opens the person's card.
    let (username, path) = (escaped(&member.user.username), person_path(room, &member.user.username));
    let link = format!(
        "<a class=\"member-name\" rel=\"external\" data-person=\"{username}\" href=\"{}\">",
        escaped(&path)
    );
    html.extend([link.as_str(), &escaped(&name), "</a>"]);
    let mut put = |class: &str, text: &str| {
        html.extend(["<span class=\"", class, "\">", &escaped(text), "</span>"]);
    };
    if member.is_here {
        put("unseen", t!(room.is_here));
    }
    match member.role {
        Role::Admin => put("tag", t!(room.role_admin)),
        Role::Moderator => put("tag", t!(room.role_moderator)),
        Role::Member => {}
    }
    view! { <li class="member" title=title data-here=member.is_here.to_string() inner_html=html></li> }
        .erased()
}
