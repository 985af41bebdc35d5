//! The error of server functions, and the error messages in each language.
//!
//! [`error_message`] and [`field_error_message`] need no page: the REST layer uses them too, so that both show the
//! same text. Pass them only what the caller may know, which is the [`Failure`] that the domain returns.

#[cfg(feature = "ssr")]
use axum::http::StatusCode;
use chat::model::{Code, Failure, FieldError, Problem};
use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use serde::{Deserialize, Serialize};

use crate::i18n::{Locale, td_string};

/// The error of a server function. Only its code is sent to the browser: the messages for the fields of a form are
/// rendered by the server, on the page with which it answers the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Code", into = "Code")]
pub struct AppError(pub Failure);

impl From<AppError> for Code {
    fn from(error: AppError) -> Self {
        error.0.code
    }
}

impl From<Code> for AppError {
    fn from(code: Code) -> Self {
        Self(Failure::new(code))
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::from(match error {
            // The request was not sent, or the response was not received.
            ServerFnErrorErr::Request(_) => Code::Unavailable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Code::Invalid,
            // On the server it is the request's body that is no valid text.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => Code::ParseError,
            _ => Code::Internal,
        })
    }
}

/// The HTTP status of an error code, for REST, pages and server functions.
#[cfg(feature = "ssr")]
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::Invalid | Code::ParseError | Code::RoomFull | Code::BadFrame | Code::InvalidHost => {
            StatusCode::BAD_REQUEST
        }
        Code::NoActiveAccount
        | Code::NotAuthenticated
        | Code::BadAuthorizationHeader
        | Code::TokenNotValid
        | Code::UserInactive
        | Code::UserNotFound => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied
        | Code::NotInGroup
        | Code::NotAMember
        | Code::Banned
        | Code::Muted
        | Code::SignUpClosed
        | Code::BadOrigin => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Throttled | Code::TooSlow | Code::TooManySubscriptions => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The message shown above a form: that of the first invalid field, or of the error itself.
pub fn form_error_message(locale: Locale, failure: &Failure) -> String {
    match failure.fields.first() {
        Some(field) => field_error_message(locale, field),
        None => error_message(locale, failure),
    }
}

/// The message of an error, without those of its fields.
pub fn error_message(locale: Locale, failure: &Failure) -> String {
    match failure.code {
        Code::Invalid => td_string!(locale, failure.invalid),
        Code::NotAuthenticated => td_string!(locale, failure.not_authenticated),
        Code::UserInactive => td_string!(locale, failure.user_inactive),
        Code::UserNotFound => td_string!(locale, failure.user_not_found),
        Code::PermissionDenied => td_string!(locale, failure.permission_denied),
        Code::NotInGroup => td_string!(locale, failure.not_in_group),
        Code::NotAMember => td_string!(locale, failure.not_a_member),
        Code::Banned => td_string!(locale, failure.banned),
        Code::Muted => td_string!(locale, failure.muted),
        Code::RoomFull => td_string!(locale, failure.room_full),
        Code::NotFound => td_string!(locale, failure.not_found),
        Code::TooLarge => td_string!(locale, failure.too_large),
        Code::Throttled => td_string!(locale, failure.throttled),
        Code::TooSlow => td_string!(locale, failure.too_slow),
        Code::BadOrigin => td_string!(locale, failure.bad_origin),
        // In a browser nearly every one is a request without a response.
        Code::Unavailable if cfg!(feature = "hydrate") => td_string!(locale, failure.unreachable),
        Code::Unavailable => td_string!(locale, failure.unavailable),
        Code::Internal => td_string!(locale, failure.internal),
        code => other_message(locale, code),
    }
    .to_owned()
}

/// The messages that no live page shows, and that the wasm need not have.
#[cfg(feature = "ssr")]
fn other_message(locale: Locale, code: Code) -> &'static str {
    match code {
        Code::ParseError => td_string!(locale, failure.parse_error),
        Code::NoActiveAccount => td_string!(locale, failure.no_active_account),
        Code::BadAuthorizationHeader => td_string!(locale, failure.bad_authorization_header),
        Code::TokenNotValid => td_string!(locale, failure.token_not_valid),
        Code::SignUpClosed => td_string!(locale, failure.sign_up_closed),
        Code::MethodNotAllowed => td_string!(locale, failure.method_not_allowed),
        Code::InvalidHost => td_string!(locale, failure.invalid_host),
        Code::UnsupportedMediaType => td_string!(locale, failure.unsupported_media_type),
        Code::BadFrame => td_string!(locale, failure.bad_frame),
        Code::TooManySubscriptions => td_string!(locale, failure.too_many_subscriptions),
        _ => td_string!(locale, failure.internal),
    }
}

#[cfg(not(feature = "ssr"))]
fn other_message(locale: Locale, _: Code) -> &'static str {
    td_string!(locale, failure.internal)
}

/// The message of one invalid field.
pub fn field_error_message(locale: Locale, field: &FieldError) -> String {
    match field.problem {
        Problem::Required => td_string!(locale, field_error.required).to_owned(),
        Problem::Blank => td_string!(locale, field_error.blank).to_owned(),
        Problem::Null => td_string!(locale, field_error.null).to_owned(),
        Problem::WrongType => td_string!(locale, field_error.wrong_type).to_owned(),
        Problem::TooLong { max } => td_string!(locale, field_error.too_long, max = max).to_string(),
        Problem::TooShort { min } => td_string!(locale, field_error.too_short, min = min).to_string(),
        Problem::OutOfRange { min, max } => {
            td_string!(locale, field_error.out_of_range, min = min, max = max).to_string()
        }
        Problem::NotAChoice => td_string!(locale, field_error.not_a_choice).to_owned(),
        Problem::BadCharacter => td_string!(locale, field_error.bad_character).to_owned(),
        Problem::OuterSpace => td_string!(locale, field_error.outer_space).to_owned(),
        Problem::BadUsername => td_string!(locale, field_error.bad_username).to_owned(),
        Problem::UsernameTaken => td_string!(locale, field_error.username_taken).to_owned(),
        Problem::ConfusableUsername => td_string!(locale, field_error.confusable_username).to_owned(),
        Problem::MixedScripts => td_string!(locale, field_error.mixed_scripts).to_owned(),
        Problem::WeakPassword => td_string!(locale, field_error.weak_password).to_owned(),
        Problem::WrongPassword => td_string!(locale, field_error.wrong_password).to_owned(),
        Problem::NoSuchMessage => td_string!(locale, field_error.no_such_message).to_owned(),
        Problem::NoSuchUser => td_string!(locale, field_error.no_such_user).to_owned(),
        Problem::UserBanned => td_string!(locale, field_error.user_banned).to_owned(),
        Problem::BadUrl => td_string!(locale, field_error.bad_url).to_owned(),
        Problem::Conflict => td_string!(locale, field_error.conflict).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_field_has_the_contracts_message() {
        let missing = FieldError::new("username", Problem::Required);
        assert_eq!(field_error_message(Locale::zh, &missing), "该字段是必填项。");
        assert_eq!(field_error_message(Locale::en, &missing), "This field is required.");
    }

    #[test]
    fn limit_is_part_of_the_message() {
        let long = FieldError::new("name", Problem::TooLong { max: 100 });
        assert_eq!(field_error_message(Locale::en, &long), "At most 100 characters.");
    }

    #[test]
    fn messages_are_translated() {
        let full = Failure::new(Code::RoomFull);
        assert_eq!(error_message(Locale::zh, &full), "房间人数已满。");
        assert_eq!(error_message(Locale::en, &full), "The room is full.");
    }
}
