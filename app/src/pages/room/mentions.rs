//! The list of suggestions for a mention, above the composer.

use chat::model::{RoomId, User};
use leptos::{html, prelude::*};

use crate::{
    i18n::t,
    markdown::escaped,
    state::mention::MentionQuery,
    ui::{
        avatar::{Shape, avatar_html},
        erased::IntoErased,
        person::display_name,
    },
};

/// The list's id, for `aria-controls`.
pub(super) const LIST: &str = "mentions";

/// State of the suggestions.
#[derive(Clone, Copy)]
pub(super) struct Mentions {
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser asks"))]
    pub(super) room: RoomId,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser asks"))]
    pub(super) area: NodeRef<html::Textarea>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser asks"))]
    pub(super) query: RwSignal<Option<MentionQuery>>,
    pub(super) matches: RwSignal<Vec<User>>,
    pub(super) selected: RwSignal<usize>,
}

impl Mentions {
    pub(super) fn new(room: RoomId, area: NodeRef<html::Textarea>) -> Self {
        Self {
            room,
            area,
            query: RwSignal::new(None),
            matches: RwSignal::new(Vec::new()),
            selected: RwSignal::new(0),
        }
    }

    /// The id of the selected option, for `aria-activedescendant`.
    pub(super) fn active(self) -> Option<String> {
        (!self.matches.read().is_empty()).then(|| option_id(self.selected.get()))
    }
}

fn option_id(index: usize) -> String {
    format!("{LIST}-{index}")
}

#[component]
pub(super) fn MentionList(mentions: Mentions) -> impl IntoView {
    let options = move || {
        let people = mentions.matches.get().into_iter().enumerate();
        people.map(|(index, user)| view! { <MentionOption index user mentions/> }).collect_view()
    };
    view! {
        <ul id=LIST class="mentions" role="listbox" aria-label=t!(composer.mentions) hidden=move || {
            mentions.matches.read().is_empty()
        }>{options}</ul>
    }
    .erased()
}

#[component]
fn MentionOption(index: usize, user: User, mentions: Mentions) -> impl IntoView {
    let name = display_name(&user);
    // An HTML string is less wasm than components.
    let html = [
        &*avatar_html(&name, user.id.0, Shape::SmallPerson),
        "<span class=\"mentions-name\">",
        &escaped(&name),
        "</span><span class=\"mentions-username\">@",
        &escaped(&user.username),
        "</span>",
    ]
    .concat();
    let is_selected = move || mentions.selected.get() == index;
    // On `mousedown`, before the text area loses the focus.
    let taken = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        #[cfg(feature = "hydrate")]
        mentions.choose(index);
    };
    view! {
        <li
            id=option_id(index)
            role="option"
            aria-selected=move || is_selected().to_string()
            data-testid="mention-option"
            on:mousedown=taken
            inner_html=html
        ></li>
    }
    .erased()
}
