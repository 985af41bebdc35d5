//! `/rooms/:id/settings`: the settings of a room, for its admins.

use chat::model::{
    Room, RoomId,
    limits::{ROOM_DESCRIPTION_MAX, ROOM_MEMBERS_MAX, ROOM_MEMBERS_MIN, ROOM_NAME_MAX},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

use super::{PageTitle, load_error::LoadError};
use crate::{
    i18n::t,
    server::{
        forms::{Form, FormError, take_form_error},
        room_settings::{DeleteRoom, EditRoom, manageable_room},
        rooms::room_path,
    },
    ui::{
        field::{AreaField, FormFailure, NumberField, TextField, field_error},
        page::Page,
    },
};

#[component]
pub fn RoomSettings() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id");
    let id = id.and_then(|id| id.parse().ok()).and_then(RoomId::checked).unwrap_or_default();
    let form_error = take_form_error().filter(|form_error| form_error.form == Form::RoomSettings);
    view! {
        <PageTitle text=t!(room_settings.title)/>
        <Suspense>
            {move || {
                let form_error = form_error.clone();
                Suspend::new(async move {
                    match manageable_room(id).await {
                        Ok(room) => view! { <Settings room form_error/> }.into_any(),
                        Err(error) => {
                            view! {
                                <main id="main" class="pane pane-main">
                                    <LoadError failure=error.0/>
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
fn Settings(room: Room, form_error: Option<FormError>) -> impl IntoView {
    let typed = |field: &str, stored: String| {
        form_error.as_ref().and_then(|form_error| form_error.typed.get(field).cloned()).unwrap_or(stored)
    };
    let (name, description) = (typed("name", room.name.clone()), typed("description", room.description));
    let max_members = typed("max_members", room.max_members.to_string());
    let failure = form_error.as_ref().map(|form_error| form_error.failure.clone());
    let [name_error, description_error, max_members_error] =
        ["name", "description", "max_members"].map(|field| field_error(failure.as_ref(), field));
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
                        error=name_error
                        autocomplete="off"
                        max=ROOM_NAME_MAX
                        required=true
                    />
                    <AreaField
                        name="description"
                        label=t!(new_room.description)
                        value=description
                        error=description_error
                        max=ROOM_DESCRIPTION_MAX
                    />
                    <NumberField
                        name="max_members"
                        label=t!(room_settings.max_members)
                        value=max_members
                        error=max_members_error
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
                        <div class="confirm-choices">
                            <button type="submit" class="button button-alert">
                                {t!(room_settings.delete_yes)}
                            </button>
                            <a class="button button-line" href="" rel="external" data-dismiss="">
                                {t!(banner.cancel)}
                            </a>
                        </div>
                    </form>
                </details>
            </section>
        </Page>
    }
    .into_any()
}
