//! A person's two names in a form, in the order in which the reader's language says them: when signing up, and in the
//! settings.

use chat::model::{Failure, limits::PERSON_NAME_MAX};
use leptos::prelude::*;

use crate::{
    i18n::{Locale, say},
    preferences::locale,
    ui::field::{TextField, problem_of},
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
    let problem = |field| problem_of(failure.as_ref(), field);
    let family = view! {
        <TextField
            name="last_name"
            label=say!(account.last_name)
            value=last_name
            problem=problem("last_name")
            autocomplete="family-name"
            max=PERSON_NAME_MAX
            optional=true
        />
    };
    let given = view! {
        <TextField
            name="first_name"
            label=say!(account.first_name)
            value=first_name
            problem=problem("first_name")
            autocomplete="given-name"
            max=PERSON_NAME_MAX
            optional=true
        />
    };
    let both = match locale() {
        Locale::zh => (family, given).into_any(),
        Locale::en => (given, family).into_any(),
    };
    view! { <div class="field-pair">{both}</div> }.into_any()
}
