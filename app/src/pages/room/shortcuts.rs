//! The keys that the conversation knows, in a list that a button opens, without a script too.

use leptos::prelude::*;

use crate::{i18n::say, ui::anew::Anew};

/// The button, by which a key finds it.
pub(super) const BUTTON: &str = "shortcuts-button";

/// See the module.
#[component]
pub(super) fn Shortcuts() -> impl IntoView {
    let keys: [(&[&str], &str); 11] = [
        (&["Enter"], say!(shortcuts.send)),
        (&["Shift", "Enter"], say!(shortcuts.break_line)),
        (&["@"], say!(shortcuts.mention)),
        (&["↑"], say!(shortcuts.edit_last)),
        (&["↑", "↓"], say!(shortcuts.step)),
        (&["R"], say!(actions.reply)),
        (&["E"], say!(actions.edit)),
        (&["Del"], say!(actions.delete)),
        (&["V"], say!(actions.readers)),
        (&["C"], say!(actions.copy)),
        (&["Ctrl", "K"], say!(switcher.title)),
    ];
    view! {
        <button type="button" id=BUTTON class="button-text shortcuts-button" popovertarget="shortcuts">
            {say!(shortcuts.title)}
            " "
            <kbd>"?"</kbd>
        </button>
        <div id="shortcuts" class="shortcuts" popover="auto" role="dialog" aria-label=say!(shortcuts.title)>
            <h2>{say!(shortcuts.title)}</h2>
            <dl>
                {keys
                    .into_iter()
                    .map(|(keys, words)| {
                        view! {
                            <div>
                                <dt>{keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}</dt>
                                <dd>{words}</dd>
                            </div>
                        }
                    })
                    .collect_view()}
            </dl>
            <p id="shortcuts-hint">{say!(shortcuts.hint)}</p>
        </div>
    }
    .anew()
}
