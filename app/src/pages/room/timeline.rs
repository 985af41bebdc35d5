//! The messages, in a box that begins at its end: it is laid out from below (`column-reverse`), so it shows the newest
//! before any script runs, stays there while one is there, and does not move when older ones come in above.

use chat::model::{Room, RoomId};
use leptos::{either::Either, html, prelude::*};

use super::message::MessageRow;
use crate::{
    i18n::{say, td_string},
    preferences::locale,
    server::rooms::room_path,
    state::timeline::Timeline,
    ui::{
        avatar::{Avatar, Shape},
        icon::{Draw, Icon},
    },
};

/// So near the end counts as there.
const AT_END_PX: i32 = 40;
/// So near the start the page before is fetched by itself.
const NEAR_START_PX: i32 = 300;

/// What the timeline asks of the conversation.
#[derive(Clone, Copy)]
pub struct Actions {
    /// The page before, please. False where the page is not live, and the link is followed.
    pub earlier: Callback<(), bool>,
    /// Try this one again.
    pub retry: Callback<String>,
    /// The reader reached the end, or left it.
    pub at_end: Callback<bool>,
    /// To the end.
    pub to_end: Callback<()>,
}

/// See the module.
#[component]
pub fn TimelineView(
    /// The room.
    room: Room,
    /// Its messages.
    timeline: RwSignal<Timeline>,
    /// Is an older page on its way?
    loading: RwSignal<bool>,
    /// How many came in while one was reading above.
    unseen: RwSignal<usize>,
    /// Does it end with the newest message?
    is_newest: bool,
    /// The box, for whoever moves it.
    node: NodeRef<html::Div>,
    /// What to call.
    actions: Actions,
) -> impl IntoView {
    let has_earlier = Memo::new(move |_| timeline.with(Timeline::has_earlier));
    let id = room.id;
    let scrolled = move |_| {
        if let Some(node) = node.get() {
            // Measured from the end, and negative above it.
            let above = node.scroll_top().abs();
            actions.at_end.run(above < AT_END_PX);
            let to_start = node.scroll_height() - node.client_height() - above;
            if to_start < NEAR_START_PX && has_earlier.get_untracked() {
                actions.earlier.run(());
            }
        }
    };
    view! {
        <div
            class="timeline"
            role="log"
            tabindex="0"
            aria-label=say!(timeline.label)
            aria-busy=move || loading.get().to_string()
            node_ref=node
            on:scroll=scrolled
        >
            <div class="timeline-inner">
                {move || {
                    if has_earlier.get() {
                        Either::Left(view! { <Earlier id timeline loading actions/> })
                    } else {
                        Either::Right(view! { <Start name=room.name.clone() id/> })
                    }
                }}
                <ol>
                    <For each=move || timeline.with(Timeline::keys) key=|key| *key let:key>
                        <MessageRow key timeline retry=actions.retry/>
                    </For>
                </ol>
                {(!is_newest)
                    .then(|| {
                        view! {
                            <p class="timeline-newest">
                                <a class="button button-small" href=room_path(id)>
                                    {say!(timeline.newest)}
                                </a>
                            </p>
                        }
                    })}
            </div>
        </div>
        <Unseen unseen actions/>
    }
    .into_any()
}

#[component]
fn Earlier(
    id: RoomId,
    timeline: RwSignal<Timeline>,
    loading: RwSignal<bool>,
    actions: Actions,
) -> impl IntoView {
    let address = move || {
        let first = timeline.with(Timeline::first_id).unwrap_or_default();
        format!("{}?before={first}", room_path(id))
    };
    let (earlier, wait) = (say!(timeline.earlier), say!(timeline.earlier_loading));
    view! {
        <p class="timeline-earlier">
            <a
                class="button button-small"
                href=address
                aria-disabled=move || loading.get().then_some("true")
                on:click=move |click| {
                    if actions.earlier.run(()) {
                        click.prevent_default();
                    }
                }
            >
                {move || if loading.get() { wait } else { earlier }}
            </a>
        </p>
    }
    .into_any()
}

#[component]
fn Start(name: String, id: RoomId) -> impl IntoView {
    let avatar = name.clone();
    view! {
        <div class="timeline-start">
            <Avatar name=avatar id=id.0 shape=Shape::LargeRoom/>
            <h2>{say!(room.start, name = name)}</h2>
            <p>{say!(room.start_lead)}</p>
        </div>
    }
    .into_any()
}

/// While one reads above: what came in below, and the way there.
#[component]
fn Unseen(unseen: RwSignal<usize>, actions: Actions) -> impl IntoView {
    let locale = locale();
    view! {
        <div class="timeline-unseen">
            <Show when=move || { unseen.get() > 0 }>
                <button type="button" class="button button-small" on:click=move |_| actions.to_end.run(())>
                    <Draw icon=Icon::Down small=true/>
                    {move || td_string!(locale, timeline.came_in, count = unseen.get())}
                </button>
            </Show>
        </div>
    }
    .into_any()
}
