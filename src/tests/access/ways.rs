//! The ways of losing access.

/// How a user loses access to a room, to a part of it, or to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They never were a member.
    Never,
    Left,
    Removed,
    Banned,
    BannedAndLeft,
    BannedAndRemoved,
    LeftAndBanned,
    Muted,
    RoomDeleted,
    Deactivated,
    /// The browser's session ended.
    SignedOut,
    /// `POST /api/token/blacklist/` with the refresh token.
    SignInEnded,
    /// By another browser of the same user, which ends everything else.
    PasswordChanged,
    TokenExpired,
}

pub const WAYS: [Way; 14] = [
    Way::Never,
    Way::Left,
    Way::Removed,
    Way::Banned,
    Way::BannedAndLeft,
    Way::BannedAndRemoved,
    Way::LeftAndBanned,
    Way::Muted,
    Way::RoomDeleted,
    Way::Deactivated,
    Way::SignedOut,
    Way::SignInEnded,
    Way::PasswordChanged,
    Way::TokenExpired,
];

/// What a request is authenticated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Token,
    /// The session of the bundled UI.
    Cookie,
}

impl Way {
    pub fn is_ban(self) -> bool {
        matches!(self, Self::Banned | Self::BannedAndLeft | Self::BannedAndRemoved | Self::LeftAndBanned)
    }

    /// Is the user still a member, banned or not?
    pub fn is_present(self) -> bool {
        !matches!(
            self,
            Self::Never
                | Self::Left
                | Self::Removed
                | Self::BannedAndLeft
                | Self::BannedAndRemoved
                | Self::LeftAndBanned
        )
    }

    /// Does this credential end?
    pub fn ends(self, via: Via) -> bool {
        match self {
            Self::Deactivated | Self::PasswordChanged => true,
            Self::SignedOut => via == Via::Cookie,
            Self::SignInEnded | Self::TokenExpired => via == Via::Token,
            Self::Never
            | Self::Left
            | Self::Removed
            | Self::Banned
            | Self::BannedAndLeft
            | Self::BannedAndRemoved
            | Self::LeftAndBanned
            | Self::Muted
            | Self::RoomDeleted => false,
        }
    }

    /// Are rooms lost, and no credential?
    pub fn is_of_rooms(self) -> bool {
        !self.ends(Via::Token) && !self.ends(Via::Cookie)
    }

    /// The credentials to try. One that is not concerned lost nothing.
    pub fn vias(self) -> Vec<Via> {
        let both = [Via::Token, Via::Cookie].into_iter();
        both.filter(|&via| self.is_of_rooms() || self.ends(via)).collect()
    }

    /// The same for calls of the API, in which a dead cookie counts as absent.
    pub fn vias_of_calls(self) -> &'static [Via] {
        match self {
            Self::SignedOut => &[Via::Cookie],
            Self::PasswordChanged => &[Via::Token, Via::Cookie],
            _ => &[Via::Token],
        }
    }

    /// Is it known at once to the server that the user is connected to? The command line is another process.
    pub fn is_at_once(self) -> bool {
        self != Self::Deactivated
    }

    /// Do open sockets to the room stay open?
    pub fn keeps_sockets(self) -> bool {
        self == Self::Muted
    }

    /// May the user still mark messages of the room as read with a frame?
    pub fn may_mark_by_frame(self) -> bool {
        matches!(self, Self::Muted | Self::RoomDeleted)
    }

    /// May the user still mark messages of the room as read?
    pub fn may_mark_read(self) -> bool {
        self == Self::Muted
    }
}
