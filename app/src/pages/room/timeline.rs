//! The timeline, a scrolling box with `column-reverse`: it starts at the newest message without a script, stays
//! there, and does not move when older messages are inserted above.

use chat::model::{MessageId, Room, RoomId};
use leptos::{either::Either, ev, prelude::*};

use super::{
    context::{Action, Actions, RoomContext},
    row_list::RowList,
};
use crate::{
    i18n::{t, td_string},
    preferences::locale,
    server::{members::members_path, rooms::room_path},
    state::{composer_mode::ComposerMode, roster::Roster, timeline::Timeline},
    ui::{
        avatar::{Avatar, Shape},
        erased::IntoErased,
        icon::{Icon, IconSvg},
    },
};

/// Distance from the end that still counts as at the end.
pub(super) const AT_END_PX: i32 = 40;
/// Distance from either end at which the next page is loaded, about two screens.
const NEAR_PX: i32 = 1_600;

#[component]
pub(super) fn TimelineView(room: Room) -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let RoomContext { timeline, loading, node, .. } = context;
    let has_earlier = Memo::new(move |_| timeline.with(Timeline::has_earlier));
    let has_later = Memo::new(move |_| timeline.with(Timeline::has_later));
    let id = room.id;
    let scrolled = move |_| {
        if let Some(node) = node.get() {
            // `scrollTop` is 0 at the end and negative above it.
            let above = node.scroll_top().abs();
            let (is_later, is_earlier) = (has_later.get_untracked(), has_earlier.get_untracked());
            actions.run(Action::AtEnd(above < AT_END_PX && !is_later));
            if is_later && above < NEAR_PX {
                actions.run(Action::Later);
            } else if is_earlier && node.scroll_height() - node.client_height() - above < NEAR_PX {
                actions.run(Action::Earlier);
            }
        }
    };
    view! {
        <div
            class="timeline"
            role="log"
            tabindex="0"
            aria-label=t!(timeline.label)
            aria-describedby="shortcuts-hint"
            aria-busy=move || loading.get().to_string()
            node_ref=node
            on:scroll=scrolled
            on:keydown=move |event| pressed(&event, context, actions)
            on:mouseover=move |event| pointed(&event, context)
            on:focusin=move |event| pointed(&event, context)
            on:click=move |event| tapped(&event, context)
            on:mouseleave=move |_| left(context)
        >
            <div class="timeline-inner">
                {move || {
                    if has_earlier.get() {
                        Either::Left(view! { <Earlier/> })
                    } else {
                        Either::Right(view! { <Start name=room.name.clone() id/> })
                    }
                }}
                <ol>
                    <RowList/>
                </ol>
                {move || has_later.get().then(|| view! { <Later/> })}
            </div>
        </div>
        <ToEnd/>
    }
    .erased()
}

/// The row under the pointer, or with the focus, becomes active. On a touch screen only a tap does that: its actions come
/// over what else is there.
fn pointed(event: &ev::Event, context: RoomContext) {
    #[cfg(feature = "hydrate")]
    if crate::browser::document::has_fine_pointer() {
        activate(event, context);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, context);
}

fn tapped(event: &ev::Event, context: RoomContext) {
    #[cfg(feature = "hydrate")]
    if !crate::browser::document::has_fine_pointer() && !crate::browser::row_elements::is_control(event) {
        activate(event, context);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, context);
}

#[cfg(feature = "hydrate")]
fn activate(event: &ev::Event, context: RoomContext) {
    if let Some(key) = crate::browser::row_elements::key_at(event)
        && context.active.get_untracked() != Some(key)
    {
        context.active.set(Some(key));
    }
}

/// The pointer has left; a row with the focus stays active.
fn left(context: RoomContext) {
    #[cfg(feature = "hydrate")]
    context.active.set(crate::browser::row_elements::focused());
    #[cfg(not(feature = "hydrate"))]
    let _ = context;
}

