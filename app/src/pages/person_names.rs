//! The fields for first and last name, in the order of the page's language.

use chat::model::{Failure, limits::PERSON_NAME_MAX};
use leptos::prelude::*;

use crate::{
    i18n::{Locale, t},
    preferences::locale,
    ui::field::{TextField, field_error},
};

#[component]
pub fn PersonNames(last_name: String, first_name: String, failure: Option<Failure>) -> impl IntoView {
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
