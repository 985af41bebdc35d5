//! The typing indicator, a line of constant height, so that nothing moves.

use chat::model::UserRef;
use leptos::prelude::*;

use crate::{
    i18n::{Locale, td_string},
    preferences::locale,
    state::{roster::Roster, typing::Typists},
    ui::{erased::IntoErased, person::display_name},
};

#[component]
pub fn Typing(typists: RwSignal<Typists>) -> impl IntoView {
    let locale = locale();
    let roster: RwSignal<Roster> = expect_context();
    let text = Memo::new(move |_| {
        let names: Vec<_> = roster.with(|roster| {
            typists.with(|typists| typists.people().map(|person| name_of(person, roster)).collect())
        });
        typing_text(locale, &names)
    });
    view! {
        <p class="typing" aria-live="polite" data-testid="typing">
            {move || {
                text
                    .get()
                    .map(|text| {
                        view! {
                            <span class="typing-dots" aria-hidden="true">
                                <i></i>
                                <i></i>
                                <i></i>
                            </span>
                            <span>{text}</span>
                        }
                    })
            }}
        </p>
    }
    .erased()
}

/// The display name from the roster; the frame has the username only.
fn name_of(person: &UserRef, roster: &Roster) -> String {
    let member = roster.members.iter().find(|member| member.user.id == person.id);
    member.map_or_else(|| person.username.clone(), |member| display_name(&member.user))
}

fn typing_text(locale: Locale, names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [a] => Some(td_string!(locale, timeline.one_typing, a = a.clone())),
        [a, b] => Some(td_string!(locale, timeline.two_typing, a = a.clone(), b = b.clone())),
        _ => Some(td_string!(locale, timeline.many_typing).to_owned()),
    }
}
