//! What an admin decides about a room.

use chat::model::RoomId;
use leptos::prelude::*;

use crate::error::AppError;

/// Changes what a room is called, says of itself and takes.
#[server(prefix = "/ui", endpoint = "edit_room")]
pub async fn edit_room(
    /// Which.
    room: RoomId,
    /// Its name.
    #[server(default)]
    name: String,
    /// What it is for.
    #[server(default)]
    description: String,
    /// How many fit, as it was typed.
    #[server(default)]
    max_members: String,
) -> Result<(), AppError> {
    let result = door::edit(room, &name, &description, &max_members).await;
    super::forms::answer(
        result.map(|()| super::rooms::room_path(room)),
        super::forms::Form::RoomSettings,
        &settings_path(room),
        [("name", &name), ("description", &description), ("max_members", &max_members)],
    )
}

/// Deletes a room: nobody may come in or write from now on.
#[server(prefix = "/ui", endpoint = "delete_room")]
pub async fn delete_room(
    /// Which.
    room: RoomId,
) -> Result<(), AppError> {
    let result = door::delete(room).await.map(|()| "/rooms".to_owned());
    super::forms::answer(result, super::forms::Form::RoomSettings, &settings_path(room), [])
}

/// The page of a room's settings.
pub fn settings_path(room: RoomId) -> String {
    format!("/rooms/{room}/settings")
}

#[cfg(feature = "ssr")]
pub use door::governed;

#[cfg(feature = "ssr")]
mod door {
    use chat::{
        model::{Code, Failure, FieldError, Problem, Room, RoomId, RoomPatch},
        service::roster::RosterQuery,
    };

    use crate::{
        error::AppError,
        server::{
            identity::{context, signed_in},
            request,
        },
    };

    /// The room, for whoever may govern it.
    pub async fn governed(room: RoomId) -> Result<Room, AppError> {
        let read = async {
            let query = RosterQuery::default();
            let found = context()?.chat.roster(&signed_in().await?, room, &query).await?;
            if found.powers.manage_room {
                Ok(found.room)
            } else {
                Err(AppError::from(Code::PermissionDenied))
            }
        };
        read.await.inspect_err(|error| request::set_status(error.0.code))
    }

    pub(super) async fn edit(
        room: RoomId,
        name: &str,
        description: &str,
        max_members: &str,
    ) -> Result<(), AppError> {
        let Ok(places) = max_members.trim().parse() else {
            let problem = FieldError::new("max_members", Problem::WrongType);
            return Err(AppError(Failure { fields: vec![problem], ..Failure::new(Code::Invalid) }));
        };
        let patch = RoomPatch {
            name: Some(name.trim().to_owned()),
            // Forms end their lines with CR LF.
            description: Some(description.replace("\r\n", "\n")),
            max_members: Some(places),
        };
        context()?.chat.edit_room(&signed_in().await?, room, patch).await?;
        Ok(())
    }

    pub(super) async fn delete(room: RoomId) -> Result<(), AppError> {
        Ok(context()?.chat.delete_room(&signed_in().await?, room).await?)
    }
}
