//! One row of the timeline: a message, under a day line where a day begins.

use chat::model::Failure;
use leptos::{either::Either, prelude::*};

use crate::{
    error::sentence,
    i18n::say,
    preferences::preferences,
    prose::{self, Names},
    state::timeline::{Delivery, Key, Row, Timeline},
    ui::{
        avatar::{Avatar, Shape},
        moment::day_line,
        person::display_name,
    },
};

/// The names that messages here mention, in the context of the timeline.
#[derive(Clone, Copy)]
pub struct Named(pub StoredValue<Names>);

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
                    <div class="message-body">{body}</div>
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
                <div class="message-body">{body}</div>
            </li>
        })
    }
}

#[component]
fn Body(row: Row, retry: Callback<String>) -> impl IntoView {
    let text = if row.message.is_deleted {
        Either::Left(view! { <p class="message-removed">{say!(timeline.deleted)}</p> })
    } else {
        Either::Right(view! { <Words row=row.clone()/> })
    };
    let sending = (row.delivery == Delivery::Sending)
        .then(|| view! { <span class="message-state message-wait">{say!(timeline.sending)}</span> });
    let failed = match row.delivery {
        Delivery::Failed(failure) => {
            let client_id = row.message.client_id.clone().unwrap_or_default();
            Some(view! { <NotSent failure client_id retry/> })
        }
        Delivery::Sending | Delivery::Sent => None,
    };
    (text, sending, failed)
}

/// What was written; a long text is folded, and unfolds without a script.
#[component]
fn Words(row: Row) -> impl IntoView {
    let content = &row.message.content;
    let named: Named = expect_context();
    let mut html = named.0.with_value(|names| prose::render(content, names));
    if row.message.is_edited {
        let edited = format!("<span class=\"message-state\">{}</span>", say!(timeline.edited));
        // In the line of the text, where it ends with one.
        match html.strip_suffix("</p>") {
            Some(line) => html = format!("{line}{edited}</p>"),
            None => html.push_str(&edited),
        }
    }
    let is_long = prose::is_long(content);
    let class = if is_long { "prose prose-long" } else { "prose" };
    view! {
        <div class=class inner_html=html></div>
        {is_long
            .then(|| {
                view! {
                    <details class="prose-more">
                        <summary>
                            <span class="prose-more-rest">{say!(timeline.more)}</span>
                            <span class="prose-more-less">{say!(timeline.less)}</span>
                        </summary>
                    </details>
                }
            })}
    }
    .into_any()
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
