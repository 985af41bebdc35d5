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
use serde_json::{Value, json};

use super::body::{Fields, FormOrJson};
use crate::{
    auth::{Auth, Refreshed},
    error::ApiError,
    middleware::client::ClientAddr,
};

/// An answer with a token in it, which no cache may keep (RFC 6749, 5.1).
type Secret = ([(HeaderName, HeaderValue); 1], Json<Value>);

/// `POST /api/token/`.
pub async fn obtain(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    from: ClientAddr,
    FormOrJson(mut body): FormOrJson,
) -> Result<Secret, ApiError> {
    let username = body.text("username");
    let password = body.text("password");
    body.finish()?;
    let user = auth.sign_in(&chat, &username, &password, from).await?;
    let (access, refresh) = auth.tokens_for(&user)?;
    Ok(secret(json!({"access": access, "refresh": refresh})))
}

/// `POST /api/token/refresh/`.
pub async fn refresh(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    FormOrJson(body): FormOrJson,
) -> Result<Secret, ApiError> {
    let Refreshed { access, refresh } = auth.refresh(&chat, &token(body, "refresh")?).await?;
    Ok(secret(match refresh {
        Some(refresh) => json!({"access": access, "refresh": refresh}),
        None => json!({"access": access}),
    }))
}

/// `POST /api/token/verify/`.
pub async fn verify(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    FormOrJson(body): FormOrJson,
) -> Result<Json<Value>, ApiError> {
    auth.verify(&chat, &token(body, "token")?).await?;
    Ok(Json(json!({})))
}

/// `POST /api/token/blacklist/`.
pub async fn blacklist(
    State(chat): State<Chat>,
    State(auth): State<Auth>,
    FormOrJson(body): FormOrJson,
) -> Result<Json<Value>, ApiError> {
    auth.blacklist(&chat, &token(body, "refresh")?).await?;
    Ok(Json(json!({})))
}

fn token(mut body: Fields, field: &str) -> Result<String, ApiError> {
    let token = body.text(field);
    body.finish()?;
    if token.trim().is_empty() {
        return Err(ApiError::fields(vec![FieldProblem::new(field, Problem::Blank)]));
    }
    Ok(token)
}

fn secret(body: Value) -> Secret {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body))
}
