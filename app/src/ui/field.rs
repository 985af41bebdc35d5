//! A labelled input with its hint and what is wrong with it. For pages that the server alone renders.

use chat::model::{Failure, FieldError};
use leptos::prelude::*;

use super::{
    icon::{Draw, Icon},
    text_area::TextArea,
};
use crate::{
    error::{problem_sentence, sentence},
    i18n::say,
    preferences::locale,
};

/// What is wrong with `field`, if anything.
pub fn problem_of(failure: Option<&Failure>, field: &str) -> Option<FieldError> {
    failure?.fields.iter().find(|problem| problem.field == field).cloned()
}

/// What is wrong with a field, in words.
pub fn problem_text(problem: &FieldError) -> String {
    problem_sentence(locale(), problem)
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
                {sentence(locale(), &failure)}
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
    problem: Option<FieldError>,
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
    let described = described_by(name, problem.is_some(), hint.is_some());
    view! {
        <div class="field">
            <label for=name>
                {label}
                {optional.then(|| view! { <span class="optional">" "{say!(account.optional)}</span> })}
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
                aria-invalid=problem.is_some().then_some("true")
                aria-describedby=described
            />
            <Notes name problem hint/>
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
    problem: Option<FieldError>,
    /// The most characters it may have.
    max: usize,
) -> impl IntoView {
    let described = described_by(name, problem.is_some(), false);
    view! {
        <div class="field">
            <label for=name>
                {label} <span class="optional">" "{say!(account.optional)}</span>
            </label>
            <TextArea
                text=value
                attr:class="input"
                attr:id=name
                attr:name=name
                attr:rows="3"
                attr:maxlength=max.to_string()
                attr:aria-invalid=problem.is_some().then_some("true")
                attr:aria-describedby=described
            />
            <Notes name problem hint=None/>
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
    problem: Option<FieldError>,
    /// The least.
    min: i64,
    /// The most.
    max: i64,
) -> impl IntoView {
    let described = described_by(name, problem.is_some(), false);
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
                aria-invalid=problem.is_some().then_some("true")
                aria-describedby=described
            />
            <Notes name problem hint=None/>
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
    problem: Option<FieldError>,
    /// What would help.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// `current-password` or `new-password`.
    autocomplete: &'static str,
) -> impl IntoView {
    let described = described_by(name, problem.is_some(), hint.is_some());
    view! {
        <div class="field">
            <label for=name>{label.unwrap_or(say!(account.password))}</label>
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
                    aria-invalid=problem.is_some().then_some("true")
                    aria-describedby=described
                />
                // Shown, and made to do something, by `public/page.js`.
                <button
                    type="button"
                    class="button button-icon"
                    hidden=true
                    aria-label=say!(account.show_password)
                    aria-pressed="false"
                    aria-controls=name
                    data-reveal=name
                >
                    <Draw icon=Icon::Eye/>
                </button>
            </div>
            <Notes name problem hint/>
        </div>
    }
    .into_any()
}

#[component]
fn Notes(name: &'static str, problem: Option<FieldError>, hint: Option<&'static str>) -> impl IntoView {
    view! {
        {problem
            .map(|problem| {
                view! {
                    <p class="field-problem" id=problem_id(name)>
                        {problem_sentence(locale(), &problem)}
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

fn problem_id(name: &str) -> String {
    format!("{name}-problem")
}

fn hint_id(name: &str) -> String {
    format!("{name}-hint")
}

fn described_by(name: &str, has_problem: bool, has_hint: bool) -> Option<String> {
    let ids: Vec<String> = [has_problem.then(|| problem_id(name)), has_hint.then(|| hint_id(name))]
        .into_iter()
        .flatten()
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
