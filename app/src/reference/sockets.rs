//! The section of a WebSocket.

use leptos::prelude::*;

use super::{
    console::SocketConsole,
    model::Socket,
    rich_text::{RichText, line},
    tables::{Fields, Frames},
};
use crate::i18n::t;

#[component]
pub(super) fn SocketArticle(
    socket: Socket,
    /// The id of the section.
    id: String,
    is_console: bool,
) -> impl IntoView {
    let console = is_console.then(|| view! { <SocketConsole socket=socket.clone() id=id.clone()/> });
    let Socket { path, summary, description, parameters, send, receive, closes } = socket;
    let title = format!("{id}-title");
    let closes = closes
        .into_iter()
        .map(|(code, why)| {
            let why = why.split("\n\n").map(|why| view! { <p>{line(why)}</p> }).collect_view();
            view! {
                <div>
                    <dt>{code}</dt>
                    <dd>{why}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <article class="call" id=id aria-labelledby=title.clone() data-testid=format!("socket-{path}")>
            <h3 id=title.clone()>{summary.clone()}</h3>
            <p class="call-line">
                <span class="method" data-method="WS">"WS"</span>
                <code>{path.clone()}</code>
            </p>
            <RichText text=description/>
            {console}
            <h4>{t!(reference.parameters)}</h4>
            <Fields caption=format!("{summary}: {}", t!(reference.parameters)) fields=parameters/>
            <h4>{t!(reference.send)}</h4>
            <Frames frames=send/>
            <h4>{t!(reference.receive)}</h4>
            <Frames frames=receive/>
            <h4>{t!(reference.closes)}</h4>
            <dl class="closes">{closes}</dl>
        </article>
    }
    .into_any()
}
