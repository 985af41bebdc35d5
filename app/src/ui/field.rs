//! A labelled input with its hint and what is wrong with it.

use chat::model::{Failure, FieldProblem};
use leptos::{html, prelude::*, web_sys};

use super::icon::{Draw, Icon};
use crate::{
    error::{problem_sentence, sentence},
    i18n::say,
    preferences::locale,
};

/// What is wrong with `field`, if anything.
pub fn problem_of(failure: Option<&Failure>, field: &str) -> Option<FieldProblem> {
    failure?.fields.iter().find(|problem| problem.field == field).cloned()
}

/// The refusal as a whole: one sentence above a form. Nothing where each field says its own.
#[component]
pub fn FormFailure(
    /// The refusal, if there was one.
    failure: Option<Failure>,
    /// Are there no fields here to say theirs?
    #[prop(optional)]
    lone: bool,
) -> impl IntoView {
    failure.filter(|failure| lone || failure.fields.is_empty()).map(|failure| {
        let words = match failure.fields.first() {
            Some(field) => problem_sentence(locale(), field),
            None => sentence(locale(), &failure),
        };
        view! {
            <p class="notice notice-alert" role="alert">
                {words}
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
    problem: Option<FieldProblem>,
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
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if autofocus && let Some(input) = input.get() {
            begin_at(&input);
        }
    });
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
                // In the server's page alone: put into a page that is there already, it would only be complained of.
                autofocus=autofocus && cfg!(feature = "ssr")
                node_ref=input
                aria-invalid=problem.is_some().then_some("true")
                aria-describedby=described
            />
            <Notes name problem hint/>
        </div>
    }
    .into_any()
}

/// A password, which can be looked at.
#[component]
pub fn PasswordField(
    /// What is wrong with it.
    #[prop(optional_no_strip)]
    problem: Option<FieldProblem>,
    /// What would help.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// `current-password` or `new-password`.
    autocomplete: &'static str,
) -> impl IntoView {
    const NAME: &str = "password";
    let (shown, set_shown) = signal(false);
    // The button does nothing before the page is live, so it is not there before.
    let (live, set_live) = signal(false);
    Effect::new(move |_| set_live.set(true));
    let (show, hide) = (say!(account.show_password), say!(account.hide_password));
    let action = move || if shown.get() { hide } else { show };
    let described = described_by(NAME, problem.is_some(), hint.is_some());
    view! {
        <div class="field">
            <label for=NAME>{say!(account.password)}</label>
            <div class="input-with-button">
                <input
                    class="input"
                    type=move || if shown.get() { "text" } else { "password" }
                    id=NAME
                    name=NAME
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required=true
                    aria-invalid=problem.is_some().then_some("true")
                    aria-describedby=described
                />
                <button
                    type="button"
                    class="button button-icon"
                    hidden=move || !live.get()
                    aria-label=action
                    title=action
                    aria-pressed=move || shown.get().to_string()
                    on:click=move |_| set_shown.update(|shown| *shown = !*shown)
                >
                    <Draw icon=Icon::Eye/>
                </button>
            </div>
            <Notes name=NAME problem hint/>
        </div>
    }
    .into_any()
}

/// Focuses `input`, unless somebody is writing somewhere already.
fn begin_at(input: &web_sys::HtmlInputElement) {
    let busy =
        document().active_element().is_some_and(|active| matches!(&*active.tag_name(), "INPUT" | "TEXTAREA"));
    if !busy {
        // Fails only for what cannot have focus.
        let _ = input.focus();
    }
}

#[component]
fn Notes(name: &'static str, problem: Option<FieldProblem>, hint: Option<&'static str>) -> impl IntoView {
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
