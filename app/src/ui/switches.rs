//! The switches for language and theme. Plain forms that the server answers with a cookie and the same page;
//! once live, they switch on the spot.

use leptos::{prelude::*, server_fn::ServerFn};

use super::icon::{Draw, Icon};
use crate::{
    i18n::{LOCALES, Locale, own_name, say, tag, td_string, word},
    preferences::{Preferences, Theme, preferences},
    server::preferences::{SetLanguage, SetTheme},
};

/// Both switches.
#[component]
pub fn Switches() -> impl IntoView {
    view! {
        <div class="preferences">
            <LanguageSwitch/>
            <ThemeSwitch/>
        </div>
    }
}

#[component]
fn LanguageSwitch() -> impl IntoView {
    let preferences = preferences();
    let buttons = LOCALES
        .into_iter()
        .map(|choice| {
            view! {
                <button
                    type="submit"
                    name="language"
                    value=word(choice)
                    lang=tag(choice)
                    aria-pressed=move || (preferences.locale.get() == choice).to_string()
                    on:click=move |click| {
                        click.prevent_default();
                        choose_language(preferences, choice);
                    }
                >
                    {own_name(choice)}
                </button>
            }
        })
        .collect_view();
    view! {
        <form class="switch" method="post" action=SetLanguage::url() role="group" aria-label=say!(preferences.language)>
            {buttons}
        </form>
    }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let preferences = preferences();
    let locale = preferences.locale;
    let buttons = Theme::ALL
        .into_iter()
        .map(|choice| {
            let (icon, name): (_, fn(Locale) -> &'static str) = match choice {
                Theme::System => (Icon::System, |locale| td_string!(locale, preferences.theme_system)),
                Theme::Light => (Icon::Sun, |locale| td_string!(locale, preferences.theme_light)),
                Theme::Dark => (Icon::Moon, |locale| td_string!(locale, preferences.theme_dark)),
            };
            view! {
                <button
                    type="submit"
                    name="theme"
                    value=choice.word()
                    title=move || name(locale.get())
                    aria-label=move || name(locale.get())
                    aria-pressed=move || (preferences.theme.get() == choice).to_string()
                    on:click=move |click| {
                        click.prevent_default();
                        choose_theme(preferences, choice);
                    }
                >
                    <Draw icon small=true/>
                </button>
            }
        })
        .collect_view();
    view! {
        <form class="switch" method="post" action=SetTheme::url() role="group" aria-label=say!(preferences.theme)>
            {buttons}
        </form>
    }
}

fn choose_language(preferences: Preferences, locale: Locale) {
    preferences.locale.set(locale);
    #[cfg(feature = "hydrate")]
    {
        use crate::{browser::document, preferences::LANGUAGE_COOKIE};
        document::set_root_attribute("lang", Some(tag(locale)));
        document::set_cookie(LANGUAGE_COOKIE, word(locale));
    }
}

fn choose_theme(preferences: Preferences, theme: Theme) {
    preferences.theme.set(theme);
    #[cfg(feature = "hydrate")]
    {
        use crate::{browser::document, preferences::THEME_COOKIE};
        document::set_root_attribute("data-theme", theme.attribute());
        document::set_cookie(THEME_COOKIE, theme.word());
    }
}
