//! What somebody has begun to write in a room, kept in `localStorage` until it is sent.

use chat::model::{MessageId, RoomId, UserId};
use serde::{Deserialize, Serialize};

use super::composer_mode::ComposerMode;

/// Prefix of all drafts of a user, who must not see those of others in this browser.
pub fn drafts_of(user: UserId) -> String {
    format!("liao-draft-{user}-")
}

pub fn draft_in(user: UserId, room: RoomId) -> String {
    format!("{}{room}", drafts_of(user))
}

/// The content of a composer that was left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// A new message.
    pub text: String,
    /// The message that it replies to.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// A message that is being edited, and its new text.
    #[serde(default)]
    pub edit: Option<(MessageId, String)>,
}

impl Draft {
    /// Reads an entry of the storage. Anything else than [`Self::to_entry`] wrote is the text of a message.
    pub fn from_entry(entry: &str) -> Self {
        serde_json::from_slice(entry.as_bytes())
            .unwrap_or_else(|_| Self { text: entry.to_owned(), ..Self::default() })
    }

    /// The entry of the storage; empty if there is nothing to keep.
    pub fn to_entry(&self) -> String {
        if self.shown().trim().is_empty() {
            String::new()
        } else {
            serde_json::to_string(self).unwrap_or_default()
        }
    }

    /// The composer has this text.
    pub fn update(&mut self, mode: ComposerMode, text: &str) {
        match mode {
            ComposerMode::Editing(id) => self.edit = Some((id, text.to_owned())),
            ComposerMode::Replying(id) => (self.text, self.reply_to) = (text.to_owned(), Some(id)),
            ComposerMode::Writing | ComposerMode::Deleting(_) | ComposerMode::Readers(_) => {
                (self.text, self.reply_to) = (text.to_owned(), None);
            }
        }
    }

    /// The message that is edited cannot be: what was written is kept as a new one.
    pub fn keep_edit_as_text(&mut self) {
        if let Some((_, text)) = self.edit.take() {
            let between = if self.text.is_empty() { "" } else { "\n\n" };
            self.text.extend([between, &text]);
        }
    }

    /// What the list of rooms shows.
    pub fn shown(&self) -> &str {
        match &self.edit {
            Some((_, text)) if self.text.is_empty() => text,
            _ => &self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_prefixes_of_users_are_distinct() {
        assert!(draft_in(UserId(1), RoomId(2)).starts_with(&drafts_of(UserId(1))));
        assert!(!draft_in(UserId(12), RoomId(2)).starts_with(&drafts_of(UserId(1))));
    }

    #[test]
    fn reply_and_edit_are_kept_with_their_message() {
        let mut draft = Draft::default();
        draft.update(ComposerMode::Replying(MessageId(7)), "yes");
        assert_eq!(Draft::from_entry(&draft.to_entry()), draft);
        assert_eq!((draft.reply_to, draft.shown()), (Some(MessageId(7)), "yes"));
        draft.update(ComposerMode::Editing(MessageId(8)), "better");
        let read = Draft::from_entry(&draft.to_entry());
        assert_eq!(read.edit, Some((MessageId(8), "better".into())));
        assert_eq!((read.text.as_str(), read.reply_to), ("yes", Some(MessageId(7))), "kept beside");
        draft.update(ComposerMode::Writing, "");
        assert_eq!(draft.shown(), "better", "an edit ends only when it is saved or given up");
        draft.keep_edit_as_text();
        assert_eq!((draft.text.as_str(), &draft.edit), ("better", &None));
        draft.update(ComposerMode::Editing(MessageId(8)), "once more");
        draft.keep_edit_as_text();
        assert_eq!(draft.text, "better\n\nonce more");
        draft.update(ComposerMode::Writing, "");
        assert_eq!(draft.to_entry(), "");
    }

    #[test]
    fn plain_text_is_a_message() {
        for text in ["hello", "{", "7", "{\"a\":1}"] {
            assert_eq!(Draft::from_entry(text), Draft { text: text.into(), ..Draft::default() });
        }
    }
}
