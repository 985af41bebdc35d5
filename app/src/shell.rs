//! The HTML document: language and theme on `<html>` before the first paint, styles and scripts.

use axum::http::header;
use leptos::{html, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

use crate::{
    App,
    i18n::{language_tag, t},
    navigation::is_live,
    policy::content_security_policy,
    preferences::{CTRL_ENTER, InitialPreferences, Preferences, Theme},
    server::request,
    ui::icon::{Icon, IconSvg},
};

/// Colours of the browser's bars: `--porcelain` in `style/tokens.css`.
const LIGHT_GROUND: &str = "#f4f7f5";
const DARK_GROUND: &str = "#0f1412";

/// The document of a page of the app.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    // Texts of the head need the preferences too, and render before `App` provides its own.
    Preferences::provide(request::initial_preferences());
    let scripts = {
        let options = options.clone();
        is_live(&request::path()).then(|| view! { <HydrationScripts options/> })
    };
    let head = view! {
        {scripts}
        <script src="/page.js" type="module"></script>
        <Switcher/>
        <PersonTemplate/>
        <MetaTags/>
    };
    view! {
        <Document options head>
            <App/>
        </Document>
    }
}

/// A document in the reader's language and theme.
#[component]
pub fn Document(
    options: LeptosOptions,
    /// Additional elements of the head: title, scripts.
    head: impl IntoView,
    children: Children,
) -> impl IntoView {
    let initial = request::initial_preferences();
    // `App` must use exactly the values of `<html>`.
    provide_context(initial);
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    request::insert_header(header::CONTENT_SECURITY_POLICY, content_security_policy(&nonce));
    let InitialPreferences { locale, theme, sends_by_ctrl, zone, now } = initial;
    // During development pages reload after a rebuild.
    let is_developed = options.env == Env::DEV;
    view! {
        <!DOCTYPE html>
        <html
            lang=language_tag(locale)
            data-theme=theme.attribute()
            data-send-key=sends_by_ctrl.then_some(CTRL_ENTER)
            data-zone=zone.to_string()
            data-now=now.0.to_string()
        >
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                <meta name="color-scheme" content="light dark"/>
                {ground(theme)}
                <link rel="stylesheet" href=options.css_path()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                {is_developed.then(|| view! { <script src="/dev/reload.js" defer></script> })}
                {head}
            </head>
            <body>{children()}</body>
        </html>
    }
}

fn ground(theme: Theme) -> impl IntoView {
    let light = (theme != Theme::Dark).then_some(LIGHT_GROUND);
    let dark = (theme != Theme::Light).then_some(DARK_GROUND);
    let is_open = theme == Theme::System;
    let meta = move |color: &'static str, media: &'static str| {
        let media = is_open.then_some(media);
        html::meta().name("theme-color").content(color).attr("media", media)
    };
    (
        light.map(|color| meta(color, "(prefers-color-scheme: light)")),
        dark.map(|color| meta(color, "(prefers-color-scheme: dark)")),
    )
}

/// Template of the quick switcher that `public/switcher.js` opens with Ctrl+K. It is in the head, which is not
/// hydrated.
#[component]
fn Switcher() -> impl IntoView {
    view! {
        <template id="switcher">
            <dialog class="dialog switcher" aria-label=t!(switcher.title) data-testid="switcher">
                <div class="switcher-head">
                    <IconSvg icon=Icon::Search/>
                    <input
                        type="text"
                        role="combobox"
                        aria-label=t!(switcher.label)
                        aria-expanded="true"
                        aria-autocomplete="list"
                        aria-controls="switcher-list"
                        placeholder=t!(switcher.label)
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        maxlength="100"
                    />
                </div>
                <ul id="switcher-list" role="listbox" aria-label=t!(switcher.results)></ul>
                <p class="switcher-none" role="status" hidden=true>
                    {t!(switcher.none)}
                </p>
            </dialog>
        </template>
    }
}

/// Template of the card of a person that `public/person.js` opens at a name.
#[component]
fn PersonTemplate() -> impl IntoView {
    view! {
        <template id="person">
            <div class="person-card" popover="auto" role="dialog" aria-label=t!(person.title) data-testid="person-card">
                <span class="avatar avatar-large" aria-hidden="true"></span>
                <h2></h2>
                <p class="person-card-username"></p>
                <p class="person-card-notes"></p>
                <p class="person-card-gone" hidden=true>
                    {t!(person.gone)}
                </p>
                <button type="button" class="button button-line button-wide" hidden=true>
                    {t!(person.mention)}
                </button>
            </div>
        </template>
    }
}
