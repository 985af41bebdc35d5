//! Drafts of unsent messages, kept per room in `localStorage`, and the composer's text when editing begins or ends.

use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

use super::super::{composer::edited, context::RoomContext};
use crate::{
    browser::{document, storage, textarea},
    pages::rooms::{HasNavigated, RoomsContext, room_id_in_path},
    state::{composer_mode::ComposerMode, draft::draft_in, timeline::Timeline},
};

/// The storage key for this user and room.
fn name(context: RoomContext) -> String {
    draft_in(context.timeline.with_untracked(Timeline::me), context.room)
}

/// Stores the draft. An edit is no draft.
pub(in crate::pages::room) fn save(context: RoomContext, text: &str) {
    if !matches!(context.mode.get_untracked(), ComposerMode::Editing(_)) {
        storage::set(&name(context), if text.trim().is_empty() { "" } else { text });
    }
}

/// Restores the draft when the page becomes live, and sets the composer's text whenever editing begins or ends.
pub(in crate::pages::room) fn keep(
    context: RoomContext,
    area: NodeRef<html::Textarea>,
    length: RwSignal<usize>,
) {
    // The list shows the drafts of the other rooms.
    let RoomsContext(rooms) = expect_context();
    rooms.update(|rooms| rooms.drafts.retain(|(room, _)| *room != context.room));
    let stored = name(context);
    let pathname = use_location().pathname;
    on_cleanup(move || {
        // The composer of the open room is made anew after a mute, and for a link to a message.
        let is_open = room_id_in_path(&pathname.get_untracked()) == Some(context.room);
        if let Some(text) = storage::get(&stored).filter(|_| !is_open) {
            let _ = rooms.try_update(|rooms| rooms.drafts.push((context.room, text)));
        }
    });
    let HasNavigated(has_navigated) = expect_context();
    let fill = move |text: &str| {
        if let Some(area) = area.get_untracked() {
            area.set_value(text);
            length.set(text.chars().count());
            textarea::fit_height(&area);
        }
    };
    Effect::new(move |was: Option<ComposerMode>| {
        let mode = context.mode.get();
        match (was, mode) {
            // Text typed before hydration is newer than any draft.
            (None, ComposerMode::Writing) => {
                if area.get_untracked().is_some_and(|area| area.value().is_empty())
                    && let Some(draft) = storage::get(&name(context))
                {
                    fill(&draft);
                }
                // Not on the first page, whose first stop is the skip link; nor on a phone, where it would open the keyboard.
                if has_navigated.get_value()
                    && document::has_fine_pointer()
                    && let Some(area) = area.get_untracked()
                {
                    let _ = area.focus();
                }
            }
            (Some(was), ComposerMode::Editing(_)) if was != mode => fill(&edited(context)),
            (Some(ComposerMode::Editing(_)), mode) if !matches!(mode, ComposerMode::Editing(_)) => {
                fill(&storage::get(&name(context)).unwrap_or_default());
            }
            _ => {}
        }
        if was.is_some_and(|was| was != mode)
            && matches!(mode, ComposerMode::Replying(_) | ComposerMode::Editing(_))
        {
            crate::browser::row_elements::focus_composer();
        }
        mode
    });
}
