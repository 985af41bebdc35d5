//! Responses to plain forms: a redirect, and for an error a cookie that the next page shows once.
//!
//! The error is not part of the address, so that reloading or sharing a page does not show it again.

use std::collections::BTreeMap;

use chat::model::Failure;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    SignIn,
    SignUp,
    NewRoom,
    Membership,
    Message,
    Invitation,
    /// Acting on a member of a room.
    Member,
    RoomSettings,
    Profile,
    Password,
    Access,
    Notifications,
}

/// The error of a form and its typed values, without passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormError {
    pub form: Form,
    pub failure: Failure,
    pub typed: BTreeMap<String, String>,
}

pub(super) use answer::answer;
pub use answer::{take_form_error, typed_message};

mod answer {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    use tower_sessions::cookie::{Cookie, SameSite, time::Duration};

    use super::{Form, FormError};
    use crate::{error::AppError, server::request};

    const COOKIE: &str = "liao_refusal";
    /// Maximum size of the JSON in bytes: cookies are limited to 4 KiB, and base64 adds a third.
    const LONGEST: usize = 2_700;

    /// Answers a form: redirects to the path in `result`, or on an error back to `back` with the `typed` values.
    /// Calls by scripts get the error itself.
    pub(in crate::server) fn answer<const N: usize>(
        result: Result<String, AppError>,
        form: Form,
        back: &str,
        typed: [(&str, &str); N],
    ) -> Result<(), AppError> {
        match result {
            Ok(next) => {
                if request::is_form() {
                    request::redirect(&next);
                }
                Ok(())
            }
            Err(AppError(failure)) if request::is_form() => {
                let typed =
                    typed.iter().map(|&(field, value)| (field.to_owned(), value.to_owned())).collect();
                keep(FormError { form, failure, typed });
                request::redirect(back);
                Ok(())
            }
            Err(error) => {
                request::set_status(error.0.code);
                Err(error)
            }
        }
    }

    /// The error to show on this page; removes its cookie.
    pub fn take_form_error() -> Option<FormError> {
        let value = request::cookie(COOKIE)?;
        request::set_cookie(&cookie(String::new(), Duration::ZERO));
        serde_json::from_slice(&BASE64.decode(value).ok()?).ok()
    }

    /// The content of an edit that was rejected just before this page.
    pub fn typed_message() -> Option<String> {
        take_form_error().filter(|form_error| form_error.form == Form::Message)?.typed.remove("content")
    }

    fn keep(mut form_error: FormError) {
        let size = |form_error: &FormError| serde_json::to_vec(form_error).unwrap_or_default();
        if size(&form_error).len() > LONGEST {
            form_error.typed.clear();
        }
        request::set_cookie(&cookie(BASE64.encode(size(&form_error)), Duration::minutes(1)));
    }

    fn cookie(value: String, age: Duration) -> Cookie<'static> {
        Cookie::build((COOKIE, value)).path("/").http_only(true).same_site(SameSite::Lax).max_age(age).build()
    }
}
