//! What concerns the page as a whole: its session has ended, or the server has a new release.

use leptos::{html, prelude::*};

use crate::{
    i18n::t,
    live::{ConnectionState, PageStatus},
    navigation::CurrentLocation,
    pages::needs_sign_in,
    server::session::sign_in_path,
    ui::erased::IntoErased,
};

/// A dialog over a page whose session has ended elsewhere. What was written stays in the browser's storage.
#[component]
pub(super) fn SessionEnded() -> impl IntoView {
    let (PageStatus { connection, .. }, CurrentLocation(location)) = (expect_context(), expect_context());
    let dialog = NodeRef::<html::Dialog>::new();
    let show = move || {
        if let ConnectionState::Closed(code) = connection.get()
            && needs_sign_in(code)
            && let Some(dialog) = dialog.get()
        {
            // Fails only if it is open.
            let _ = dialog.show_modal();
        }
    };
    Effect::new(move |_| show());
    view! {
        // It stays: nothing can be sent, however it was closed.
        <dialog
            class="dialog session-ended"
            aria-labelledby="session-ended"
            data-testid="session-ended"
            node_ref=dialog
            on:close=move |_| show()
        >
            <h2 id="session-ended">{t!(live.signed_out)}</h2>
            <p>{t!(live.signed_out_lead)}</p>
            <a
                class="button button-loud"
                rel="external"
                href=move || sign_in_path(&location.with(crate::navigation::Location::to_path))
            >
                {t!(live.sign_in)}
            </a>
        </dialog>
    }
    .erased()
}

/// Offers to load a page of the server's new release.
#[component]
pub(super) fn Outdated() -> impl IntoView {
    let PageStatus { is_outdated, .. } = expect_context();
    let (text, reload) = (t!(live.updated), t!(live.reload));
    let notice = move || {
        is_outdated.get().then(|| {
            view! {
                <div class="toast" role="status" data-testid="outdated">
                    {text}
                    <a href="" rel="external">
                        {reload}
                    </a>
                </div>
            }
        })
    };
    notice.erased()
}
