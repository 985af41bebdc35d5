//! The page: introduction, contents, groups of operations, sockets.

use leptos::prelude::*;

use super::{
    console::{Console, ConsoleSignIn},
    model::{Group, Reference, Socket},
    operation::OperationArticle,
    rich_text::RichText,
    sockets::SocketArticle,
};
use crate::{
    i18n::t,
    preferences::Preferences,
    server::request,
    shell::Document,
    ui::{logo::Logo, switches::Switches},
};

/// The complete document; with a console, operations can be called from it.
pub fn reference_page(
    options: LeptosOptions,
    reference: Reference,
    console: Option<Console>,
) -> impl IntoView {
    let initial = request::initial_preferences();
    Preferences::provide(initial);
    let Reference { about, groups, sockets } = reference;
    let contents = view! { <Contents groups=groups.clone() sockets=sockets.clone()/> };
    let is_console = console.is_some();
    let groups = groups.into_iter().map(|group| view! { <Section group is_console/> }).collect_view();
    let sockets = sockets
        .into_iter()
        .enumerate()
        .map(|(index, socket)| view! { <SocketArticle socket id=socket_id(index) is_console/> })
        .collect_view();
    let (title, other, to_other) = if is_console {
        (t!(console.title), "/api/docs/", t!(reference.to_docs))
    } else {
        (t!(reference.title), "/api/chat/test/", t!(reference.to_test))
    };
    let head = view! {
        <title>{title}</title>
        // Not part of the styles of all pages, of whose first visit it would be a KiB.
        <link rel="stylesheet" href="/reference.css"/>
        {is_console.then(|| view! { <script type="module" src="/console.js"></script> })}
    };
    view! {
        <Document options head>
            <a class="skip" href="#main">{t!(skip)}</a>
            <header class="reference-bar">
                <a class="brand" href="/">
                    <Logo/>
                    <span>{t!(brand)}</span>
                </a>
                <Switches/>
            </header>
            <div class="reference">
                {contents}
                <main id="main">
                    <h1>{title}</h1>
                    {console.map(|console| view! { <ConsoleSignIn console/> })}
                    <RichText text=about/>
                    <ul class="bullets">
                        <li>
                            <a href=other>{to_other}</a>
                        </li>
                        <li>
                            <a href="/api/schema/">{t!(reference.json)}</a>
                        </li>
                    </ul>
                    {groups}
                    <section aria-labelledby="sockets">
                        <h2 id="sockets">{t!(reference.sockets)}</h2>
                        {sockets}
                    </section>
                </main>
            </div>
        </Document>
    }
}

#[component]
fn Section(group: Group, is_console: bool) -> impl IntoView {
    let calls = group
        .operations
        .into_iter()
        .map(|operation| view! { <OperationArticle operation is_console/> })
        .collect_view();
    let id = format!("group-{}", group.name);
    view! {
        <section aria-labelledby=id.clone()>
            <h2 id=id.clone()>{group.title}</h2>
            {calls}
        </section>
    }
    .into_any()
}

#[component]
fn Contents(groups: Vec<Group>, sockets: Vec<Socket>) -> impl IntoView {
    let groups = groups
        .into_iter()
        .map(|group| {
            let calls = group
                .operations
                .into_iter()
                .map(|call| view! { <li><a href=format!("#{}", call.id)>{call.summary}</a></li> })
                .collect_view();
            view! {
                <li>
                    <a href=format!("#group-{}", group.name)>{group.title}</a>
                    <ul>{calls}</ul>
                </li>
            }
        })
        .collect_view();
    let sockets = sockets
        .into_iter()
        .enumerate()
        .map(|(index, socket)| view! { <li><a href=format!("#{}", socket_id(index))>{socket.summary}</a></li> })
        .collect_view();
    view! {
        <nav class="contents" aria-label=t!(reference.contents)>
            // Shown on phones only, where the list of all calls is several screens long.
            <label class="contents-fold">
                <input type="checkbox"/>
                {t!(reference.contents)}
            </label>
            // `public/console.js` shows the field.
            <input
                type="search"
                class="input"
                data-filter=""
                aria-label=t!(console.filter)
                placeholder=t!(console.filter)
                hidden=true
            />
            <ul>
                {groups}
                <li>
                    <a href="#sockets">{t!(reference.sockets)}</a>
                    <ul>{sockets}</ul>
                </li>
            </ul>
        </nav>
    }
    .into_any()
}

fn socket_id(index: usize) -> String {
    format!("socket-{index}")
}