/// Keys of the timeline, as listed in `shortcuts`. Combinations with Ctrl, Alt or Meta are left to the browser.
fn pressed(event: &ev::KeyboardEvent, context: RoomContext, actions: Actions) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return;
    }
    let active = context.active.get_untracked();
    let message = active.and_then(|key| context.timeline.with_untracked(|timeline| timeline.id_at(key)));
    let of = |mode: fn(MessageId) -> ComposerMode| message.map(|id| Action::Begin(mode(id)));
    let action = match event.key().as_str() {
        "ArrowDown" => Some(Action::Step { is_down: true }),
        "ArrowUp" => Some(Action::Step { is_down: false }),
        "End" => Some(Action::ToEnd),
        "r" | "R" => of(ComposerMode::Replying),
        "e" | "E" => of(ComposerMode::Editing),
        "v" | "V" => of(ComposerMode::Readers),
        "Delete" | "Backspace" => of(ComposerMode::Deleting),
        "c" | "C" => message.map(Action::Copy),
        "?" => Some(Action::Help),
        "Escape" => Some(Action::Begin(ComposerMode::Writing)),
        _ => None,
    };
    if action.is_some_and(|action| actions.run(action)) {
        event.prevent_default();
    }
}

#[component]
fn Earlier() -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let address = move || {
        let first = context.timeline.with(Timeline::first_id).unwrap_or_default();
        format!("{}?before={first}", room_path(context.room))
    };
    let (earlier, wait) = (t!(timeline.earlier), t!(timeline.earlier_loading));
    view! {
        <p class="timeline-more">
            <a
                class="button button-small"
                href=address
                aria-disabled=move || context.loading.get().then_some("true")
                on:click=move |click| actions.run_instead(&click, Action::Earlier)
            >
                {move || if context.loading.get() { wait } else { earlier }}
            </a>
        </p>
    }
    .erased()
}

/// Link to the messages after the window.
#[component]
fn Later() -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let address = move || {
        let last = context.timeline.with(Timeline::last_id).unwrap_or_default();
        format!("{}?after={last}", room_path(context.room))
    };
    view! {
        <p class="timeline-more">
            <a class="button button-small" href=address on:click=move |click| actions.run_instead(&click, Action::Later)>
                {t!(timeline.later)}
            </a>
        </p>
    }
    .erased()
}

#[component]
fn Start(name: String, id: RoomId) -> impl IntoView {
    let avatar = name.clone();
    let roster: RwSignal<Roster> = expect_context();
    let is_alone = Memo::new(move |_| roster.with(|roster| roster.count <= 1 && roster.powers.invite));
    let (invite, text) = (format!("{}#username", members_path(id)), t!(members.invite_label));
    view! {
        <div class="timeline-start">
            <Avatar name=avatar id=id.0 shape=Shape::LargeRoom/>
            <h2>{t!(room.start, name = name)}</h2>
            <p>{t!(room.start_lead)}</p>
            {move || {
                is_alone
                    .get()
                    .then(|| {
                        view! {
                            <a class="button" href=invite.clone() rel="external" data-testid="invite-first">
                                <IconSvg icon=Icon::Plus small=true/>
                                {text}
                            </a>
                        }
                    })
            }}
        </div>
    }
    .erased()
}

/// While scrolled up: a button to the newest message, with the number of new ones.
#[component]
fn ToEnd() -> impl IntoView {
    let RoomContext { room, unseen, is_scrolled_up, .. } = expect_context();
    let actions: Actions = expect_context();
    let locale = locale();
    let text = move || match unseen.get() {
        0 => td_string!(locale, timeline.newest).to_owned(),
        count => td_string!(locale, timeline.came_in, count = count).to_string(),
    };
    view! {
        <div class="timeline-unseen">
            {move || {
                is_scrolled_up
                    .get()
                    .then(|| {
                        view! {
                            <a
                                class="button button-small"
                                href=room_path(room)
                                data-testid="to-newest"
                                on:click=move |click| actions.run_instead(&click, Action::ToEnd)
                            >
                                <IconSvg icon=Icon::Down small=true/>
                                {text}
                            </a>
                        }
                    })
            }}
        </div>
    }
    .erased()
}
