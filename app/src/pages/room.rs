//! `/rooms/:id`: a room. `conversation` connects the parts in `room/` to the state and the socket.

use chat::model::{Code, Failure, MessageId, Room, RoomId};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    PageTitle, answer_with,
    load_error::LoadError,
    rooms::{PageNoticeView, RoomsContext, needs_sign_in},
};
use crate::{
    error::{AppError, error_message},
    i18n::t,
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

/// Loads the page's data again.
#[cfg(feature = "hydrate")]
#[derive(Clone, Copy)]
struct RefetchRoom(Callback<()>);

#[component]
pub fn RoomPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let wanted = move || {
        let id = params.read().get("id").and_then(|id| id.parse().ok()).and_then(RoomId::checked);
        let query = query.read();
        let message = |name: &str| query.get(name)?.parse().ok().and_then(MessageId::checked);
        let asks_readers = query.get("do").as_deref() == Some("readers");
        (id, message("before"), message("after"), message("message"), asks_readers)
    };
    let opened = json_resource(wanted, |(id, before, after, around, asks_readers)| async move {
        match id {
            Some(id) => open_room(id, before, after, around, asks_readers).await,
            None => Ok(Err(Code::NotFound)),
        }
    });
    #[cfg(feature = "hydrate")]
    provide_context(RefetchRoom(Callback::new(move |()| opened.refetch())));
    let room_query = move || {
        let query = query.read_untracked();
        let message = query.get("message").and_then(|id| id.parse().ok()).and_then(MessageId::checked);
        RoomQuery { message, mode: ComposerMode::from_query(message, query.get("do").as_deref()) }
    };
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match opened.await {
                    Ok(Ok(opened)) => view! { <Opened opened query=room_query()/> }.erased(),
                    Ok(Err(code)) => view! { <RoomUnavailable code/> }.erased(),
                    // `Rooms` redirects to the sign-in page.
                    Err(AppError(failure)) if needs_sign_in(failure.code) => {
                        view! { <main id="main" class="pane pane-main"></main> }.erased()
                    }
                    Err(AppError(failure)) => {
                        view! {
                            <main id="main" class="pane pane-main">
                                <LoadError failure/>
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

#[component]
fn Opened(opened: OpenedRoom, query: RoomQuery) -> impl IntoView {
    let room = opened.room.clone();
    let roster = RwSignal::new(opened.roster.clone());
    // The controller applies presence and membership changes to it.
    provide_context(roster);
    let words = live_words(&room);
    // The server writes the title last, when the signals of the page are gone.
    let name = room.name.clone();
    let title = move || words.try_with(|(name, _)| name.clone()).unwrap_or_else(|| name.clone());
    view! {
        <PageTitle text=title/>
        <main id="main" class="stage">
            <Conversation opened query/>
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
