//! How the events in the room are run, and which of them must be refused.

use std::collections::BTreeSet;

use chat::model::{Code, Message, MessageDraft, MessageId, RoomId, RoomPatch, User};

use super::{known::Members, moves::Move, system::Node};
use crate::support::{
    cast::{banned, muted, role},
    draft,
};

/// Messages of a flood.
const FLOOD: usize = 1_005;
/// Messages of a flood of long ones, and the length of each, four bytes a character: together more than the 1 MiB that
/// is sent again, also when some are edited or deleted at once.
const LONG_FLOOD: usize = 34;
const LONG_CHARACTERS: usize = 10_000;

/// Where an event happens.
#[derive(Clone, Copy)]
pub struct Act<'a> {
    pub node: &'a Node,
    pub people: &'a [User],
    pub room: RoomId,
    /// Messages that can be changed and read.
    pub known: &'a [MessageId],
}

/// Runs one event, and returns the acknowledged messages. Errors by the rules are fine: the history does not check
/// permissions first. But what somebody sends is stored exactly if they may write, which is certain unless an event that
/// runs at the same time concerns them (`targets`).
pub async fn act(
    place: Act<'_>,
    before: &Members,
    targets: &BTreeSet<usize>,
    made: &Move,
) -> Result<Vec<Message>, String> {
    let done = place.run(made).await;
    if let Move::Send { who, .. } = made
        && !targets.contains(who)
    {
        let code = done.as_ref().err().map(chat::Error::code);
        let is_expected = match before.get(&place.people[*who].username) {
            Some(standing) if standing.is_banned => code == Some(Code::Banned),
            Some(standing) if standing.is_muted => code == Some(Code::Muted),
            Some(_) => code.is_none(),
            None => matches!(code, Some(Code::NotAMember | Code::Banned)),
        };
        if !is_expected {
            return Err(format!("{made:?} of {before:?} was answered with {code:?}"));
        }
    }
    done.or_else(|error| match (error.code(), made) {
        (Code::NotAMember | Code::Banned | Code::NotFound | Code::PermissionDenied, _)
        | (Code::Muted, Move::Send { .. } | Move::Edit { .. })
        // Those who are banned get no role and no invitation.
        | (Code::Invalid, Move::SetRole { .. } | Move::Invite { .. }) => Ok(Vec::new()),
        (other, _) => Err(format!("{made:?} was refused: {other:?} ({error})")),
    })
}

impl Act<'_> {
    async fn run(self, made: &Move) -> chat::Result<Vec<Message>> {
        let Self { node, people, room, .. } = self;
        let chat = &node.chat;
        match made {
            Move::Send { who, client_id, mentioned } => {
                let client_id = client_id.map(|id| format!("c-{id}"));
                let text = MessageDraft { client_id, ..draft(&self.text("hello", *mentioned)) };
                return chat.send(&people[*who], room, text).await.map(|stored| vec![stored.message]);
            }
            Move::Flood => return self.flood((0..FLOOD).map(|n| n.to_string())).await,
            Move::LongFlood => {
                return self.flood((0..LONG_FLOOD).map(|_| "𠀀".repeat(LONG_CHARACTERS))).await;
            }
            Move::Edit { who, which, mentioned } => match self.pick(*which) {
                Some(id) => {
                    let text = self.text(&format!("edited {which}"), *mentioned);
                    chat.edit(&people[*who], id, text).await.map(drop)
                }
                None => Ok(()),
            },
            Move::Delete { who, which } => match self.pick(*which) {
                Some(id) => chat.delete(&people[*who], id).await.map(drop),
                None => Ok(()),
            },
            Move::Read { who, which } => match self.pick(*which) {
                Some(id) => chat.mark_read(&people[*who], id).await,
                None => Ok(()),
            },
            Move::ReadAll(who) => chat.mark_all_notifications_read(&people[*who]).await,
            Move::Join(who) => chat.join(&people[*who], room).await,
            Move::Leave(who) => chat.leave(&people[*who], room).await,
            Move::Invite { by, who } => {
                chat.invite(&people[*by], room, &people[*who].username).await.map(drop)
            }
            Move::Remove { by, who } => chat.remove_member(&people[*by], room, people[*who].id).await,
            Move::Ban { by, who, is_banned } => {
                chat.change_member(&people[*by], room, people[*who].id, banned(*is_banned)).await.map(drop)
            }
            Move::Mute { by, who, is_muted } => {
                chat.change_member(&people[*by], room, people[*who].id, muted(*is_muted)).await.map(drop)
            }
            Move::SetRole { by, who, role: name } => {
                chat.change_member(&people[*by], room, people[*who].id, role(name)).await.map(drop)
            }
            Move::RenamePerson { who, name } => chat.rename(&people[*who], &format!("Name {name}"), "").await,
            Move::EditRoom { by, name } => {
                let name = Some(format!("Room {name}"));
                chat.edit_room(&people[*by], room, RoomPatch { name, ..RoomPatch::default() }).await.map(drop)
            }
            Move::StepClock(micros) => {
                node.clock.advance(*micros);
                Ok(())
            }
        }
        .map(|()| Vec::new())
    }

    fn pick(&self, which: usize) -> Option<MessageId> {
        self.known.get(which % self.known.len().max(1)).copied()
    }

    fn text(&self, words: &str, mentioned: Option<usize>) -> String {
        mentioned.map_or(words.into(), |who| format!("{words} @{}", self.people[who].username))
    }

    async fn flood(&self, texts: impl Iterator<Item = String>) -> chat::Result<Vec<Message>> {
        let submit = |text: String| self.node.chat.submit(&self.people[0], self.room, draft(&text));
        let receipts = texts.map(submit).collect::<chat::Result<Vec<_>>>()?;
        let stored = futures::future::try_join_all(receipts).await?;
        Ok(stored.into_iter().map(|stored| stored.message).collect())
    }
}
