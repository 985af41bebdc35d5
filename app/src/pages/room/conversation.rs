//! The middle pane: connects timeline, composer and connection notice to the state and the socket.
//!
//! The server renders it from the same data that the browser hydrates with. Code for the browser only is in
//! `controller`.

use chat::model::{MessageId, Room, User};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{
    banner::Banner,
    catch_up::CatchUpBar,
    composer::Composer,
    context::{Actions, RoomContext},
    header::Header,
    message::MentionNamesContext,
    timeline::TimelineView,
    typing::Typing,
};
use crate::{
    error::error_message,
    i18n::{t, td_string},
    live::ConnectionState,
    pages::{needs_sign_in, rooms::PageNoticeView},
    preferences::locale,
    server::rooms::JoinRoom,
    state::{composer_mode::ComposerMode, room_signals::RoomSignals},
    ui::{
        avatar::{Avatar, Shape},
        erased::IntoErased,
    },
};

/// The query of the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoomQuery {
    pub(super) message: Option<MessageId>,
    pub(super) mode: ComposerMode,
}

#[component]
pub(super) fn Conversation(
    room: Room,
    /// `None` if the user is not a member.
    signals: Option<RoomSignals>,
    /// Readers of the message in the address, if requested.
    readers: Vec<User>,
    query: RoomQuery,
) -> impl IntoView {
    let Some(signals) = signals else {
        return view! {
            <div class="pane pane-main conversation">
                <Header room=room.clone()/>
                <JoinPrompt room/>
            </div>
        }
        .erased();
    };
    provide_context(MentionNamesContext(signals.names));
    let rights = signals.rights.get_untracked();
    let (target, mode, skipped, has_later, active) = signals.timeline.with_untracked(|timeline| {
        let target = query.message.and_then(|id| timeline.message(id));
        let mode = target
            .as_ref()
            .filter(|message| query.mode.is_allowed(message, timeline.me(), rights))
            .map_or(ComposerMode::Writing, |_| query.mode);
        let target = target.map(|message| message.id);
        // Newer messages of one's own are not unread.
        let is_behind = room.unread_count > 0 && target.is_none() && !timeline.has_later();
        let skipped = timeline.read_before_window().filter(|_| is_behind);
        (target, mode, skipped, timeline.has_later(), target.and_then(|id| timeline.key_of(id)))
    });
    let context = RoomContext {
        room: room.id,
        is_scrolled_up: RwSignal::new(has_later),
        active: RwSignal::new(active),
        timeline: signals.timeline,
        typists: signals.typists,
        connection: signals.connection,
        rights: signals.rights,
        mode: RwSignal::new(mode),
        rejected_edit: StoredValue::new(None),
        readers: RwSignal::new(readers),
        target: RwSignal::new(target),
        skips_unread: RwSignal::new(skipped.is_some()),
        loading: RwSignal::new(false),
        unseen: RwSignal::new(0),
        toast: RwSignal::new(None),
        node: NodeRef::new(),
    };
    provide_context(context);
    #[cfg(feature = "hydrate")]
    let actions = super::controller::start(&room, signals, context);
    #[cfg(not(feature = "hydrate"))]
    let actions = Actions::noop();
    provide_context::<Actions>(actions);

    view! {
        <div
            class="pane pane-main conversation"
            data-live=move || (context.connection.get() == ConnectionState::Open).to_string()
        >
            <Header room=room.clone()/>
            <ConnectionNotice connection=context.connection/>
            <TimelineView room=room.clone()/>
            {skipped.map(|last_read| view! { <CatchUpBar last_read unread=room.unread_count/> })}
            <div class="conversation-foot">
                <PageNoticeView/>
                <Foot room/>
            </div>
        </div>
    }
    .erased()
}

/// The composer, or the reason why there is none.
#[component]
fn Foot(room: Room) -> impl IntoView {
    let context: RoomContext = expect_context();
    if !room.is_active {
        return Either::Left(view! { <p class="closed">{t!(room.closed)}</p> });
    }
    let muted = t!(composer.muted);
    let may_write = Memo::new(move |_| context.rights.get().write);
    Either::Right(view! {
        <Typing typists=context.typists/>
        <div class="told" role="status">
            {move || context.toast.get().map(|text| view! { <p class="notice">{text}</p> })}
        </div>
        <Banner/>
        // Always rendered, so that screen readers announce the text when it appears.
        <div role="status">{move || (!may_write.get()).then(|| view! { <p class="closed">{muted}</p> })}</div>
        {move || may_write.get().then(|| view! { <Composer name=room.name.clone()/> })}
    })
}

/// For users who are not members: the room's name and a button to join.
#[component]
fn JoinPrompt(room: Room) -> impl IntoView {
    view! {
        <div class="blank">
            <Avatar name=room.name.clone() id=room.id.0 shape=Shape::LargeRoom/>
            <h2>{room.name}</h2>
            <p>{t!(room.join_lead)}</p>
            <PageNoticeView/>
            <form method="post" action=JoinRoom::url()>
                <input type="hidden" name="room" value=room.id.to_string()/>
                <button type="submit" class="button button-loud">
                    {t!(room.join)}
                </button>
            </form>
        </div>
    }
    .erased()
}

/// A notice while the connection is lost or closed.
#[component]
fn ConnectionNotice(connection: RwSignal<ConnectionState>) -> impl IntoView {
    let locale = locale();
    let text = move || match connection.get() {
        ConnectionState::Connecting | ConnectionState::Open => None,
        ConnectionState::Lost => Some(td_string!(locale, live.lost).to_owned()),
        // The page says so by itself.
        ConnectionState::Closed(code) if needs_sign_in(code) => None,
        ConnectionState::Closed(code) => Some(error_message(locale, &chat::model::Failure::new(code))),
    };
    view! {
        <div role="status">
            {move || text().map(|text| view! { <p class="notice notice-strip">{text}</p> })}
        </div>
    }
    .erased()
}
