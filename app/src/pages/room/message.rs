//! A row of the timeline: a message, below a day separator and a separator of new messages where they belong.

use std::sync::Arc;

use chat::model::{Failure, MessageType, RoomMessage, User};
use leptos::{either::Either, prelude::*};

use super::{
    context::{Action, Actions, RoomContext},
    row_list::RowView,
};
use crate::{
    error::error_message,
    i18n::t,
    live::ConnectionState,
    preferences::locale,
    server::person::person_path,
    state::{
        composer_mode::message_path,
        file::{File, says_only_its_name},
        timeline::{Delivery, Row},
    },
    ui::{
        avatar::{Avatar, Shape},
        icon::{Icon, IconSvg},
        person::display_name,
    },
};

mod actions;
mod body;
mod file;
mod quote;
mod system;

use actions::MessageActions;
pub(super) use body::MentionNamesContext;
use body::{HtmlCache, MessageText};
use file::FileCard;
use quote::QuoteLine;
use system::SystemLine;

#[component]
pub(super) fn MessageRow(view: ArcRwSignal<RowView>) -> impl IntoView {
    let cache = HtmlCache::default();
    move || view! { <RowContent view=view.get() cache/> }
}

#[component]
fn RowContent(view: RowView, cache: HtmlCache) -> impl IntoView {
    let context: RoomContext = expect_context();
    let RowView { row, day, state } = view;
    let day = day.map(|day| view! { <li class="day">{day}</li> });
    let new = row.begins_new.then(|| {
        view! {
            <li class="day day-new" data-testid="new-line">
                {t!(timeline.new)}
            </li>
        }
    });
    let delivery = match row.delivery {
        Delivery::Sending => "sending",
        Delivery::Sent => "sent",
        Delivery::Failed(_) => "failed",
    };
    let (key, message) = (row.key, row.message.id);
    let is_stored = row.delivery == Delivery::Sent;
    let is_system = row.message.message_type == MessageType::System;
    let (aside, head) = if row.placement.leads && !is_system {
        let sender = &row.message.sender;
        let author = display_name(sender);
        let avatar = view! { <Avatar name=author.clone() id=row.message.sender.id.0 shape=Shape::Person/> };
        let head = view! {
            <p class="message-head">
                // `public/page.js` opens the person's card.
                <a
                    class="message-author"
                    href=person_path(context.room, &sender.username)
                    rel="external"
                    tabindex="-1"
                    data-person=sender.username.clone()
                >
                    {author}
                </a>
                <MessageTime row=row.clone() class="message-time"/>
            </p>
        };
        (Either::Left(avatar), Some(head))
    } else {
        (Either::Right(view! { <MessageTime row=row.clone() class="message-gutter"/> }), None)
    };
    let class = match () {
        () if is_system => "message message-line",
        () if row.placement.leads => "message message-first",
        () => "message",
    };
    view! {
        {day}
        {new}
        <li
            class=class
            class:message-target=state.is_target
            id=is_stored.then(|| format!("message-{message}"))
            data-key=key.to_string()
            data-delivery=delivery
            data-testid="message"
            tabindex="-1"
        >
            {aside}
            <div class="message-body">
                {head}
                <Body row=row.clone() cache/>
            </div>
            {state.allowed_actions.filter(|_| !is_system).map(|rights| view! { <MessageActions message=row.message rights/> })}
        </li>
    }
    .into_any()
}

/// The time, which links to the message.
#[component]
fn MessageTime(row: Row, class: &'static str) -> impl IntoView {
    let context: RoomContext = expect_context();
    let (at, time) = (row.message.created_at.to_string(), row.at.time());
    let time = view! { <time datetime=at>{time}</time> };
    if row.delivery != Delivery::Sent {
        return view! { <span class=class>{time}</span> }.into_any();
    }
    let id = row.message.id;
    // On a live page the arrow keys move between messages, so the link is not in the tab order. Rows that the server
    // rendered are changed by `row_elements::leave_tab_order`.
    let tab = (context.connection.get_untracked() != ConnectionState::Connecting).then_some("-1");
    view! {
        <a class=class href=format!("{}#message-{id}", message_path(context.room, id)) tabindex=tab>
            {time}
        </a>
    }
    .into_any()
}

#[component]
fn Body(row: Row, cache: HtmlCache) -> impl IntoView {
    let quote = row.quote.clone().map(|quote| view! { <QuoteLine quote/> });
    let kind = row.message.message_type;
    let file = File::of(&row.message).filter(|_| !row.message.is_deleted);
    let text = match () {
        () if row.message.is_deleted => {
            Some(view! { <p class="message-removed">{t!(timeline.deleted)}</p> }.into_any())
        }
        () if kind == MessageType::System => {
            Some(view! { <SystemLine message=row.message.clone()/> }.into_any())
        }
        () if file.is_some() && says_only_its_name(&row.message) => None,
        () => Some(view! { <MessageText message=row.message.clone() cache/> }.into_any()),
    };
    let file = file.map(|file| view! { <FileCard file kind/> });
    let state = match row.delivery {
        Delivery::Sending => {
            let sending = t!(timeline.sending);
            view! { <span class="message-state message-wait">{sending}</span> }.into_any()
        }
        Delivery::Failed(failure) => view! { <NotSent failure message=row.message/> }.into_any(),
        Delivery::Sent => view! { <ReadBy readers=row.readers/> }.into_any(),
    };
    (quote, text, file, state)
}

/// Who has read the user's last message.
#[component]
fn ReadBy(readers: Vec<User>) -> impl IntoView {
    (!readers.is_empty()).then(|| {
        let names: Vec<String> = readers.iter().map(display_name).collect();
        let text = t!(timeline.read_by, count = readers.len());
        view! {
            <p class="message-state message-read" title=names.join("、") data-testid="read-by">
                <IconSvg icon=Icon::Check small=true/>
                {text}
            </p>
        }
    })
}

/// The error of a refused message, and what can be done with it.
#[component]
fn NotSent(failure: Failure, message: Arc<RoomMessage>) -> impl IntoView {
    let (actions, context): (Actions, RoomContext) = (expect_context(), expect_context());
    let may_write = Memo::new(move |_| context.rights.get().write);
    let client_id = message.client_id.clone().unwrap_or_default();
    let text = format!("{} · {}", t!(timeline.failed), error_message(locale(), &failure));
    let button = move |text: &'static str, action: Action| {
        let run = move |_| {
            actions.run(action.clone());
        };
        view! {
            <button type="button" class="button-text" on:click=run>
                {text}
            </button>
        }
        .into_any()
    };
    let (retry, again) = (t!(timeline.retry), Action::Retry(client_id.clone()));
    view! {
        <p class="message-state message-failed" role="alert">
            <span>{text}</span>
            {move || may_write.get().then(|| button(retry, again.clone()))}
            {button(t!(timeline.copy_text), Action::CopyText(message.content.clone()))}
            {button(t!(timeline.discard), Action::Discard(client_id))}
        </p>
    }
    .into_any()
}
