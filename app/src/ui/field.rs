//! Labelled form fields with hint and error. For pages that are rendered on the server only.

use chat::model::{Failure, FieldError};
use leptos::prelude::*;

use super::{
    icon::{Icon, IconSvg},
    text_area::TextArea,
};
use crate::{
    error::{error_message, field_error_message},
    i18n::t,
    preferences::locale,
};

/// The error of `field`, if any.
pub fn field_error(failure: Option<&Failure>, field: &str) -> Option<FieldError> {
    failure?.fields.iter().find(|error| error.field == field).cloned()
}

pub fn field_error_text(problem: &FieldError) -> String {
    field_error_message(locale(), problem)
}

/// The error above a form; nothing where the fields show their own errors.
#[component]
pub fn FormFailure(failure: Option<Failure>) -> impl IntoView {
    failure.filter(|failure| failure.fields.is_empty()).map(|failure| {
        view! {
            <p class="notice notice-alert" role="alert">
                {error_message(locale(), &failure)}
            </p>
        }
    })
}

#[component]
pub fn TextField(
    /// Name of the form field, and the id.
    name: &'static str,
    label: &'static str,
    #[prop(optional)] value: String,
    #[prop(optional_no_strip)] error: Option<FieldError>,
    #[prop(optional)] hint: Option<&'static str>,
    autocomplete: &'static str,
    /// Maximum length in characters.
    max: usize,
    #[prop(optional)] required: bool,
    /// Whether the label says that the field is optional.
    #[prop(optional)]
    optional: bool,
    /// For usernames: no capitalization and no spell check.
    #[prop(optional)]
    verbatim: bool,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let described = described_by(name, error.is_some(), hint.is_some());
    view! {
        <div class="field">
            <label for=name>
                {label}
                {optional.then(|| view! { <span class="optional">" "{t!(account.optional)}</span> })}
            </label>
            <input
                class="input"
                type="text"
                id=name
                name=name
                value=value
                autocomplete=autocomplete
                autocapitalize=verbatim.then_some("none")
                spellcheck=verbatim.then_some("false")
                maxlength=max.to_string()
                required=required
                autofocus=autofocus
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
            />
            <Notes name error hint/>
        </div>
    }
    .into_any()
}

/// An optional text of several lines.
#[component]
pub fn AreaField(
    /// Name of the form field, and the id.
    name: &'static str,
    label: &'static str,
    value: String,
    #[prop(optional_no_strip)] error: Option<FieldError>,
    /// Maximum length in characters.
    max: usize,
) -> impl IntoView {
    let described = described_by(name, error.is_some(), false);
    view! {
        <div class="field">
            <label for=name>
                {label} <span class="optional">" "{t!(account.optional)}</span>
            </label>
            <TextArea
                text=value
                attr:class="input"
                attr:id=name
                attr:name=name
                attr:rows="3"
                attr:maxlength=max.to_string()
                attr:aria-invalid=error.is_some().then_some("true")
                attr:aria-describedby=described
            />
            <Notes name error hint=None/>
        </div>
    }
    .into_any()
}

#[component]
pub fn NumberField(
    /// Name of the form field, and the id.
    name: &'static str,
    label: &'static str,
    value: String,
    #[prop(optional_no_strip)] error: Option<FieldError>,
    min: i64,
    max: i64,
) -> impl IntoView {
    let described = described_by(name, error.is_some(), false);
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                class="input input-number"
                type="number"
                id=name
                name=name
                value=value
                min=min.to_string()
                max=max.to_string()
                required=true
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
            />
            <Notes name error hint=None/>
        </div>
    }
    .into_any()
}

/// A password field with a button to show it.
#[component]
pub fn PasswordField(
    /// Name of the form field, and the id.
    #[prop(default = "password")]
    name: &'static str,
    /// The label, if not "Password".
    #[prop(optional)]
    label: Option<&'static str>,
    #[prop(optional_no_strip)] error: Option<FieldError>,
    #[prop(optional)] hint: Option<&'static str>,
    /// `current-password` or `new-password`.
    autocomplete: &'static str,
) -> impl IntoView {
    let described = described_by(name, error.is_some(), hint.is_some());
    view! {
        <div class="field">
            <label for=name>{label.unwrap_or(t!(account.password))}</label>
            <div class="input-with-button">
                <input
                    class="input"
                    type="password"
                    id=name
                    name=name
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required=true
                    aria-invalid=error.is_some().then_some("true")
                    aria-describedby=described
                />
                // `public/page.js` shows the button and handles it.
                <button
                    type="button"
                    class="button button-icon"
                    hidden=true
                    aria-label=t!(account.show_password)
                    aria-pressed="false"
                    aria-controls=name
                    data-reveal=name
                >
                    <IconSvg icon=Icon::Eye/>
                </button>
            </div>
            <Notes name error hint/>
        </div>
    }
    .into_any()
}

#[component]
fn Notes(name: &'static str, error: Option<FieldError>, hint: Option<&'static str>) -> impl IntoView {
    view! {
        {error
            .map(|error| {
                view! {
                    <p class="field-problem" id=error_id(name)>
                        {field_error_message(locale(), &error)}
                    </p>
                }
            })}
        {hint
            .map(|hint| {
                view! {
                    <p class="field-hint" id=hint_id(name)>
                        {hint}
                    </p>
                }
            })}
    }
    .into_any()
}

fn error_id(name: &str) -> String {
    format!("{name}-problem")
}

fn hint_id(name: &str) -> String {
    format!("{name}-hint")
}

fn described_by(name: &str, has_problem: bool, has_hint: bool) -> Option<String> {
    let ids: Vec<String> = [has_problem.then(|| error_id(name)), has_hint.then(|| hint_id(name))]
        .into_iter()
        .flatten()
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
