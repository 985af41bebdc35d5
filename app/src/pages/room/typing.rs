//! Who is typing, in a line that is always there, so that nothing moves when somebody begins.

use leptos::prelude::*;

use crate::{
    i18n::{Locale, td_string},
    preferences::locale,
    state::typing::Typists,
};

/// See the module.
#[component]
pub fn Typing(
    /// Who.
    typists: RwSignal<Typists>,
) -> impl IntoView {
    let locale = locale();
    let words = move || typists.with(|typists| words(locale, &typists.names()));
    view! {
        <p class="typing" aria-live="polite" data-testid="typing">
            <Show when=move || words().is_some()>
                <span class="typing-dots" aria-hidden="true">
                    <i></i>
                    <i></i>
                    <i></i>
                </span>
                <span>{words}</span>
            </Show>
        </p>
    }
    .into_any()
}

fn words(locale: Locale, names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [a] => Some(td_string!(locale, timeline.one_typing, a = a.clone())),
        [a, b] => Some(td_string!(locale, timeline.two_typing, a = a.clone(), b = b.clone())),
        _ => Some(td_string!(locale, timeline.many_typing).to_owned()),
    }
}
