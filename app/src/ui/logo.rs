//! The logo: 聊 as a seal whose sharp corner is a speech bubble's tail. `public/favicon.svg` is the same.

use leptos::prelude::*;

use super::erased::IntoErased;

const GROUND: &str = "M16 1h32a15 15 0 0 1 15 15v32a15 15 0 0 1-15 15H6a5 5 0 0 1-5-5V16A15 15 0 0 1 16 1z";
const STROKES: &str = "M12 15h19M16 15v27M27 15v37M16 24h11M16 33h11M12 44l19-4M42.5 13l-6 5v21l6.5-3.5\
                       M43 20v14q0 12-7.5 18M48.5 15.5V52M48.5 15.5H55V36q0 4-4 4";

/// The seal; its class sets the size.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
            <path class="mark-ground" d=GROUND></path>
            <path class="mark-strokes" d=STROKES></path>
        </svg>
    }
    .erased()
}

/// The strokes without the seal.
#[component]
pub fn Glyph(
    /// CSS class for size and colour.
    class: &'static str,
) -> impl IntoView {
    view! {
        <svg class=class viewBox="0 0 64 64" aria-hidden="true">
            <path d=STROKES></path>
        </svg>
    }
    .erased()
}
