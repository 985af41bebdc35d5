//! One row of the timeline: a message, under a day line where a day begins.

use leptos::{either::Either, prelude::*};

use crate::{
    error::sentence,
    i18n::{say, td_string},
    preferences::preferences,
    state::timeline::{Delivery, Key, Row, Timeline},
    ui::{
        avatar::{Avatar, Shape},
        moment::{day_line, today},
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
        view! { <li class="day">{move || day_line(preferences.locale.get(), day, today())}</li> }
    });
    let class = format!(
        "message{}{}",
        if row.place.leads { " message-first" } else { "" },
        match row.delivery {
            Delivery::Sending => " message-sending",
            Delivery::Sent => "",
            Delivery::Failed(_) => " message-failed",
        },
    );
    let (datetime, time) = (row.message.created_at.to_string(), row.at.time());
    let body = view! { <Body row=row.clone() retry/> };
    let id = (row.delivery == Delivery::Sent).then(|| format!("message-{}", row.message.id));
    if row.place.leads {
        let author = display_name(&row.message.sender);
        Either::Left(view! {
            {day}
            <li class=class id=id data-testid="message">
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
            <li class=class id=id data-testid="message">
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
        let edited = row
            .message
            .is_edited
            .then(|| view! { " "<span class="message-state">{say!(timeline.edited)}</span> });
        Either::Right(view! {
            <p class="message-text">
                <Prose text=row.message.content.clone()/>
                {edited}
            </p>
        })
    };
    view! {
        {text}
        <State row retry/>
    }
}

/// How far it is, where that is worth saying.
#[component]
fn State(row: Row, retry: Callback<String>) -> impl IntoView {
    let locale = preferences().locale;
    match row.delivery {
        Delivery::Sent => None,
        Delivery::Sending => {
            Some(Either::Left(view! { <p class="message-state">{say!(timeline.sending)}</p> }))
        }
        Delivery::Failed(failure) => {
            let client_id = row.message.client_id.clone().unwrap_or_default();
            Some(Either::Right(view! {
                <p class="message-state" role="alert">
                    <span>
                        {move || {
                            format!(
                                "{} · {}",
                                td_string!(locale.get(), timeline.failed),
                                sentence(locale.get(), &failure),
                            )
                        }}
                    </span>
                    <button type="button" class="button-text" on:click=move |_| retry.run(client_id.clone())>
                        {say!(timeline.retry)}
                    </button>
                </p>
            }))
        }
    }
}
