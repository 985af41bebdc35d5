//! Switches for language and theme: plain forms, answered with a cookie and the same page. On a live page the theme
//! changes at once.

use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    erased::IntoErased,
    icon::{Icon, IconSvg},
};
use crate::{
    i18n::{LOCALES, code, language_tag, own_name, t},
    preferences::{Preferences, Theme, locale, preferences},
    server::preferences::{SetLanguage, SetTheme},
};

#[component]
pub fn Switches() -> impl IntoView {
    view! {
        <div class="preferences">
            <LanguageSwitch/>
            <ThemeSwitch/>
        </div>
    }
    .erased()
}

#[component]
fn LanguageSwitch() -> impl IntoView {
    let locale = locale();
    let buttons = LOCALES
        .into_iter()
        .map(|choice| {
            view! {
                <button
                    type="submit"
                    name="language"
                    value=code(choice)
                    lang=language_tag(choice)
                    aria-pressed=(locale == choice).to_string()
                >
                    {own_name(choice)}
                </button>
            }
        })
        .collect_view();
    view! {
        <form method="post" action=SetLanguage::url()>
            <div class="switch" role="group" aria-label=t!(preferences.language)>
                {buttons}
            </div>
        </form>
    }
    .erased()
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let preferences = preferences();
    let buttons = Theme::ALL
        .into_iter()
        .map(|choice| {
            let (icon, name) = match choice {
                Theme::System => (Icon::System, t!(preferences.theme_system)),
                Theme::Light => (Icon::Sun, t!(preferences.theme_light)),
                Theme::Dark => (Icon::Moon, t!(preferences.theme_dark)),
            };
            view! {
                <button
                    type="submit"
                    name="theme"
                    value=choice.as_str()
                    title=name
                    aria-label=name
                    aria-pressed=move || (preferences.theme.get() == choice).to_string()
                    on:click=move |click| {
                        click.prevent_default();
                        choose_theme(preferences, choice);
                    }
                >
                    <IconSvg icon small=true/>
                </button>
            }
        })
        .collect_view();
    view! {
        <form method="post" action=SetTheme::url()>
            <div class="switch" role="group" aria-label=t!(preferences.theme)>
                {buttons}
            </div>
        </form>
    }
    .erased()
}

fn choose_theme(preferences: Preferences, theme: Theme) {
    preferences.theme.set(theme);
    #[cfg(feature = "hydrate")]
    {
        use crate::{browser::document, preferences::THEME_COOKIE};
        document::set_root_attribute("data-theme", theme.attribute());
        document::set_cookie(THEME_COOKIE, theme.as_str());
    }
}
