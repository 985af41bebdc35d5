//! Tables and examples shared by operations and sockets.

use leptos::prelude::*;

use super::{
    model::{Field, Frame},
    rich_text::line,
};
use crate::i18n::t;

/// A table of parameters or fields.
#[component]
pub(super) fn Fields(
    /// Caption for screen readers.
    caption: String,
    fields: Vec<Field>,
) -> impl IntoView {
    let rows = fields
        .into_iter()
        .map(|field| {
            let location = field.in_path.then(|| view! { <small>{t!(reference.in_path)}</small> });
            let required = field.is_required.then(|| view! { <small>{t!(reference.required)}</small> });
            view! {
                <tr>
                    <th scope="row">
                        <code>{field.name}</code>
                        {location}
                        {required}
                    </th>
                    <td>{line(&field.kind)}</td>
                    <td>{line(&field.description)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=caption.clone()>
            <table>
                <caption class="unseen">{caption.clone()}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!(reference.name)}</th>
                        <th scope="col">{t!(reference.kind)}</th>
                        <th scope="col">{t!(reference.meaning)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// A preformatted example.
#[component]
pub(super) fn Example(
    /// Label for screen readers.
    label: String,
    text: String,
) -> impl IntoView {
    view! {
        <pre class="example" tabindex="0" role="group" aria-label=label>
            <code>{text}</code>
        </pre>
    }
    .into_any()
}

/// Frames with description and example.
#[component]
pub(super) fn Frames(frames: Vec<Frame>) -> impl IntoView {
    let frames = frames
        .into_iter()
        .map(|frame| {
            view! {
                <li class="frame">
                    <p>
                        <code>{frame.name.clone()}</code>
                        " "
                        {line(&frame.description)}
                    </p>
                    <Example label=frame.name text=frame.example/>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="frames">{frames}</ul> }.into_any()
}
