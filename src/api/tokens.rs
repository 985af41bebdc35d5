//! `/api/token/`: the calls that djangorestframework-simplejwt has, in its shapes.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, header},
};
use chat::{
    Chat,
    model::{FieldProblem, Problem},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{TAG_ACCOUNT, answer::Nothing, fields::Fields};
use crate::{
    auth::{Auth, Refreshed},
    error::ApiError,
    middleware::client::{ClientAddr, UserAgent},
};

/// An answer with a token in it, which no cache may keep (RFC 6749, 5.1).
type Secret<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

/// Who signs in.
#[derive(ToSchema)]
pub(super) struct Credentials {
    /// The name of the account.
    username: String,
    /// Its password.
    password: String,
}

/// What a sign-in gives.
#[derive(Serialize, ToSchema)]
pub struct TokenPair {
    /// For `Authorization: Bearer`; an hour, unless the settings say otherwise.
    access: String,
    /// To get the next access token with; a week, unless the settings say otherwise.
    refresh: String,
}

/// A refresh token, to be used or ended.
#[derive(ToSchema)]
pub(super) struct RefreshToken {
    /// The token.
    refresh: String,
}

/// A token of either type.
#[derive(ToSchema)]
pub(super) struct AnyToken {
    /// The token.
    token: String,
}

/// What a refresh token is exchanged for.
#[derive(Serialize, ToSchema)]
pub struct Renewed {
    /// The next access token.
    access: String,
    /// The next refresh token, only where they rotate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh: Option<String>,
}

/// Sign in
///
/// An access and a refresh token for a username and a password. A wrong password and an unknown user look
/// the same.
#[utoipa::path(
    post,
    path = "/api/token/",
    operation_id = "obtain_token",
    tag = TAG_ACCOUNT,
    request_body = Credentials,
    responses(
        (
            status = 200,
            body = TokenPair,
            description = "The tokens.",
            headers(("Cache-Control" = String, description = "`no-store`."))
        )
    ),
    extensions(("x-refusals" = json!(["no_active_account", "throttled"]))),
    security(())
)]
pub async fn obtain(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    from: ClientAddr,
    UserAgent(agent): UserAgent,
    mut body: Fields,
) -> Result<Secret<TokenPair>, ApiError> {
    let given = Credentials { username: body.text("username"), password: body.text("password") };
    body.finish()?;
    let sign_in = auth.sign_in(&chat, &given.username, &given.password, from).await?;
    let (access, refresh) = auth.tokens_for(&chat, &sign_in, &agent).await?;
    Ok(secret(TokenPair { access, refresh }))
}

/// Renew the access token
///
/// Where refresh tokens rotate, a new one comes along and the old one is dead ten seconds later.
#[utoipa::path(
    post,
    path = "/api/token/refresh/",
    operation_id = "refresh_token",
    tag = TAG_ACCOUNT,
    request_body = RefreshToken,
    responses(
        (
            status = 200,
            body = Renewed,
            description = "The tokens.",
            headers(("Cache-Control" = String, description = "`no-store`."))
        )
    ),
    extensions(("x-refusals" = json!(["token_not_valid", "no_active_account"]))),
    security(())
)]
pub async fn refresh(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    UserAgent(agent): UserAgent,
    body: Fields,
) -> Result<Secret<Renewed>, ApiError> {
    let given = RefreshToken { refresh: token(body, "refresh")? };
    let Refreshed { access, refresh } = auth.refresh(&chat, &given.refresh, &agent).await?;
    Ok(secret(Renewed { access, refresh }))
}

/// Is this token good?
///
/// Of either type. A refresh token that was ended is not.
#[utoipa::path(
    post,
    path = "/api/token/verify/",
    operation_id = "verify_token",
    tag = TAG_ACCOUNT,
    request_body = AnyToken,
    responses((status = 200, body = Nothing, description = "It is.")),
    extensions(("x-refusals" = json!(["token_not_valid"]))),
    security(())
)]
pub async fn verify(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    body: Fields,
) -> Result<Json<Nothing>, ApiError> {
    let given = AnyToken { token: token(body, "token")? };
    auth.verify(&chat, &given.token).await?;
    Ok(Json(Nothing {}))
}

/// Blacklist a refresh token
///
/// Signs out: the refresh token, every access token that was got by it or by those before it, and the sockets that were opened with them end. One that was rotated away ends alone.
#[utoipa::path(
    post,
    path = "/api/token/blacklist/",
    operation_id = "blacklist_token",
    tag = TAG_ACCOUNT,
    request_body = RefreshToken,
    responses((status = 200, body = Nothing, description = "It is dead.")),
    extensions(("x-refusals" = json!(["token_not_valid"]))),
    security(())
)]
pub async fn blacklist(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    body: Fields,
) -> Result<Json<Nothing>, ApiError> {
    let given = RefreshToken { refresh: token(body, "refresh")? };
    auth.blacklist(&chat, &given.refresh).await?;
    Ok(Json(Nothing {}))
}

fn token(mut body: Fields, field: &str) -> Result<String, ApiError> {
    let token = body.text(field);
    body.finish()?;
    if token.trim().is_empty() {
        return Err(ApiError::fields(vec![FieldProblem::new(field, Problem::Blank)]));
    }
    Ok(token)
}

fn secret<T>(body: T) -> Secret<T> {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body))
}
