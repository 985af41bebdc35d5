//! How a plain form is answered: by a redirect, and where it was refused, with a cookie that says why and that the
//! next page shows once.
//!
//! No address carries a refusal, so reloading a page or passing it on does not show somebody else's.

use std::collections::BTreeMap;

use chat::model::Failure;
use serde::{Deserialize, Serialize};

/// The forms there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Sign in.
    SignIn,
    /// Sign up.
    SignUp,
    /// New room.
    NewRoom,
    /// Join or leave a room.
    Membership,
    /// A message.
    Message,
    /// Bringing somebody into a room.
    Invitation,
    /// Acting on a member of a room.
    Member,
    /// The settings of a room.
    RoomSettings,
    /// One's own names.
    Profile,
    /// One's own password.
    Password,
    /// Ending sessions and tokens.
    Access,
    /// Marking notifications.
    Notifications,
}

/// Why a form was refused, and what was typed into it (never a password).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormError {
    /// Which form.
    pub form: Form,
    /// Why.
    pub failure: Failure,
    /// What was typed, by field.
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
    /// A browser keeps 4 KiB a cookie; a third more for base64, and the rest of it.
    const LONGEST: usize = 2_700;

    /// Answers a form: on to where `result` says, or back to `form`'s page at `back` with what was `typed`. A call from
    /// a script gets the refusal itself.
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

    /// The refusal that this page is to show, once.
    pub fn take_form_error() -> Option<FormError> {
        let value = request::cookie(COOKIE)?;
        request::set_cookie(&cookie(String::new(), Duration::ZERO));
        serde_json::from_slice(&BASE64.decode(value).ok()?).ok()
    }

    /// What was to become of a message whose edit was refused just before this page.
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
