//! `/api/token/`: the calls of djangorestframework-simplejwt, with the same request and response bodies.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, header},
};
use chat::{
    Chat,
    model::{FieldError, Problem},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{TAG_ACCOUNT, fields::Fields, response::EmptyBody};
use crate::{
    auth::{Auth, RefreshedTokens},
    error::ApiError,
    middleware::client::{ClientAddr, UserAgent},
};

/// A response that contains a token, which no cache may store (RFC 6749, 5.1).
type NoStore<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

/// A username and a password.
#[derive(ToSchema)]
pub(super) struct Credentials {
    /// The account's username.
    username: String,
    /// The account's password.
    password: String,
}

/// The tokens of a sign-in.
#[derive(Serialize, ToSchema)]
pub struct TokenPair {
    /// For `Authorization: Bearer`. Valid for an hour by default.
    access: String,
    /// For `POST /api/token/refresh/`. Valid for a week by default.
    refresh: String,
}

/// A refresh token.
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

/// The tokens that a refresh token is exchanged for.
#[derive(Serialize, ToSchema)]
pub struct TokenRefresh {
    /// The new access token.
    access: String,
    /// The new refresh token, only if refresh tokens rotate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh: Option<String>,
}

/// Sign in
///
/// Returns an access and a refresh token for a username and a password. A wrong password and an unknown user give the
/// same error.
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
    extensions(("x-errors" = json!(["no_active_account", "throttled"]))),
    security(())
)]
pub async fn obtain(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    from: ClientAddr,
    UserAgent(agent): UserAgent,
    mut body: Fields,
) -> Result<NoStore<TokenPair>, ApiError> {
    let given = Credentials { username: body.text("username"), password: body.text("password") };
    body.finish()?;
    let sign_in = auth.sign_in(&chat, &given.username, &given.password, from).await?;
    let (access, refresh) = auth.tokens_for(&chat, &sign_in, &agent).await?;
    Ok(no_store(TokenPair { access, refresh }))
}

/// Refresh an access token
///
/// If refresh tokens rotate, a new one is returned and the old one expires ten seconds later.
#[utoipa::path(
    post,
    path = "/api/token/refresh/",
    operation_id = "refresh_token",
    tag = TAG_ACCOUNT,
    request_body = RefreshToken,
    responses(
        (
            status = 200,
            body = TokenRefresh,
            description = "The tokens.",
            headers(("Cache-Control" = String, description = "`no-store`."))
        )
    ),
    extensions(("x-errors" = json!(["token_not_valid", "no_active_account"]))),
    security(())
)]
pub async fn refresh(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    UserAgent(agent): UserAgent,
    body: Fields,
) -> Result<NoStore<TokenRefresh>, ApiError> {
    let given = RefreshToken { refresh: token(body, "refresh")? };
    let RefreshedTokens { access, refresh } = auth.refresh(&chat, &given.refresh, &agent).await?;
    Ok(no_store(TokenRefresh { access, refresh }))
}

/// Verify a token
///
/// For tokens of either type. A blacklisted refresh token is not valid.
#[utoipa::path(
    post,
    path = "/api/token/verify/",
    operation_id = "verify_token",
    tag = TAG_ACCOUNT,
    request_body = AnyToken,
    responses((status = 200, body = EmptyBody, description = "Valid.")),
    extensions(("x-errors" = json!(["token_not_valid"]))),
    security(())
)]
pub async fn verify(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    body: Fields,
) -> Result<Json<EmptyBody>, ApiError> {
    let given = AnyToken { token: token(body, "token")? };
    auth.verify(&chat, &given.token).await?;
    Ok(Json(EmptyBody {}))
}

/// Blacklist a refresh token
///
/// Signs out: ends the refresh token, the access tokens obtained with it or with its predecessors, and the sockets
/// opened with them. A token that was rotated away is ended alone.
#[utoipa::path(
    post,
    path = "/api/token/blacklist/",
    operation_id = "blacklist_token",
    tag = TAG_ACCOUNT,
    request_body = RefreshToken,
    responses((status = 200, body = EmptyBody, description = "Blacklisted.")),
    extensions(("x-errors" = json!(["token_not_valid"]))),
    security(())
)]
pub async fn blacklist(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    body: Fields,
) -> Result<Json<EmptyBody>, ApiError> {
    let given = RefreshToken { refresh: token(body, "refresh")? };
    auth.blacklist(&chat, &given.refresh).await?;
    Ok(Json(EmptyBody {}))
}

fn token(mut body: Fields, field: &str) -> Result<String, ApiError> {
    let token = body.text(field);
    body.finish()?;
    if token.trim().is_empty() {
        return Err(ApiError::fields(vec![FieldError::new(field, Problem::Blank)]));
    }
    Ok(token)
}

fn no_store<T>(body: T) -> NoStore<T> {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body))
}
