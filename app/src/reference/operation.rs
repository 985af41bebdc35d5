//! The section of an operation.

use leptos::prelude::*;

use super::{
    console::CallForm,
    model::{Operation, ResponseDoc},
    rich_text::RichText,
    tables::{Example, Fields},
};
use crate::i18n::t;

#[component]
pub(super) fn OperationArticle(operation: Operation, is_console: bool) -> impl IntoView {
    let console = is_console.then(|| view! { <CallForm operation=operation.clone()/> });
    let Operation {
        id,
        method,
        path,
        summary,
        description,
        needs_token,
        parameters,
        kinds,
        fields,
        body,
        answers,
    } = operation;
    let title = format!("{id}-title");
    let token = if needs_token { t!(reference.needs_token) } else { t!(reference.needs_no_token) };
    let parameters = (!parameters.is_empty()).then(|| {
        view! {
            <h4>{t!(reference.parameters)}</h4>
            <Fields caption=format!("{summary}: {}", t!(reference.parameters)) fields=parameters/>
        }
    });
    let body = (!body.is_empty()).then(|| {
        let label = format!("{summary}: {}", t!(reference.body));
        let kinds = kinds.into_iter().map(|kind| view! { <code>{kind}</code>" " }).collect_view();
        view! {
            <h4>{t!(reference.body)} " " {kinds}</h4>
            <Fields caption=label.clone() fields/>
            <Example label text=body/>
        }
    });
    let answers = answers.into_iter().map(|answer| view! { <ResponseDetails answer/> }).collect_view();
    view! {
        <article class="call" id=id.clone() aria-labelledby=title.clone() data-testid=format!("operation-{id}")>
            <h3 id=title.clone()>{summary}</h3>
            <p class="call-line">
                <span class="method" data-method=method.clone()>{method.clone()}</span>
                <code>{path}</code>
                <small>{token}</small>
            </p>
            <RichText text=description/>
            {console}
            {parameters}
            {body}
            <h4>{t!(reference.answers)}</h4>
            <div class="answers">{answers}</div>
        </article>
    }
    .into_any()
}

#[component]
fn ResponseDetails(answer: ResponseDoc) -> impl IntoView {
    let ResponseDoc { status, description, headers, examples } = answer;
    let is_refusal = !status.starts_with('2');
    let headers = (!headers.is_empty()).then(|| {
        let names = headers.into_iter().map(|name| view! { <code>{name}</code>" " }).collect_view();
        view! { <p>{t!(reference.headers)} " " {names}</p> }
    });
    let examples = examples
        .into_iter()
        .map(|(name, text)| {
            let label = format!("{status} {name}");
            view! { <Example label text/> }
        })
        .collect_view();
    // Error responses are similar everywhere and are collapsed.
    view! {
        <details class="answer" open=!is_refusal>
            <summary>
                <span class="status" data-refusal=is_refusal.to_string()>{status.clone()}</span>
            </summary>
            <RichText text=description/>
            {headers}
            {examples}
        </details>
    }
    .into_any()
}
