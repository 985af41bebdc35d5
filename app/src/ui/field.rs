//! A labelled input with its hint and what is wrong with it. For pages that the server alone renders.

use chat::model::{Failure, FieldProblem};
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

/// What is wrong with `field`, if anything.
pub fn field_error(failure: Option<&Failure>, field: &str) -> Option<FieldProblem> {
    failure?.fields.iter().find(|error| error.field == field).cloned()
}

/// What is wrong with a field, in words.
pub fn field_error_text(problem: &FieldProblem) -> String {
    field_error_message(locale(), problem)
}

/// The refusal as a whole: one sentence above a form. Nothing where each field says its own.
#[component]
pub fn FormFailure(
    /// The refusal, if there was one.
    failure: Option<Failure>,
) -> impl IntoView {
    failure.filter(|failure| failure.fields.is_empty()).map(|failure| {
        view! {
            <p class="notice notice-alert" role="alert">
                {error_message(locale(), &failure)}
            </p>
        }
    })
}

/// One line of text.
#[component]
pub fn TextField(
    /// The name in the form, and the id.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// What it begins with.
    #[prop(optional)]
    value: String,
    /// What is wrong with it.
    #[prop(optional_no_strip)]
    error: Option<FieldProblem>,
    /// What would help.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// What a browser may fill in.
    autocomplete: &'static str,
    /// The most characters it may have.
    max: usize,
    /// Must there be something?
    #[prop(optional)]
    required: bool,
    /// May it be left out, and is that to be said?
    #[prop(optional)]
    optional: bool,
    /// Does it take part in signing in? Then it is nobody's prose.
    #[prop(optional)]
    verbatim: bool,
    /// Is it where one begins?
    #[prop(optional)]
    autofocus: bool,
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

/// Some lines of text, which may be none.
#[component]
pub fn AreaField(
    /// The name in the form, and the id.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// What it begins with.
    value: String,
    /// What is wrong with it.
    #[prop(optional_no_strip)]
    error: Option<FieldProblem>,
    /// The most characters it may have.
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

/// A whole number.
#[component]
pub fn NumberField(
    /// The name in the form, and the id.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// What it begins with.
    value: String,
    /// What is wrong with it.
    #[prop(optional_no_strip)]
    error: Option<FieldProblem>,
    /// The least.
    min: i64,
    /// The most.
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

/// A password, which can be looked at.
#[component]
pub fn PasswordField(
    /// The name in the form, and the id.
    #[prop(default = "password")]
    name: &'static str,
    /// What it is called, where it is not just the password.
    #[prop(optional)]
    label: Option<&'static str>,
    /// What is wrong with it.
    #[prop(optional_no_strip)]
    error: Option<FieldProblem>,
    /// What would help.
    #[prop(optional)]
    hint: Option<&'static str>,
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
                // Shown, and made to do something, by `public/page.js`.
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
fn Notes(name: &'static str, error: Option<FieldProblem>, hint: Option<&'static str>) -> impl IntoView {
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
