//! What a server function returns instead of its answer, and the sentences for it.
//!
//! [`sentence`] and [`problem_sentence`] need no page: the REST layer words its errors with them too, so that both
//! say the same. They must not be told more than the [`Failure`] that the domain allows the caller to know.

#[cfg(feature = "ssr")]
use axum::http::StatusCode;
use chat::model::{Code, Failure, FieldProblem, Problem};
use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use serde::{Deserialize, Serialize};

use crate::i18n::{Locale, td_string};

/// A refusal. Only its code travels to the browser: what is wrong with which field of a form is put into words by the
/// server, on the page that it answers the form with.
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
            // The request never arrived, or the answer never came.
            ServerFnErrorErr::Request(_) => Code::Unavailable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Code::Invalid,
            // On the server this is about the request: it is no text.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => Code::ParseError,
            _ => Code::Internal,
        })
    }
}

/// The status that goes with a refusal: the only place that says so, for REST, pages and server functions.
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
        Code::Throttled | Code::TooSlow => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// One sentence for a person: about the first bad field, or about the whole where no field is to blame.
pub fn notice(locale: Locale, failure: &Failure) -> String {
    match failure.fields.first() {
        Some(field) => problem_sentence(locale, field),
        None => sentence(locale, failure),
    }
}

/// One sentence for a person.
pub fn sentence(locale: Locale, failure: &Failure) -> String {
    match failure.code {
        Code::Invalid => td_string!(locale, failure.invalid),
        Code::ParseError => td_string!(locale, failure.parse_error),
        Code::NoActiveAccount => td_string!(locale, failure.no_active_account),
        Code::NotAuthenticated => td_string!(locale, failure.not_authenticated),
        Code::BadAuthorizationHeader => td_string!(locale, failure.bad_authorization_header),
        Code::TokenNotValid => td_string!(locale, failure.token_not_valid),
        Code::UserInactive => td_string!(locale, failure.user_inactive),
        Code::UserNotFound => td_string!(locale, failure.user_not_found),
        Code::PermissionDenied => td_string!(locale, failure.permission_denied),
        Code::NotInGroup => td_string!(locale, failure.not_in_group),
        Code::NotAMember => td_string!(locale, failure.not_a_member),
        Code::Banned => td_string!(locale, failure.banned),
        Code::Muted => td_string!(locale, failure.muted),
        Code::RoomFull => td_string!(locale, failure.room_full),
        Code::SignUpClosed => td_string!(locale, failure.sign_up_closed),
        Code::NotFound => td_string!(locale, failure.not_found),
        Code::MethodNotAllowed => td_string!(locale, failure.method_not_allowed),
        Code::InvalidHost => td_string!(locale, failure.invalid_host),
        Code::TooLarge => td_string!(locale, failure.too_large),
        Code::UnsupportedMediaType => td_string!(locale, failure.unsupported_media_type),
        Code::Throttled => td_string!(locale, failure.throttled),
        Code::BadFrame => td_string!(locale, failure.bad_frame),
        Code::TooSlow => td_string!(locale, failure.too_slow),
        Code::BadOrigin => td_string!(locale, failure.bad_origin),
        Code::Unavailable => td_string!(locale, failure.unavailable),
        Code::Internal => td_string!(locale, failure.internal),
    }
    .to_owned()
}

/// One sentence about one field.
pub fn problem_sentence(locale: Locale, field: &FieldProblem) -> String {
    match field.problem {
        Problem::Required => td_string!(locale, problem.required).to_owned(),
        Problem::Blank => td_string!(locale, problem.blank).to_owned(),
        Problem::Null => td_string!(locale, problem.null).to_owned(),
        Problem::WrongType => td_string!(locale, problem.wrong_type).to_owned(),
        Problem::TooLong { max } => td_string!(locale, problem.too_long, max = max).to_string(),
        Problem::TooShort { min } => td_string!(locale, problem.too_short, min = min).to_string(),
        Problem::OutOfRange { min, max } => {
            td_string!(locale, problem.out_of_range, min = min, max = max).to_string()
        }
        Problem::NotAChoice => td_string!(locale, problem.not_a_choice).to_owned(),
        Problem::BadCharacter => td_string!(locale, problem.bad_character).to_owned(),
        Problem::OuterSpace => td_string!(locale, problem.outer_space).to_owned(),
        Problem::BadUsername => td_string!(locale, problem.bad_username).to_owned(),
        Problem::UsernameTaken => td_string!(locale, problem.username_taken).to_owned(),
        Problem::WeakPassword => td_string!(locale, problem.weak_password).to_owned(),
        Problem::WrongPassword => td_string!(locale, problem.wrong_password).to_owned(),
        Problem::NoSuchMessage => td_string!(locale, problem.no_such_message).to_owned(),
        Problem::NoSuchUser => td_string!(locale, problem.no_such_user).to_owned(),
        Problem::UserBanned => td_string!(locale, problem.user_banned).to_owned(),
        Problem::BadUrl => td_string!(locale, problem.bad_url).to_owned(),
        Problem::Conflict => td_string!(locale, problem.conflict).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_worded_as_the_contract_says() {
        let missing = FieldProblem::new("username", Problem::Required);
        assert_eq!(problem_sentence(Locale::zh, &missing), "该字段是必填项。");
        assert_eq!(problem_sentence(Locale::en, &missing), "This field is required.");
    }

    #[test]
    fn limits_are_named() {
        let long = FieldProblem::new("name", Problem::TooLong { max: 100 });
        assert_eq!(problem_sentence(Locale::en, &long), "At most 100 characters.");
    }

    #[test]
    fn each_language_has_its_own_words() {
        let full = Failure::new(Code::RoomFull);
        assert_eq!(sentence(Locale::zh, &full), "房间人数已满。");
        assert_eq!(sentence(Locale::en, &full), "The room is full.");
    }
}
