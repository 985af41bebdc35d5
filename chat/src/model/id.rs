//! Identifiers: positive integers below 2^53, because JavaScript parses them as doubles.

use serde::{Deserialize, Serialize};

/// The largest integer that JavaScript represents exactly (`Number.MAX_SAFE_INTEGER`).
pub const MAX_ID: i64 = (1 << 53) - 1;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Returns the id if `value` is in the valid range, 1 to [`MAX_ID`].
            pub fn checked(value: i64) -> Option<Self> {
                (1..=MAX_ID).contains(&value).then_some(Self(value))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// A user's id.
    UserId
}
id! {
    /// A room's id.
    RoomId
}
id! {
    /// A message's id: unique in the whole system, increasing within a room.
    MessageId
}
id! {
    /// A notification's id. [`NotificationRef`](super::notification::NotificationRef) is its decoded form.
    NotificationId
}
