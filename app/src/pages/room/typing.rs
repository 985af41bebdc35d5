//! Who is typing, in a line that is always there, so that nothing moves when somebody begins.

use leptos::prelude::*;

use crate::{
    i18n::{Locale, td_string},
    preferences::locale,
    state::typing::Typists,
    ui::anew::Anew,
};

/// See the module.
#[component]
pub fn Typing(
    /// Who.
    typists: RwSignal<Typists>,
) -> impl IntoView {
    let locale = locale();
    let words = Memo::new(move |_| typists.with(|typists| words(locale, &typists.names())));
    view! {
        <p class="typing" aria-live="polite" data-testid="typing">
            {move || {
                words
                    .get()
                    .map(|words| {
                        view! {
                            <span class="typing-dots" aria-hidden="true">
                                <i></i>
                                <i></i>
                                <i></i>
                            </span>
                            <span>{words}</span>
                        }
                    })
            }}
        </p>
    }
    .anew()
}

fn words(locale: Locale, names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [a] => Some(td_string!(locale, timeline.one_typing, a = a.clone())),
        [a, b] => Some(td_string!(locale, timeline.two_typing, a = a.clone(), b = b.clone())),
        _ => Some(td_string!(locale, timeline.many_typing).to_owned()),
    }
}
