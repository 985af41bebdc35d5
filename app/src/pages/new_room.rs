//! `/rooms/new`.

use chat::model::{
    RoomType,
    limits::{ROOM_DESCRIPTION_MAX, ROOM_NAME_MAX},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::PageTitle;
use crate::{
    i18n::t,
    server::{
        forms::{Form, FormError, take_form_error},
        rooms::CreateRoom,
    },
    ui::{
        field::{FormFailure, TextField, field_error},
        icon::{Icon, IconSvg},
    },
};

#[component]
pub fn NewRoom() -> impl IntoView {
    let form_error = take_form_error().filter(|form_error| form_error.form == Form::NewRoom);
    view! {
        <PageTitle text=t!(new_room.title)/>
        <main id="main" class="pane pane-main">
            <div class="sheet">
                <p class="phone-only sheet-back">
                    <a class="button button-icon" href="/rooms" aria-label=t!(new_room.back)>
                        <IconSvg icon=Icon::Back/>
                    </a>
                </p>
                <h1>{t!(new_room.title)}</h1>
                <p class="lead">{t!(new_room.lead)}</p>
                <RoomForm form_error/>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn RoomForm(form_error: Option<FormError>) -> impl IntoView {
    let typed = |field: &str| {
        form_error.as_ref().and_then(|form_error| form_error.typed.get(field).cloned()).unwrap_or_default()
    };
    let (name, description, kind) = (typed("name"), typed("description"), typed("room_type"));
    let kind = RoomType::parse(&kind).unwrap_or(RoomType::Public);
    let failure = form_error.map(|form_error| form_error.failure);
    view! {
        <FormFailure failure=failure.clone()/>
        <form method="post" action=CreateRoom::url()>
            <TextField
                name="name"
                label=t!(new_room.name)
                value=name
                error=field_error(failure.as_ref(), "name")
                autocomplete="off"
                max=ROOM_NAME_MAX
                required=true
                autofocus=true
            />
            <TextField
                name="description"
                label=t!(new_room.description)
                value=description
                error=field_error(failure.as_ref(), "description")
                autocomplete="off"
                max=ROOM_DESCRIPTION_MAX
                optional=true
            />
            <fieldset class="choices">
                <legend>{t!(new_room.kind)}</legend>
                <label class="choice">
                    <input type="radio" name="room_type" value="public" checked=kind == RoomType::Public/>
                    <strong>{t!(new_room.public)}</strong>
                    <span>{t!(new_room.public_hint)}</span>
                </label>
                <label class="choice">
                    <input type="radio" name="room_type" value="private" checked=kind != RoomType::Public/>
                    <strong>{t!(new_room.private)}</strong>
                    <span>{t!(new_room.private_hint)}</span>
                </label>
            </fieldset>
            <button type="submit" class="button button-loud">
                {t!(new_room.submit)}
            </button>
        </form>
    }
    .into_any()
}
