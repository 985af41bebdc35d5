//! The middle pane: joins the timeline, the composer and the line to the state and the socket.
//!
//! The server renders it from the same data that the browser starts with. What only a browser can do is in `live`,
//! below, and is missing from the server's build.

use chat::model::Room;
use leptos::{either::Either, html, prelude::*, server_fn::ServerFn};

use super::{
    composer::Composer,
    header::Header,
    message::Named,
    timeline::{Actions, TimelineView},
    typing::Typing,
};
use crate::{
    error::sentence,
    i18n::{say, td_string},
    live::Line,
    pages::rooms::ShownNotice,
    preferences::locale,
    prose::Names,
    server::rooms::{JoinRoom, OpenedRoom},
    state::{timeline::Timeline, typing::Typists},
    ui::avatar::{Avatar, Shape},
};

/// What a conversation is made of, for its parts and its live half.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) timeline: RwSignal<Timeline>,
    pub(super) typists: RwSignal<Typists>,
    pub(super) line: RwSignal<Line>,
    pub(super) loading: RwSignal<bool>,
    pub(super) unseen: RwSignal<usize>,
    pub(super) node: NodeRef<html::Div>,
}

/// See the module.
#[component]
pub fn Conversation(
    /// The room's page.
    opened: OpenedRoom,
) -> impl IntoView {
    let OpenedRoom { me, room, roster, history, is_newest } = opened;
    let others = roster.seats.into_iter().map(|seat| seat.user.username).collect();
    provide_context(Named(StoredValue::new(Names { me: me.username.clone(), others })));
    let messages = history.as_ref().map_or(&[][..], |history| &history.messages);
    let timeline = Timeline::new(me, messages, history.as_ref().is_some_and(|history| history.has_more));
    let parts = Parts {
        timeline: RwSignal::new(timeline),
        typists: RwSignal::new(Typists::default()),
        line: RwSignal::new(Line::Opening),
        loading: RwSignal::new(false),
        unseen: RwSignal::new(0),
        node: NodeRef::new(),
    };
    #[cfg(feature = "hydrate")]
    let hands = super::live::start(&room, messages, is_newest, parts);
    #[cfg(not(feature = "hydrate"))]
    let hands = Hands::idle();

    view! {
        <div
            class="pane pane-main conversation"
            data-live=move || (parts.line.get() == Line::Open).to_string()
        >
            <Header room=room.clone()/>
            <LineNotice line=parts.line/>
            {if history.is_some() {
                Either::Left(
                    view! {
                        <TimelineView
                            room=room.clone()
                            timeline=parts.timeline
                            loading=parts.loading
                            unseen=parts.unseen
                            is_newest
                            node=parts.node
                            actions=hands.actions
                        />
                        <div class="conversation-foot">
                            <ShownNotice/>
                            <Foot room typists=parts.typists hands/>
                        </div>
                    },
                )
            } else {
                Either::Right(view! { <Outside room/> })
            }}
        </div>
    }
    .into_any()
}

/// What a conversation can do; without a browser, nothing.
#[derive(Clone, Copy)]
pub(super) struct Hands {
    pub(super) actions: Actions,
    pub(super) write: Option<Callback<String>>,
    pub(super) typing: Callback<bool>,
}

impl Hands {
    /// Hands that do nothing: links are followed and forms go to the server.
    pub(super) fn idle() -> Self {
        let actions = Actions {
            earlier: Callback::new(|()| false),
            retry: Callback::new(|_| {}),
            at_end: Callback::new(|_| {}),
            to_end: Callback::new(|()| {}),
        };
        Self { actions, write: None, typing: Callback::new(|_| {}) }
    }
}

/// The composer, or why there is none.
#[component]
fn Foot(room: Room, typists: RwSignal<Typists>, hands: Hands) -> impl IntoView {
    if room.is_active {
        Either::Left(view! {
            <Typing typists/>
            <Composer room=room.id name=room.name write=hands.write typing=hands.typing/>
        })
    } else {
        Either::Right(view! { <p class="closed">{say!(room.closed)}</p> })
    }
}

/// For someone who is not in the room: what it is, and the way in.
#[component]
fn Outside(room: Room) -> impl IntoView {
    view! {
        <div class="blank">
            <Avatar name=room.name.clone() id=room.id.0 shape=Shape::LargeRoom/>
            <h2>{room.name}</h2>
            <p>{say!(room.join_lead)}</p>
            <ShownNotice/>
            <form method="post" action=JoinRoom::url()>
                <input type="hidden" name="room" value=room.id.to_string()/>
                <button type="submit" class="button button-loud">
                    {say!(room.join)}
                </button>
            </form>
        </div>
    }
    .into_any()
}

/// The line, where it is worth a word.
#[component]
fn LineNotice(line: RwSignal<Line>) -> impl IntoView {
    let locale = locale();
    let words = move || match line.get() {
        Line::Opening | Line::Open => None,
        Line::Lost => Some(td_string!(locale, live.lost).to_owned()),
        Line::Closed(code) => Some(sentence(locale, &chat::model::Failure::new(code))),
    };
    view! {
        <div role="status">
            {move || words().map(|words| view! { <p class="notice notice-strip">{words}</p> })}
        </div>
    }
    .into_any()
}
