//! `/api/register/` and `/api/me/`.

use axum::{Json, extract::State, http::StatusCode};
use chat::{Chat, model::User};
use utoipa::ToSchema;

use super::{TAG_ACCOUNT, fields::Fields};
use crate::{
    auth::{AnyUser, Auth},
    error::ApiError,
    middleware::client::ClientAddr,
};

/// The account to create.
#[derive(ToSchema)]
pub(super) struct NewAccount {
    /// Unique. Letters and digits of any script and `@ . + - _`.
    username: String,
    /// At least 8 characters; not only digits, not a common password and not similar to the username.
    password: String,
    /// Given name.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
}

/// Create an account
///
/// An error lists every invalid field. Sign in afterwards with `POST /api/token/`.
#[utoipa::path(
    post,
    path = "/api/register/",
    operation_id = "register",
    tag = TAG_ACCOUNT,
    request_body = NewAccount,
    responses((status = 201, body = User, description = "The account was created.")),
    extensions(("x-errors" = json!(["sign_up_closed", "throttled"]))),
    security(())
)]
pub async fn register(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    from: ClientAddr,
    mut body: Fields,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let new = NewAccount {
        username: body.text("username"),
        password: body.text("password"),
        first_name: body.optional_text("first_name"),
        last_name: body.optional_text("last_name"),
    };
    body.finish()?;
    let new = app::server::NewAccount {
        username: new.username,
        password: new.password,
        first_name: new.first_name.unwrap_or_default(),
        last_name: new.last_name.unwrap_or_default(),
    };
    let user = auth.sign_up(&chat, &new, from).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// Get my account
///
/// The account that the token belongs to, even if it may not chat.
#[utoipa::path(
    get,
    path = "/api/me/",
    operation_id = "me",
    tag = TAG_ACCOUNT,
    responses((status = 200, body = User, description = "The account."))
)]
pub async fn me(AnyUser(user): AnyUser) -> Json<User> {
    Json(user)
}
