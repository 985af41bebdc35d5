//! `/rooms/browse`: search the public rooms and join them.

use chat::model::{Room, limits::ROOM_NAME_MAX};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{PageTitle, load_error::LoadError, room_list::members};
use crate::{
    i18n::t,
    preferences::locale,
    server::{
        escaped,
        rooms::{JoinRoom, PublicRooms, public_rooms, room_path},
    },
    ui::{
        avatar::{Avatar, Shape},
        page::Page,
        search::SearchForm,
    },
};

#[component]
pub fn Browse() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let search = query.get("search").unwrap_or_default();
    let page = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    view! {
        <PageTitle text=t!(browse.title)/>
        <Page title=t!(browse.title) back="/rooms">
            <p class="lead">{t!(browse.lead)}</p>
            <SearchForm action="/rooms/browse" value=search.clone() label=t!(browse.search) max=ROOM_NAME_MAX/>
            <Suspense>
                {move || {
                    let search = search.clone();
                    Suspend::new(async move {
                        match public_rooms(&search, page).await {
                            Ok(results) => view! { <RoomResults results search/> }.into_any(),
                            Err(error) => view! { <LoadError failure=error.0/> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </Page>
    }
    .into_any()
}

#[component]
fn RoomResults(results: PublicRooms, search: String) -> impl IntoView {
    let PublicRooms { rooms, page, has_more } = results;
    let address = move |page: i64| format!("/rooms/browse?search={}&page={page}", escaped(&search));
    if rooms.is_empty() {
        return view! { <p class="page-none">{t!(browse.none)}</p> }.into_any();
    }
    view! {
        <ul class="cards">{rooms.into_iter().map(|room| view! { <Card room/> }).collect_view()}</ul>
        <nav class="page-turn" aria-label=t!(browse.pages)>
            {(page > 1)
                .then(|| {
                    view! {
                        <a class="button button-small" rel="prev" href=address(page - 1)>
                            {t!(browse.previous)}
                        </a>
                    }
                })}
            {has_more
                .then(|| {
                    view! {
                        <a class="button button-small" rel="next" href=address(page + 1)>
                            {t!(browse.next)}
                        </a>
                    }
                })}
        </nav>
    }
    .into_any()
}

#[component]
fn Card(room: Room) -> impl IntoView {
    let (id, name) = (room.id, room.name);
    let (label, open_label) = (format!("{} {name}", t!(room.join)), format!("{} {name}", t!(browse.open)));
    view! {
        <li class="card" data-testid="public-room">
            <Avatar name=name.clone() id=id.0 shape=Shape::Room/>
            <div class="card-words">
                <h2>
                    <a href=room_path(id)>{name}</a>
                </h2>
                {(!room.description.is_empty()).then(|| view! { <p>{room.description}</p> })}
                <p class="card-note">{members(locale(), room.member_count)}</p>
            </div>
            {match () {
                () if room.is_member => {
                    view! {
                        <a class="button button-small button-line" href=room_path(id) aria-label=open_label>
                            {t!(browse.open)}
                        </a>
                    }
                        .into_any()
                }
                () if room.member_count >= room.max_members => {
                    view! { <span class="tag">{t!(browse.full)}</span> }.into_any()
                }
                () => {
                    view! {
                        <form method="post" action=JoinRoom::url()>
                            <input type="hidden" name="room" value=id.to_string()/>
                            <button type="submit" class="button button-small button-line" aria-label=label>
                                {t!(browse.join)}
                            </button>
                        </form>
                    }
                        .into_any()
                }
            }}
        </li>
    }
    .into_any()
}
