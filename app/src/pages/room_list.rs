//! The list of rooms, with the user's menu below.

use chat::model::{Room, RoomId, RoomType, User, message::DELETED_CONTENT};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::rooms::RoomsContext;
use crate::{
    i18n::{Locale, t, td_string},
    markdown::{escaped, excerpt},
    navigation::CurrentLocation,
    preferences::{locale, preferences},
    server::{rooms::room_path, session::SignOut},
    state::{draft::drafts_of, outbox::unsent_of, rooms::Rooms},
    ui::{
        avatar::{Avatar, Shape, avatar_html},
        erased::IntoErased,
        icon::{Icon, IconSvg},
        logo::Logo,
        person::display_name,
        switches::Switches,
        time_format::brief_local,
    },
};

/// Length of a message's excerpt, in characters.
const SHOWN: usize = 160;

#[component]
pub fn RoomList(me: User, rooms: RoomsContext) -> impl IntoView {
    let RoomsContext(all) = rooms;
    let order = Memo::new(move |_| all.with(Rooms::order));
    let is_empty = Memo::new(move |_| order.with(Vec::is_empty));
    let (none, browse, new) = (t!(rooms.none_mine), t!(rooms.browse), t!(rooms.new));
    let my_name = StoredValue::new(me.username.clone());
    view! {
        <div class="rooms">
            <header class="bar">
                <a class="brand" href="/rooms">
                    <Logo/>
                    <span>{t!(brand)}</span>
                </a>
                // `public/page.js` opens the quick switcher; without scripts the button is hidden.
                <button
                    type="button"
                    class="button button-icon"
                    aria-label=t!(switcher.title)
                    aria-keyshortcuts="Control+K"
                    title=t!(switcher.hint)
                    data-switcher=""
                >
                    <IconSvg icon=Icon::Search/>
                </button>
                <NotificationsLink all/>
                <a
                    class="button button-icon"
                    href="/rooms/new"
                    rel="external"
                    aria-label=t!(rooms.new)
                    title=t!(rooms.new)
                >
                    <IconSvg icon=Icon::Plus/>
                </a>
            </header>
            <nav class="rooms-scroll" aria-label=t!(rooms.title) data-region="rooms">
                <h2 class="rooms-heading">
                    <span>{t!(rooms.mine)}</span>
                    <a href="/rooms/browse" rel="external">
                        {t!(rooms.browse)}
                    </a>
                </h2>
                {move || {
                    is_empty
                        .get()
                        .then(|| {
                            view! {
                                <p class="rooms-none">{none}</p>
                                // On wide screens `NoRoom` shows these links.
                                <p class="rooms-none-ways phone-only">
                                    <a class="button button-loud" href="/rooms/browse" rel="external">
                                        {browse}
                                    </a>
                                    <a class="button" href="/rooms/new" rel="external">
                                        {new}
                                    </a>
                                </p>
                            }
                        })
                }}
                <ul>
                    <For each=move || order.get() key=|id| *id let:id>
                        <RoomItem id all my_name/>
                    </For>
                </ul>
            </nav>
            <footer class="rooms-foot">
                <Me me/>
            </footer>
        </div>
    }
    .erased()
}

/// The link to the notifications with their unread count.
#[component]
fn NotificationsLink(all: RwSignal<Rooms>) -> impl IntoView {
    let locale = locale();
    let count = Memo::new(move |_| all.with(Rooms::unread_notifications));
    let label = move || match count.get() {
        ..=0 => td_string!(locale, notifications.title).to_owned(),
        count => td_string!(locale, notifications.title_unread, count = count),
    };
    view! {
        <a
            class="button button-icon bell"
            href="/notifications"
            rel="external"
            aria-label=label
            title=t!(notifications.title)
            data-region="bell"
            data-testid="bell"
        >
            <IconSvg icon=Icon::Bell/>
            {move || {
                let count = count.get();
                (count > 0)
                    .then(|| {
                        view! {
                            <span class="badge" aria-hidden="true">
                                {capped(count)}
                            </span>
                        }
                    })
            }}
        </a>
    }
    .erased()
}

#[component]
fn RoomItem(id: RoomId, all: RwSignal<Rooms>, my_name: StoredValue<String>) -> impl IntoView {
    let preferences = preferences();
    let CurrentLocation(location) = expect_context();
    let is_open = Memo::new(move |_| location.with(|location| location.room() == Some(id)));
    // The class of the link, and its content. The item renders again with each message and must not subscribe to the
    // clock, which would keep memory for each subscriber.
    let line = Memo::new(move |_| {
        all.with(|all| {
            let Some(room) = all.find(id) else { return (String::new(), String::new()) };
            let at = room.last_message.as_ref().map(|last| last.created_at);
            let when = at.map(|at| (at.to_string(), brief_local(preferences, at)));
            let said = my_name.with_value(|my_name| last_line(room, all, my_name));
            let class = if room.unread_count > 0 { "room-link room-unread" } else { "room-link" };
            (class.to_owned(), room_line(room, when, &said, all.is_mentioned(id)))
        })
    });
    // The link element is kept while the room changes, so that it keeps the focus.
    view! {
        <li data-testid="room">
            <a
                href=room_path(id)
                class=move || line.with(|(class, _)| class.clone())
                aria-current=move || is_open.get().then_some("page")
            >
                <span class="room-line" inner_html=move || line.with(|(_, html)| html.clone())></span>
            </a>
        </li>
    }
    .erased()
}

