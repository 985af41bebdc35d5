//! What is being written, kept per room in `localStorage`, and the composer's text when editing begins or ends.

use leptos::{html, prelude::*};

use super::super::{
    composer::edited,
    context::{Action, Actions, RoomContext},
};
use crate::{
    browser::{document, storage, textarea},
    navigation::CurrentLocation,
    pages::rooms::{HasNavigated, RoomsContext},
    state::{
        composer_mode::ComposerMode,
        draft::{Draft, draft_in},
        timeline::Timeline,
    },
};

/// The storage key for this user and room.
fn name(context: RoomContext) -> String {
    draft_in(context.timeline.with_untracked(Timeline::me), context.room)
}

fn load(context: RoomContext) -> Draft {
    storage::get(&name(context)).map(|entry| Draft::from_entry(&entry)).unwrap_or_default()
}

/// Stores what the composer has.
pub(in crate::pages::room) fn save(context: RoomContext, text: &str) {
    let mut draft = load(context);
    draft.update(context.mode.get_untracked(), text);
    storage::set(&name(context), &draft.to_entry());
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
    let location: CurrentLocation = expect_context();
    on_cleanup(move || {
        // The composer of the open room is made anew after a mute, and for a link to a message.
        let is_open = location.open_room() == Some(context.room);
        if let Some(entry) = storage::get(&stored).filter(|_| !is_open) {
            let text = Draft::from_entry(&entry).shown().to_owned();
            let _ = rooms.try_update(|rooms| rooms.drafts.push((context.room, text)));
        }
    });
    let HasNavigated(has_navigated) = expect_context();
    let actions: Actions = expect_context();
    let fill = move |text: &str| {
        if let Some(area) = area.get_untracked() {
            area.set_value(text);
            length.set(text.chars().count());
            textarea::fit_height(&area);
        }
    };
    let fill_empty = move |text: &str| {
        if area.get_untracked().is_some_and(|area| area.value().is_empty()) {
            fill(text);
        }
    };
    Effect::new(move |was: Option<ComposerMode>| {
        let mode = context.mode.get();
        match (was, mode) {
            // Text typed before hydration is newer than any draft.
            (None, ComposerMode::Replying(_)) => fill_empty(&load(context).text),
            (None, ComposerMode::Writing) => {
                let mut draft = load(context);
                let is_edited = draft.edit.clone().is_some_and(|(id, text)| {
                    context.rejected_edit.set_value(Some((id, text)));
                    actions.run(Action::Begin(ComposerMode::Editing(id)))
                });
                if !is_edited {
                    context.rejected_edit.set_value(None);
                    draft.keep_edit_as_text();
                    storage::set(&name(context), &draft.to_entry());
                }
                fill_empty(&draft.text);
                if let Some(id) = draft.reply_to.filter(|_| !is_edited) {
                    actions.run(Action::Begin(ComposerMode::Replying(id)));
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
                let draft = Draft { edit: None, ..load(context) };
                storage::set(&name(context), &draft.to_entry());
                fill(&draft.text);
            }
            _ => {}
        }
        if was.is_some_and(|was| was != mode)
            && let Some(area) = area.get_untracked()
        {
            save(context, &area.value());
        }
        if was.is_some_and(|was| was != mode)
            && matches!(mode, ComposerMode::Replying(_) | ComposerMode::Editing(_))
        {
            crate::browser::row_elements::focus_composer();
        }
        mode
    });
}
