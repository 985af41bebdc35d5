//! The list of keyboard shortcuts, a popover that opens without a script.

use leptos::prelude::*;

use crate::{i18n::t, ui::erased::IntoErased};

/// The id of the button that opens the list.
pub(super) const BUTTON: &str = "shortcuts-button";

#[component]
pub(super) fn Shortcuts() -> impl IntoView {
    let keys: [(&[&str], &str); 11] = [
        (&["Enter"], t!(shortcuts.send)),
        (&["Shift", "Enter"], t!(shortcuts.break_line)),
        (&["@"], t!(shortcuts.mention)),
        (&["↑"], t!(shortcuts.edit_last)),
        (&["↑", "↓"], t!(shortcuts.step)),
        (&["R"], t!(actions.reply)),
        (&["E"], t!(actions.edit)),
        (&["Del"], t!(actions.delete)),
        (&["V"], t!(actions.readers)),
        (&["C"], t!(actions.copy)),
        (&["Ctrl", "K"], t!(switcher.title)),
    ];
    let mut list = String::new();
    for (keys, text) in keys {
        list.push_str("<div><dt>");
        for key in keys {
            list.extend(["<kbd>", key, "</kbd>"]);
        }
        list.extend(["</dt><dd>", text, "</dd></div>"]);
    }
    view! {
        <button type="button" id=BUTTON class="button-text shortcuts-button" popovertarget="shortcuts">
            {t!(shortcuts.title)}
            " "
            <kbd>"?"</kbd>
        </button>
        <div id="shortcuts" class="shortcuts" popover="auto" role="dialog" aria-label=t!(shortcuts.title)>
            <h2>{t!(shortcuts.title)}</h2>
            // As HTML, which is less wasm than components.
            <dl inner_html=list></dl>
            <p id="shortcuts-hint">{t!(shortcuts.hint)}</p>
        </div>
    }
    .erased()
}
