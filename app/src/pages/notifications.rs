//! `/notifications`: the user's notifications, the newest first.

use chat::model::{Notification, NotificationReason, NotificationType};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{PageTitle, load_error::LoadError, room_list::beginning};
use crate::{
    i18n::{t, td_string},
    preferences::locale,
    server::{
        notifications::{
            MarkAllNotificationsRead, MarkNotificationRead, NotificationList, PATH, notification_list,
        },
        rooms::room_path,
    },
    ui::{
        avatar::{Avatar, Shape},
        icon::{Icon, IconSvg},
        page::Page,
        time_format::BriefTime,
    },
};

#[component]
pub fn NotificationsPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let before = query.get("before").and_then(|before| before.parse().ok());
    let unread = query.get("show").as_deref() == Some("unread");
    view! {
        <PageTitle text=t!(notifications.title)/>
        <Page title=t!(notifications.title) back="/rooms" back_on_phone=true>
            // A live region, refreshed by `public/page.js`.
            <div data-region="notifications">
                <Suspense>
                    {move || Suspend::new(async move {
                        match notification_list(before, unread).await {
                            Ok(list) => view! { <Listing list unread/> }.into_any(),
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
fn Listing(list: NotificationList, unread: bool) -> impl IntoView {
    let NotificationList { notifications, unread: count, next } = list;
    let filter = if unread { "show=unread&" } else { "" };
    let tab = |href: &'static str, text: String, chosen: bool| {
        view! {
            <a href=href aria-current=chosen.then_some("page")>
                {text}
            </a>
        }
    };
    let is_empty = notifications.is_empty();
    view! {
        <div class="page-tools">
            <nav class="tabs" aria-label=t!(notifications.filter)>
                {tab(PATH, t!(notifications.all).to_owned(), !unread)}
                {tab(
                    "/notifications?show=unread",
                    td_string!(locale(), notifications.unread, count = count),
                    unread,
                )}
            </nav>
            {(count > 0)
                .then(|| {
                    view! {
                        <form method="post" action=MarkAllNotificationsRead::url()>
                            <button type="submit" class="button button-small">
                                <IconSvg icon=Icon::Check small=true/>
                                {t!(notifications.read_all)}
                            </button>
                        </form>
                    }
                })}
        </div>
        {is_empty.then(|| view! { <p class="page-none">{t!(notifications.none)}</p> })}
        <ul class="notes">
            {notifications.into_iter().map(|notification| view! { <Item notification/> }).collect_view()}
        </ul>
        {next
            .map(|next| {
                view! {
                    <p class="page-turn">
                        <a class="button button-small" href=format!("{PATH}?{filter}before={next}")>
                            {t!(notifications.earlier)}
                        </a>
                    </p>
                }
            })}
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
        NotificationType::Message => (
            td_string!(locale, notifications.wrote, who = sender, room = name),
            Some(beginning(&notification.content)),
        ),
        NotificationType::Mention if notification.reason == Some(NotificationReason::Reply) => (
            td_string!(locale, notifications.replied, who = sender, room = name),
            Some(beginning(&notification.content)),
        ),
        NotificationType::Mention => (
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
