//! `/rooms` and below: the frame with the list of rooms; the nested route is shown beside it.

#[cfg(feature = "hydrate")]
use chat::model::{RoomId, UserId};
use leptos::prelude::*;

use super::{
    PageTitle,
    load_error::LoadError,
    redirect::Redirect,
    room::{COMPOSER, RoomPage},
    room_list::RoomList,
    title::TitlePrefix,
};
use crate::{
    error::AppError,
    i18n::t,
    live::PageStatus,
    navigation::{CurrentLocation, ROOMS},
    server::{
        resource::{JsonResource, json_resource},
        rooms::list_rooms,
        session::{SessionInfo, read_session, sign_in_path},
    },
    state::rooms,
    ui::{
        erased::{ErasedView, IntoErased},
        logo::Logo,
    },
};

#[cfg(feature = "hydrate")]
use crate::{
    browser::{document, storage},
    state::draft::{Draft, drafts_of},
};

#[cfg(feature = "hydrate")]
mod notifications;
mod page_status;

use page_status::{Outdated, SessionEnded};

/// The list of rooms, provided as context.
#[derive(Clone, Copy)]
pub struct RoomsContext(pub RwSignal<rooms::Rooms>);

/// Whether another room was opened since the page was loaded. Provided as context.
#[cfg(feature = "hydrate")]
#[derive(Clone, Copy)]
pub struct HasNavigated(pub StoredValue<bool>);

/// The list as it was loaded with the page.
#[derive(Clone, Copy)]
struct InitialRooms(JsonResource<Result<rooms::Rooms, AppError>>);

/// The live pages: `/rooms`, and a room. On the server in an element of its own, whose content the browser hydrates.
#[component]
pub fn LiveRooms() -> impl IntoView {
    let pages = view! { <Frame pane=live_pane/> };
    #[cfg(feature = "ssr")]
    return view! { <div id=LIVE>{pages}</div> }.erased();
    #[cfg(not(feature = "ssr"))]
    pages.erased()
}

/// Id of the element that is hydrated.
pub const LIVE: &str = "live";

fn live_pane() -> ErasedView {
    let CurrentLocation(location) = expect_context();
    let is_list = Memo::new(move |_| location.with(|location| location.path == ROOMS));
    let pane =
        move || if is_list.get() { view! { <NoRoom/> }.erased() } else { view! { <RoomPage/> }.erased() };
    pane.erased()
}

/// The other pages beside the list of rooms.
#[cfg(feature = "ssr")]
#[component]
pub fn StillRooms() -> impl IntoView {
    view! { <Frame pane=|| view! { <leptos_router::components::Outlet/> }.erased()/> }
}

/// The list of rooms with a page beside it.
#[component]
fn Frame(
    /// Renders the page, once the contexts are provided.
    pane: fn() -> ErasedView,
) -> impl IntoView {
    let notice = PageNotice::provide();
    let session = json_resource(|| (), |()| read_session());
    let rooms = json_resource(|| (), |()| list_rooms());
    // Reference-counted: on the server the title is rendered last, when the owner of the page's signals may be gone.
    let all = ArcRwSignal::new(rooms::Rooms::default());
    let context = RoomsContext(RwSignal::from(all.clone()));
    provide_context(context);
    provide_context(InitialRooms(rooms));
    let status = PageStatus::provide();
    #[cfg(feature = "hydrate")]
    let store = {
        follow_navigation();
        notifications::provide_store(context, status)
    };
    #[cfg(not(feature = "hydrate"))]
    let _ = status;
    TitlePrefix::provide(ArcMemo::new(move |_| all.with(|all| unread_mark(all.unread()))));
    let page = pane();
    view! {
        // `rel="external"`: the browser handles the link and moves the focus, which the router would not.
        <a class="skip wide-only" href="#main" rel="external">
            {t!(skip)}
        </a>
        <a class="skip skip-to-composer wide-only" href=format!("#{COMPOSER}") rel="external">
            {t!(skip_to_composer)}
        </a>
        <div class="shell" data-pane=shown_pane()>
            <div class="pane pane-list">
                <Suspense>
                    {move || Suspend::new(async move {
                        match (session.await, rooms.await) {
                            (Ok(SessionInfo { user: Some(user), notice: text }), Ok(rooms)) => {
                                context.0.update(|known| known.replace(rooms));
                                notice.text.set(text);
                                #[cfg(feature = "hydrate")]
                                {
                                    load_drafts(context, user.id);
                                    store.set_user(&user);
                                }
                                view! { <RoomList me=user rooms=context/> }.erased()
                            }
                            (Ok(SessionInfo { user: None, .. }), _) => view! { <RedirectToSignIn/> }.erased(),
                            (Err(AppError(failure)), _) | (_, Err(AppError(failure))) => {
                                view! { <LoadError failure/> }.erased()
                            }
                        }
                    })}
                </Suspense>
            </div>
            {page}
        </div>
        <SessionEnded/>
        <Outdated/>
    }
    .erased()
}

