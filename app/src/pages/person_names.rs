//! A person's two names in a form, in the order in which the reader's language says them: when signing up, and in the
//! settings.

use chat::model::{Failure, limits::PERSON_NAME_MAX};
use leptos::prelude::*;

use crate::{
    i18n::{Locale, t},
    preferences::locale,
    ui::field::{TextField, field_error},
};

/// See the module.
#[component]
pub fn PersonNames(
    /// What the family name's field begins with.
    last_name: String,
    /// What the given name's field begins with.
    first_name: String,
    /// What was refused, if anything.
    failure: Option<Failure>,
) -> impl IntoView {
    let field = |name, label, value, autocomplete| {
        let error = field_error(failure.as_ref(), name);
        view! { <TextField name label value error autocomplete max=PERSON_NAME_MAX optional=true/> }
    };
    let family = field("last_name", t!(account.last_name), last_name, "family-name");
    let given = field("first_name", t!(account.first_name), first_name, "given-name");
    let both = match locale() {
        Locale::zh => (family, given).into_any(),
        Locale::en => (given, family).into_any(),
    };
    view! { <div class="field-pair">{both}</div> }.into_any()
}
