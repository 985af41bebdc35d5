//! `/rooms/:id`: a room. `conversation` connects the parts in `room/` to the state and the socket.

use chat::model::{Code, Failure, MessageId, Room};
use leptos::prelude::*;

use super::{
    PageTitle, answer_with,
    load_error::LoadError,
    needs_sign_in,
    rooms::{PageNoticeView, RoomsContext},
};
#[cfg(feature = "hydrate")]
use crate::live::store::Store;
#[cfg(not(feature = "hydrate"))]
use crate::state::room_signals::RoomSignals;
use crate::{
    error::{AppError, error_message},
    i18n::t,
    navigation::CurrentLocation,
    preferences::locale,
    server::{
        resource::json_resource,
        rooms::{OpenedRoom, open_room},
    },
    state::composer_mode::ComposerMode,
    ui::erased::IntoErased,
};

mod banner;
mod catch_up;
mod composer;
mod context;
#[cfg(feature = "hydrate")]
mod controller;
mod conversation;
mod details;
mod header;
mod mentions;
mod message;
mod row_list;
mod shortcuts;
mod timeline;
mod typing;

pub use composer::COMPOSER;
use conversation::{Conversation, RoomQuery};
use details::Details;

/// After what time a room that could not be loaded is loaded again.
#[cfg(feature = "hydrate")]
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(3);

/// Loads the page's data again.
#[cfg(feature = "hydrate")]
#[derive(Clone, Copy)]
struct RefetchRoom(Callback<()>);

#[component]
pub fn RoomPage() -> impl IntoView {
    let CurrentLocation(location) = expect_context();
    let wanted = move || {
        let location = location.read();
        let message = |name: &str| location.parameter(name)?.parse().ok().and_then(MessageId::checked);
        let asks_readers = location.parameter("do") == Some("readers");
        (location.room(), message("before"), message("after"), message("message"), asks_readers)
    };
    #[cfg(feature = "hydrate")]
    let store: Store = expect_context();
    let opened = json_resource(wanted, move |(id, before, after, around, asks_readers)| async move {
        let Some(id) = id else { return Ok(Err(Code::NotFound)) };
        #[cfg(feature = "hydrate")]
        if let (None, Some(opened)) = (before.or(after).or(around), store.reopen(id)) {
            return Ok(Ok(opened));
        }
        open_room(id, before, after, around, asks_readers).await
    });
    #[cfg(feature = "hydrate")]
    provide_context(RefetchRoom(Callback::new(move |()| opened.refetch())));
    let room_query = move || {
        let location = location.read_untracked();
        let message =
            location.parameter("message").and_then(|id| id.parse().ok()).and_then(MessageId::checked);
        RoomQuery { message, mode: ComposerMode::from_query(message, location.parameter("do")) }
    };
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match opened.await {
                    Ok(Ok(opened)) => view! { <Opened opened query=room_query()/> }.erased(),
                    Ok(Err(code)) => view! { <RoomUnavailable code/> }.erased(),
                    // The server redirects to the sign-in page; in the browser the page says so.
                    Err(AppError(failure)) if needs_sign_in(failure.code) => {
                        #[cfg(feature = "hydrate")]
                        store.sign_out(failure.code);
                        view! { <main id="main" class="pane pane-main"></main> }.erased()
                    }
                    Err(AppError(failure)) => {
                        #[cfg(feature = "hydrate")]
                        if failure.code == Code::Unavailable {
                            retry(move || opened.refetch());
                        }
                        view! {
                            <main id="main" class="pane pane-main">
                                <LoadError failure is_retried=true/>
                            </main>
                        }
                            .erased()
                    }
                }
            })}
        </Transition>
    }
    .erased()
}

/// Loads the room again when the network is back, and now and then, since not every failure is told.
#[cfg(feature = "hydrate")]
fn retry(load: impl Fn() + Copy + 'static) {
    let online = window_event_listener(leptos::ev::online, move |_| load());
    let timer = set_timeout_with_handle(load, RETRY_AFTER).ok();
    on_cleanup(move || {
        online.remove();
        if let Some(timer) = timer {
            timer.clear();
        }
    });
}

#[component]
fn Opened(opened: OpenedRoom, query: RoomQuery) -> impl IntoView {
    let (room, readers) = (opened.room.clone(), opened.readers.clone());
    let first_roster = opened.roster.clone();
    #[cfg(feature = "hydrate")]
    let signals = expect_context::<Store>().enter(opened).map(|visit| {
        provide_context(visit);
        visit.signals
    });
    #[cfg(not(feature = "hydrate"))]
    let signals = opened.window.map(|window| RoomSignals::new(opened.me, opened.roster, window));
    // Signals of a room outlive this page, except where there is nothing to follow.
    let roster = signals.map_or_else(|| RwSignal::new(first_roster), |signals| signals.roster);
    provide_context(roster);
    let words = live_words(&room);
    // The server writes the title last, when the signals of the page are gone.
    let name = room.name.clone();
    let title = move || words.try_with(|(name, _)| name.clone()).unwrap_or_else(|| name.clone());
    view! {
        <PageTitle text=title/>
        <main id="main" class="stage">
            <Conversation room=room.clone() signals readers query/>
            <Details room roster/>
        </main>
    }
    .erased()
}

/// The room's name and description. The list of rooms learns of new ones.
fn live_words(room: &Room) -> Memo<(String, String)> {
    let RoomsContext(rooms) = expect_context();
    let (id, words) = (room.id, (room.name.clone(), room.description.clone()));
    let words = Memo::new(move |_| {
        rooms.with(|rooms| match rooms.find(id) {
            Some(known) => (known.name.clone(), known.description.clone()),
            None => words.clone(),
        })
    });
    provide_context(LiveWords(words));
    words
}

/// The room's name and description now, provided as context.
#[derive(Clone, Copy)]
struct LiveWords(Memo<(String, String)>);

impl LiveWords {
    /// The name, for a view. One type of closure for all, which is less wasm.
    fn name(self) -> impl Fn() -> String + Copy + Send + Sync + 'static {
        move || self.0.with(|(name, _)| name.clone())
    }
}

/// A room that does not exist or that the user may not see; the page does not tell which.
#[component]
fn RoomUnavailable(code: Code) -> impl IntoView {
    answer_with(code);
    let is_missing = code == Code::NotFound;
    let text =
        if is_missing { t!(room.missing).to_owned() } else { error_message(locale(), &Failure::new(code)) };
    view! {
        <PageTitle text=t!(room.missing)/>
        <main id="main" class="pane pane-main">
            <div class="blank">
                <h1>{text}</h1>
                <PageNoticeView/>
                {is_missing.then(|| view! { <p>{t!(room.missing_lead)}</p> })}
                <a class="button" href="/rooms">
                    {t!(room.back)}
                </a>
            </div>
        </main>
    }
    .erased()
}
