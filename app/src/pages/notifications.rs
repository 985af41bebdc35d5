//! `/notifications`: the user's notifications, the newest first.

use chat::model::{Notification, NotificationReason, NotificationType, Room};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{
    PageTitle,
    load_error::LoadError,
    room_list::{beginning, unread_words},
};
use crate::{
    i18n::{t, td_string},
    preferences::locale,
    server::{
        notifications::{MarkAllNotificationsRead, MarkNotificationRead, Overview, PATH, overview},
        rooms::room_path,
    },
    ui::{
        avatar::{Avatar, Shape},
        icon::{Icon, IconSvg},
        page::Page,
        time_format::BriefTime,
    },
};

/// The query that shows the rooms.
const ROOMS: &str = "rooms";

#[component]
pub fn NotificationsPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let before = query.get("before").and_then(|before| before.parse().ok());
    let shows_rooms = query.get("show").as_deref() == Some(ROOMS);
    view! {
        <PageTitle text=t!(notifications.title)/>
        <Page title=t!(notifications.title) back="/rooms" back_on_phone=true>
            // A live region, refreshed by `public/page.js`.
            <div data-region="notifications">
                <Suspense>
                    {move || Suspend::new(async move {
                        match overview(before, shows_rooms).await {
                            Ok(overview) => view! { <Listing overview shows_rooms/> }.into_any(),
                            Err(error) => view! { <LoadError failure=error.0/> }.into_any(),
                        }
                    })}
                </Suspense>
            </div>
        </Page>
    }
    .into_any()
}

#[component]
fn Listing(overview: Overview, shows_rooms: bool) -> impl IntoView {
    let Overview { personal, next, unread, rooms } = overview;
    let tab = |href: String, text: &'static str, count: i64, chosen: bool| {
        view! {
            <a href=href aria-current=chosen.then_some("page")>
                {text}
                {(count > 0).then(|| view! { <span class="tabs-count">{count}</span> })}
            </a>
        }
    };
    let unread_rooms = i64::try_from(rooms.len()).unwrap_or(i64::MAX);
    let none = if shows_rooms {
        rooms.is_empty().then_some(t!(notifications.none_in_rooms))
    } else {
        personal.is_empty().then_some(t!(notifications.none))
    };
    let rows = if shows_rooms {
        rooms.into_iter().map(|room| view! { <RoomItem room/> }).collect_view().into_any()
    } else {
        personal.into_iter().map(|notification| view! { <Item notification/> }).collect_view().into_any()
    };
    view! {
        <div class="page-tools">
            <nav class="tabs" aria-label=t!(notifications.filter)>
                {tab(PATH.to_owned(), t!(notifications.for_you), unread, !shows_rooms)}
                {tab(format!("{PATH}?show={ROOMS}"), t!(notifications.rooms), unread_rooms, shows_rooms)}
            </nav>
            {(unread + unread_rooms > 0)
                .then(|| {
                    view! {
                        // `public/page.js` sends it when it was not undone for a while.
                        <form
                            method="post"
                            action=MarkAllNotificationsRead::url()
                            data-undo=t!(page.undo)
                            data-done=t!(notifications.all_read)
                        >
                            <button type="submit" class="button button-small">
                                <IconSvg icon=Icon::Check small=true/>
                                {t!(notifications.read_all)}
                            </button>
                        </form>
                    }
                })}
        </div>
        {none.map(|none| view! { <p class="page-none">{none}</p> })}
        <ul class="notes">{rows}</ul>
        {next
            .filter(|_| !shows_rooms)
            .map(|next| {
                view! {
                    <p class="page-turn">
                        <a class="button button-small" href=format!("{PATH}?before={next}")>
                            {t!(notifications.earlier)}
                        </a>
                    </p>
                }
            })}
    }
    .into_any()
}

/// A room with unread messages.
#[component]
fn RoomItem(room: Room) -> impl IntoView {
    let text = room.last_message.as_ref().map(|last| {
        view! { <p class="note-text">{[last.sender.as_str(), t!(rooms.colon), &beginning(&last.content)].concat()}</p> }
    });
    let at = room.last_message.as_ref().map(|last| last.created_at);
    view! {
        <li class="note note-unread" data-testid="unread-room">
            <Avatar name=room.name.clone() id=room.id.0 shape=Shape::Room/>
            <div class="note-words">
                <p class="note-head">
                    <a href=room_path(room.id)>{room.name.clone()}</a>
                    " "
                    <span class="note-count">{unread_words(locale(), room.unread_count)}</span>
                </p>
                {text}
            </div>
            {at.map(|at| view! { <BriefTime class="note-time" at/> })}
        </li>
    }
    .into_any()
}

#[component]
fn Item(notification: Notification) -> impl IntoView {
    let locale = locale();
    let room = &notification.room;
    let path = match &notification.message {
        Some(message) => format!("{}?message={}", room_path(room.id), message.id),
        None => room_path(room.id),
    };
    let sender = notification.sender().unwrap_or_default().to_owned();
    let name = room.name.clone();
    let (head, text) = match notification.notification_type {
        NotificationType::Mention if notification.reason == Some(NotificationReason::Reply) => (
            td_string!(locale, notifications.replied, who = sender, room = name),
            Some(beginning(&notification.content)),
        ),
        NotificationType::Mention | NotificationType::Message => (
            td_string!(locale, notifications.mentioned, who = sender, room = name),
            Some(beginning(&notification.content)),
        ),
        NotificationType::RoomInvite => (td_string!(locale, notifications.invited, room = name), None),
        NotificationType::System => (notification.title.clone(), Some(notification.content.clone())),
    };
    let is_mention = notification.notification_type == NotificationType::Mention;
    let class = if notification.is_read { "note" } else { "note note-unread" };
    let (id, at, is_read) = (notification.id, notification.created_at, notification.is_read);
    let (avatar, room_id) = (room.name.clone(), room.id.0);
    view! {
        <li class=class data-testid="notification">
            <Avatar name=avatar id=room_id shape=Shape::Room/>
            <div class="note-words">
                <p class="note-head">
                    {is_mention.then(|| view! { <span class="badge badge-mention" aria-hidden="true">"@"</span> })}
                    <a href=path>{head}</a>
                    {(!is_read).then(|| view! { <span class="unseen">{t!(notifications.is_unread)}</span> })}
                </p>
                {text.map(|text| view! { <p class="note-text">{text}</p> })}
            </div>
            <BriefTime class="note-time" at/>
            {(!is_read)
                .then(|| {
                    view! {
                        <form method="post" action=MarkNotificationRead::url()>
                            <input type="hidden" name="notification" value=id.0.to_string()/>
                            <button
                                type="submit"
                                class="button button-icon"
                                aria-label=t!(notifications.read_one)
                                title=t!(notifications.read_one)
                            >
                                <IconSvg icon=Icon::Check small=true/>
                            </button>
                        </form>
                    }
                })}
        </li>
    }
    .into_any()
}