/// The last line of an item as HTML: what could not be sent, else the draft, else the last message.
fn last_line(room: &Room, rooms: &Rooms, my_name: &str) -> String {
    let refused = rooms.refused(room.id).map(|text| (t!(rooms.refused), text));
    let unsent = refused.or_else(|| rooms.draft(room.id).map(|text| (t!(rooms.draft), text)));
    let class = if unsent.is_some() { "room-last room-draft" } else { "room-last" };
    let line = match (unsent, &room.last_message) {
        (Some((what, text)), _) => [what, " ", &beginning(text)].concat(),
        (None, Some(last)) => {
            let who = if last.sender == my_name { t!(rooms.own) } else { &last.sender };
            [who, t!(rooms.colon), &beginning(&last.content)].concat()
        }
        (None, None) => t!(rooms.empty).to_owned(),
    };
    format!("<span class=\"{class}\">{}</span>", escaped(&line))
}

/// The content of an item as HTML, which as components would be three more KiB of wasm. `when`: the time of the last
/// message, for machines and for people.
fn room_line(room: &Room, when: Option<(String, String)>, last_line: &str, is_mentioned: bool) -> String {
    let name = escaped(&room.name);
    let mut html = avatar_html(&room.name, room.id.0, Shape::Room);
    html.extend(["<span class=\"room-name\"><span>", &name, "</span>"]);
    let unseen = |text: &str| format!("<span class=\"unseen\">{text}</span>");
    if room.room_type != RoomType::Public {
        html += &Icon::Lock.html();
        html += &unseen(t!(rooms.private));
    }
    html += "</span>";
    if let Some((at, when)) = when {
        html.extend(["<time class=\"room-time\" datetime=\"", &at, "\">", &when, "</time>"]);
    }
    html += last_line;
    if room.unread_count > 0 {
        html += "<span class=\"room-badges\">";
        if is_mentioned {
            html += "<span class=\"badge badge-mention\" aria-hidden=\"true\">@</span>";
            html += &unseen(t!(rooms.mentioned));
        }
        let count = capped(room.unread_count);
        html.extend(["<span class=\"badge\" aria-hidden=\"true\">", &count, "</span>"]);
        html += &unseen(&unread_words(locale(), room.unread_count));
        html += "</span>";
    }
    html
}

/// An excerpt of a message in one line.
pub(super) fn beginning(content: &str) -> String {
    if content == DELETED_CONTENT { t!(timeline.deleted).to_owned() } else { excerpt(content, SHOWN) }
}

/// A count for a badge.
fn capped(count: i64) -> String {
    if count > 99 { "99+".to_owned() } else { count.to_string() }
}

/// `8 位成员`, `8 members`.
pub fn members(locale: Locale, count: i64) -> String {
    match count {
        1 => td_string!(locale, rooms.one_member).to_owned(),
        count => td_string!(locale, rooms.members, count = count),
    }
}

pub(super) fn unread_words(locale: Locale, count: i64) -> String {
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
                <span class="unseen">{t!(account.menu)}</span>
                <IconSvg icon=Icon::Up small=true/>
            </summary>
            <div class="menu-panel">
                {match username {
                    Some(username) => Either::Left(view! { <p class="menu-note">"@"{username}</p> }),
                    None => Either::Right(()),
                }}
                <Switches/>
                <hr/>
                <a class="button button-small button-wide" href="/settings" rel="external">
                    <IconSvg icon=Icon::Settings small=true/>
                    {t!(settings.title)}
                </a>
                // `public/page.js` shows the button while the browser has not been asked for permission.
                <button type="button" class="button button-small button-wide" hidden=true data-ask-alerts="">
                    <IconSvg icon=Icon::Bell small=true/>
                    {t!(notifications.allow)}
                </button>
                // `public/page.js` also deletes what the user wrote and did not send, after a question, so that the next user
                // of the browser does not find it.
                <form
                    method="post"
                    action=SignOut::url()
                    data-forgets=format!("{} {}", drafts_of(me.id), unsent_of(me.id))
                    data-sure=t!(account.sign_out_sure)
                >
                    <button type="submit" class="button button-small button-wide">
                        <IconSvg icon=Icon::Out small=true/>
                        {t!(account.sign_out)}
                    </button>
                </form>
            </div>
        </details>
    }
    .erased()
}