/// Keeps the open room in view in the list.
#[cfg(feature = "hydrate")]
fn follow_navigation() {
    let has_navigated = HasNavigated(StoredValue::new(false));
    provide_context(has_navigated);
    let CurrentLocation(location) = expect_context();
    Effect::new(move |path: Option<String>| {
        let now = location.with(|location| location.path.clone());
        if path.is_some_and(|path| path != now) {
            has_navigated.0.set_value(true);
            // After the link has got its mark.
            request_animation_frame(document::reveal_open_room);
        }
        now
    });
}

/// Reads the drafts of this user, except that of the open room, once the page is hydrated.
#[cfg(feature = "hydrate")]
fn load_drafts(context: RoomsContext, user: UserId) {
    let location: CurrentLocation = expect_context();
    Effect::new(move |_| {
        let open = location.open_room();
        let found = storage::with_prefix(&drafts_of(user)).into_iter();
        let drafts = found.filter_map(|(room, entry)| {
            Some((RoomId(room.parse().ok()?), Draft::from_entry(&entry).shown().to_owned()))
        });
        let drafts = drafts.filter(|(room, _)| Some(*room) != open).collect();
        context.0.update(|rooms| rooms.drafts = drafts);
    });
}

/// The unread count as prefix of the page's title: `(3) 发布`.
fn unread_mark(unread: i64) -> String {
    match unread {
        ..=0 => String::new(),
        1..=99 => format!("({unread}) "),
        _ => "(99+) ".to_owned(),
    }
}

/// The pane that is visible where there is room for only one.
fn shown_pane() -> impl Fn() -> &'static str + Send + Sync + 'static {
    let CurrentLocation(location) = expect_context();
    move || {
        location.with(|location| match location.parameter("panel") {
            _ if location.path.trim_end_matches('/') == ROOMS => "list",
            Some("details") => "details",
            _ => "main",
        })
    }
}

/// Redirects to the sign-in page, which leads back here.
#[component]
fn RedirectToSignIn() -> impl IntoView {
    let CurrentLocation(location) = expect_context();
    view! { <Redirect path=sign_in_path(&location.read_untracked().to_path())/> }.erased()
}

/// `/rooms`: no room is open.
#[component]
pub fn NoRoom() -> impl IntoView {
    let (RoomsContext(rooms), InitialRooms(first)) = (expect_context(), expect_context());
    let (choose, none) = (t!(rooms.choose), t!(rooms.none_at_all));
    let is_empty = move || rooms.with(|rooms| rooms.list.is_empty());
    view! {
        <PageTitle text=t!(rooms.title)/>
        <main id="main" class="pane pane-main">
            <h1 class="unseen">{t!(rooms.title)}</h1>
            <div class="blank wide-only">
                <Logo/>
                <PageNoticeView/>
                <p>
                    // Wait for the list, which is empty until it has loaded.
                    <Suspense>
                        {move || Suspend::new(async move {
                            let had_none = first.await.is_ok_and(|rooms| rooms.list.is_empty());
                            move || if had_none && is_empty() { none } else { choose }
                        })}
                    </Suspense>
                </p>
                <p class="blank-choices">
                    <a class="button" href="/rooms/browse" rel="external">
                        {t!(rooms.browse)}
                    </a>
                    <a class="button" href="/rooms/new" rel="external">
                        {t!(rooms.new)}
                    </a>
                </p>
            </div>
        </main>
    }
    .erased()
}

/// The error of the form submitted before this page, or the reason why the page changed. Shown until the next
/// navigation.
#[derive(Clone, Copy)]
pub struct PageNotice {
    text: RwSignal<Option<String>>,
}

impl PageNotice {
    fn provide() -> Self {
        let notice = Self { text: RwSignal::new(None) };
        let CurrentLocation(location) = expect_context();
        Effect::new(move |first: Option<String>| {
            let path = location.with(|location| location.path.clone());
            let first = first.unwrap_or_else(|| path.clone());
            if first != path {
                notice.text.set(None);
            }
            first
        });
        provide_context(notice);
        notice
    }

    /// Shows a notice on the current page.
    #[cfg(feature = "hydrate")]
    pub fn show(self, text: String) {
        self.text.set(Some(text));
    }
}

#[component]
pub fn PageNoticeView() -> impl IntoView {
    let PageNotice { text } = expect_context();
    move || text.get().map(|text| view! { <p class="notice notice-alert" role="alert">{text}</p> })
}
