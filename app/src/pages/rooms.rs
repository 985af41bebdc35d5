//! `/rooms` and below: the frame with the list of rooms; the nested route is shown beside it.

#[cfg(feature = "hydrate")]
use chat::model::UserId;
use chat::model::{Code, RoomId};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_query_map},
};

use super::{
    PageTitle, load_error::LoadError, redirect::Redirect, room::COMPOSER, room_list::RoomList,
    title::BeforeTitle,
};
use crate::{
    error::AppError,
    i18n::t,
    server::{
        resource::{JsonResource, json_resource},
        rooms::list_rooms,
        session::{SessionInfo, read_session, sign_in_path},
    },
    state::rooms,
    ui::{erased::IntoErased, logo::Logo},
};

#[cfg(feature = "hydrate")]
use crate::{
    browser::{document, storage},
    state::draft::drafts_of,
};

#[cfg(feature = "hydrate")]
mod notifications;

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

#[component]
pub fn Rooms() -> impl IntoView {
    let notice = PageNotice::provide();
    let session = json_resource(|| (), |()| read_session());
    let rooms = json_resource(|| (), |()| list_rooms());
    // Reference-counted: on the server the title is rendered last, when the owner of the page's signals may be gone.
    let all = ArcRwSignal::new(rooms::Rooms::default());
    let context = RoomsContext(RwSignal::from(all.clone()));
    provide_context(context);
    provide_context(InitialRooms(rooms));
    #[cfg(feature = "hydrate")]
    {
        notifications::listen(context);
        follow_navigation();
    }
    let pane = pane();
    let unread = ArcMemo::new(move |_| all.with(rooms::Rooms::unread));
    view! {
        <BeforeTitle prefix=move || unread_mark(unread.get())/>
        // `rel="external"`: the browser handles the link and moves the focus, which the router would not.
        <a class="skip wide-only" href="#main" rel="external">
            {t!(skip)}
        </a>
        <a class="skip skip-to-composer wide-only" href=format!("#{COMPOSER}") rel="external">
            {t!(skip_to_composer)}
        </a>
        <div class="shell" data-pane=pane>
            <div class="pane pane-list">
                <Suspense>
                    {move || Suspend::new(async move {
                        match (session.await, rooms.await) {
                            (Ok(SessionInfo { user: Some(user), notice: text }), Ok(rooms)) => {
                                context.0.set(rooms);
                                notice.text.set(text);
                                #[cfg(feature = "hydrate")]
                                load_drafts(context, user.id);
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
            <Outlet/>
        </div>
    }
    .erased()
}

/// Keeps the open room in view in the list.
#[cfg(feature = "hydrate")]
fn follow_navigation() {
    let has_navigated = HasNavigated(StoredValue::new(false));
    provide_context(has_navigated);
    let pathname = use_location().pathname;
    Effect::new(move |path: Option<String>| {
        let now = pathname.get();
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
    let pathname = use_location().pathname;
    Effect::new(move |_| {
        let open = room_id_in_path(&pathname.get_untracked());
        let found = storage::with_prefix(&drafts_of(user)).into_iter();
        let drafts = found.filter_map(|(room, text)| Some((RoomId(room.parse().ok()?), text)));
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

#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser hears of other rooms"))]
pub(super) fn room_id_in_path(path: &str) -> Option<RoomId> {
    path.strip_prefix("/rooms/")?.parse().ok().and_then(RoomId::checked)
}

/// The pane that is visible where there is room for only one.
fn pane() -> impl Fn() -> &'static str + Send + Sync + 'static {
    let (location, query) = (use_location(), use_query_map());
    move || {
        let path = location.pathname.get();
        if path.trim_end_matches('/') == "/rooms" {
            "list"
        } else if query.read().get("panel").as_deref() == Some("details") {
            "details"
        } else {
            "main"
        }
    }
}

/// Redirects to the sign-in page, which leads back here.
#[component]
fn RedirectToSignIn() -> impl IntoView {
    let location = use_location();
    let wanted = format!(
        "{}{}",
        location.pathname.get_untracked(),
        match location.search.get_untracked() {
            search if search.is_empty() => search,
            search => format!("?{search}"),
        }
    );
    view! { <Redirect path=sign_in_path(&wanted)/> }.erased()
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
        let pathname = use_location().pathname;
        Effect::new(move |first: Option<String>| {
            let path = pathname.get();
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

/// Whether the error means that nobody is signed in.
pub(super) fn needs_sign_in(code: Code) -> bool {
    matches!(code, Code::NotAuthenticated | Code::UserInactive | Code::UserNotFound)
}
