//! One row of the timeline: a message, under a day line where a day begins.

use chat::model::Failure;
use leptos::{either::Either, prelude::*};

use crate::{
    error::sentence,
    i18n::say,
    preferences::preferences,
    state::timeline::{Delivery, Key, Row, Timeline},
    ui::{
        avatar::{Avatar, Shape},
        moment::day_line,
        person::display_name,
        prose::Prose,
    },
};

/// See the module. `retry` is called with the `client_id` of a message that is to be tried again.
#[component]
pub fn MessageRow(
    /// Which row.
    key: Key,
    /// Of what.
    timeline: RwSignal<Timeline>,
    /// Tries a refused message again.
    retry: Callback<String>,
) -> impl IntoView {
    let zone = preferences().zone;
    let row = Memo::new(move |_| timeline.with(|timeline| timeline.row(key, zone.get())));
    move || row.get().map(|row| view! { <Drawn row retry/> })
}

#[component]
fn Drawn(row: Row, retry: Callback<String>) -> impl IntoView {
    let preferences = preferences();
    let day = row.place.day.map(|day| {
        view! { <li class="day">{move || day_line(preferences.locale, day, preferences.today.get())}</li> }
    });
    let delivery = match row.delivery {
        Delivery::Sending => "sending",
        Delivery::Sent => "sent",
        Delivery::Failed(_) => "failed",
    };
    let (datetime, time) = (row.message.created_at.to_string(), row.at.time());
    let body = view! { <Body row=row.clone() retry/> };
    let id = (row.delivery == Delivery::Sent).then(|| format!("message-{}", row.message.id));
    if row.place.leads {
        let author = display_name(&row.message.sender);
        Either::Left(view! {
            {day}
            <li class="message message-first" id=id data-delivery=delivery data-testid="message">
                <Avatar name=author.clone() id=row.message.sender.id.0 shape=Shape::Person/>
                <div>
                    <p class="message-head">
                        <span class="message-author">{author}</span>
                        <time class="message-time" datetime=datetime>
                            {time}
                        </time>
                    </p>
                    {body}
                </div>
            </li>
        })
    } else {
        Either::Right(view! {
            {day}
            <li class="message" id=id data-delivery=delivery data-testid="message">
                <time class="message-gutter" datetime=datetime>
                    {time}
                </time>
                <div>{body}</div>
            </li>
        })
    }
}

#[component]
fn Body(row: Row, retry: Callback<String>) -> impl IntoView {
    let text = if row.message.is_deleted {
        Either::Left(view! { <p class="message-text message-removed">{say!(timeline.deleted)}</p> })
    } else {
        let edited = row.message.is_edited.then(|| view! { <Aside words=say!(timeline.edited)/> });
        // In the line of the text, so that nothing moves when it goes.
        let sending = (row.delivery == Delivery::Sending)
            .then(|| view! { <Aside words=say!(timeline.sending) late=true/> });
        Either::Right(view! {
            <p class="message-text">
                <Prose text=row.message.content.clone()/>
                {edited}
                {sending}
            </p>
        })
    };
    let failed = match row.delivery {
        Delivery::Failed(failure) => {
            let client_id = row.message.client_id.clone().unwrap_or_default();
            Some(view! { <NotSent failure client_id retry/> })
        }
        Delivery::Sending | Delivery::Sent => None,
    };
    (text, failed)
}

/// A word after the text; a late one only when it still holds after a second.
#[component]
fn Aside(words: &'static str, #[prop(optional)] late: bool) -> impl IntoView {
    let class = if late { "message-state message-wait" } else { "message-state" };
    view! { <span class=class>{words}</span> }.into_any()
}

/// Why it was refused, and the way to try again.
#[component]
fn NotSent(failure: Failure, client_id: String, retry: Callback<String>) -> impl IntoView {
    let words = format!("{} · {}", say!(timeline.failed), sentence(preferences().locale, &failure));
    view! {
        <p class="message-state message-failed" role="alert">
            <span>{words}</span>
            <button type="button" class="button-text" on:click=move |_| retry.run(client_id.clone())>
                {say!(timeline.retry)}
            </button>
        </p>
    }
    .into_any()
}
