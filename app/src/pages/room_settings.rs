//! `/rooms/:id/settings`: what an admin decides about a room.

use chat::model::{
    Room, RoomId,
    limits::{ROOM_DESCRIPTION_MAX, ROOM_MEMBERS_MAX, ROOM_MEMBERS_MIN, ROOM_NAME_MAX},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

use super::{PageTitle, failed::Failed};
use crate::{
    i18n::t,
    server::{
        forms::{Form, Refusal, take_refusal},
        room_settings::{DeleteRoom, EditRoom, governed},
        rooms::room_path,
    },
    ui::{
        field::{AreaField, FormFailure, NumberField, TextField, problem_of},
        page::Page,
    },
};

/// See the module.
#[component]
pub fn RoomSettings() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id");
    let id = id.and_then(|id| id.parse().ok()).and_then(RoomId::checked).unwrap_or_default();
    let refusal = take_refusal().filter(|refusal| refusal.form == Form::RoomSettings);
    view! {
        <PageTitle text=t!(room_settings.title)/>
        <Suspense>
            {move || {
                let refusal = refusal.clone();
                Suspend::new(async move {
                    match governed(id).await {
                        Ok(room) => view! { <Settings room refusal/> }.into_any(),
                        Err(error) => {
                            view! {
                                <main id="main" class="pane pane-main">
                                    <Failed failure=error.0/>
                                </main>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Settings(room: Room, refusal: Option<Refusal>) -> impl IntoView {
    let typed = |field: &str, stored: String| {
        refusal.as_ref().and_then(|refusal| refusal.typed.get(field).cloned()).unwrap_or(stored)
    };
    let (name, description) = (typed("name", room.name.clone()), typed("description", room.description));
    let places = typed("max_members", room.max_members.to_string());
    let failure = refusal.as_ref().map(|refusal| refusal.failure.clone());
    let [name_problem, description_problem, places_problem] =
        ["name", "description", "max_members"].map(|field| problem_of(failure.as_ref(), field));
    let id = room.id.to_string();
    view! {
        <Page title=t!(room_settings.title) over=room.name.clone() back=room_path(room.id)>
            <section class="block">
                <FormFailure failure/>
                <form method="post" action=EditRoom::url()>
                    <input type="hidden" name="room" value=id.clone()/>
                    <TextField
                        name="name"
                        label=t!(new_room.name)
                        value=name
                        problem=name_problem
                        autocomplete="off"
                        max=ROOM_NAME_MAX
                        required=true
                    />
                    <AreaField
                        name="description"
                        label=t!(new_room.description)
                        value=description
                        problem=description_problem
                        max=ROOM_DESCRIPTION_MAX
                    />
                    <NumberField
                        name="max_members"
                        label=t!(room_settings.places)
                        value=places
                        problem=places_problem
                        min=room.member_count.max(ROOM_MEMBERS_MIN)
                        max=ROOM_MEMBERS_MAX
                    />
                    <button type="submit" class="button button-loud">
                        {t!(page.save)}
                    </button>
                </form>
            </section>
            <section class="block block-alert">
                <h2>{t!(room_settings.delete)}</h2>
                <p>{t!(room_settings.delete_lead)}</p>
                <details class="confirm">
                    <summary class="button button-small button-line">{t!(room_settings.delete)}</summary>
                    <form method="post" action=DeleteRoom::url()>
                        <input type="hidden" name="room" value=id/>
                        <p>{t!(room_settings.delete_sure, name = room.name)}</p>
                        <button type="submit" class="button button-alert">
                            {t!(room_settings.delete_yes)}
                        </button>
                    </form>
                </details>
            </section>
        </Page>
    }
    .into_any()
}
