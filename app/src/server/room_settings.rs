//! Settings of a room.

use chat::model::RoomId;
use leptos::prelude::*;

use crate::error::AppError;

/// Changes name, description and member limit of a room.
#[server(prefix = "/ui", endpoint = "edit_room")]
pub async fn edit_room(
    room: RoomId,
    #[server(default)] name: String,
    #[server(default)] description: String,
    /// As typed, so that an invalid number is a field's error.
    #[server(default)]
    max_members: String,
) -> Result<(), AppError> {
    let result = handler::edit(room, &name, &description, &max_members).await;
    super::forms::answer(
        result.map(|()| super::rooms::room_path(room)),
        super::forms::Form::RoomSettings,
        &settings_path(room),
        [("name", &name), ("description", &description), ("max_members", &max_members)],
    )
}

/// Deletes a room: nobody can join or write any more.
#[server(prefix = "/ui", endpoint = "delete_room")]
pub async fn delete_room(room: RoomId) -> Result<(), AppError> {
    let result = handler::delete(room).await.map(|()| "/rooms".to_owned());
    super::forms::answer(result, super::forms::Form::RoomSettings, &settings_path(room), [])
}

/// The path of the settings page.
pub fn settings_path(room: RoomId) -> String {
    format!("/rooms/{room}/settings")
}

#[cfg(feature = "ssr")]
pub use handler::manageable_room;

#[cfg(feature = "ssr")]
mod handler {
    use chat::{
        model::{Code, Failure, FieldError, Problem, Room, RoomId, RoomPatch},
        service::roster::RosterQuery,
    };

    use crate::{
        error::AppError,
        server::{
            identity::{context, require_user},
            request,
        },
    };

    /// The room, if the user may manage it.
    pub async fn manageable_room(room: RoomId) -> Result<Room, AppError> {
        let read = async {
            let query = RosterQuery::default();
            let found = context()?.chat.roster(&require_user().await?, room, &query).await?;
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
        let Ok(limit) = max_members.trim().parse() else {
            let problem = FieldError::new("max_members", Problem::WrongType);
            return Err(AppError(Failure { fields: vec![problem], ..Failure::new(Code::Invalid) }));
        };
        let patch = RoomPatch {
            name: Some(name.trim().to_owned()),
            // Forms send line breaks as CR LF.
            description: Some(description.replace("\r\n", "\n")),
            max_members: Some(limit),
        };
        context()?.chat.edit_room(&require_user().await?, room, patch).await?;
        Ok(())
    }

    pub(super) async fn delete(room: RoomId) -> Result<(), AppError> {
        Ok(context()?.chat.delete_room(&require_user().await?, room).await?)
    }
}
