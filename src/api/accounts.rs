//! `/api/register/` and `/api/me/`.

use axum::{Json, extract::State, http::StatusCode};
use chat::{Chat, model::User};

use super::body::Fields;
use crate::{auth::SignedIn, error::ApiError};

/// `POST /api/register/`: 201; 403 where sign-up is closed.
pub async fn register(
    State(chat): State<Chat>,
    mut body: Fields,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let username = body.text("username");
    let password = body.text("password");
    let first_name = body.optional_text("first_name").unwrap_or_default();
    let last_name = body.optional_text("last_name").unwrap_or_default();
    body.finish()?;
    let user = chat.register(&username, &password, &first_name, &last_name).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// `GET /api/me/`, also for somebody who may not chat here.
pub async fn me(SignedIn(user): SignedIn) -> Json<User> {
    Json(user)
}
