//! `/api/register/` and `/api/me/`.

use axum::{Json, extract::State, http::StatusCode};
use chat::{Chat, model::User};
use utoipa::ToSchema;

use super::{TAG_ACCOUNT, fields::Fields};
use crate::{
    auth::{Auth, SignedIn},
    error::ApiError,
    middleware::client::ClientAddr,
};

/// Who wants an account.
#[derive(ToSchema)]
pub(super) struct NewAccount {
    /// Letters and digits of any script and `@ . + - _`; nobody else's.
    username: String,
    /// At least 8 characters, not only digits, not a common one and not like the name.
    password: String,
    /// Given name.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
}

/// Make an account
///
/// A refusal names every bad field at once. Sign in afterwards with `POST /api/token/`.
#[utoipa::path(
    post,
    path = "/api/register/",
    operation_id = "register",
    tag = TAG_ACCOUNT,
    request_body = NewAccount,
    responses((status = 201, body = User, description = "The account was made.")),
    extensions(("x-refusals" = json!(["sign_up_closed", "throttled"]))),
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

/// Who am I?
///
/// The account that the token belongs to, also where it may not chat.
#[utoipa::path(
    get,
    path = "/api/me/",
    operation_id = "me",
    tag = TAG_ACCOUNT,
    responses((status = 200, body = User, description = "The account."))
)]
pub async fn me(SignedIn(user): SignedIn) -> Json<User> {
    Json(user)
}
