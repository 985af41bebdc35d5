//! Every way to end a credential, and a user who has one on each of three devices.

use chat::{
    Chat,
    credential::{Claim, Credential, SessionId, SignInId, TokenClaims},
    model::{Code, RoomId, User},
    service::{
        NotificationSession, RoomSession,
        accounts::{IssuedToken, SessionRecord},
    },
};
use futures::{FutureExt as _, future::BoxFuture};

use crate::support::{World, proved};

pub(super) const PASSWORD: &str = "correct horse 9";
pub(super) const NEW_PASSWORD: &str = "another horse 7";
pub(super) const HOUR: i64 = 3_600_000_000;

/// The credentials of a user on three devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// A browser.
    Browser,
    /// The browser in which the user ends other credentials.
    ThisBrowser,
    /// A program with tokens.
    Program,
}

pub(super) const DEVICES: [Device; 3] = [Device::Browser, Device::ThisBrowser, Device::Program];

/// A user with all their devices.
pub(super) struct Stage {
    pub(super) amy: User,
    pub(super) room: RoomId,
    pub(super) browser: SessionId,
    pub(super) this_browser: SessionId,
    pub(super) refresh: TokenClaims,
}

/// A way to end credentials.
pub(super) struct Way {
    pub(super) name: &'static str,
    /// Run by this process.
    pub(super) end: for<'a> fn(&'a World, &'a Chat, &'a Stage) -> BoxFuture<'a, ()>,
    /// The devices whose credentials end.
    pub(super) ends: &'static [Device],
    pub(super) code: Code,
    /// Whether they end by time. Then no process closes anything at once.
    pub(super) is_by_time: bool,
}

/// Every way to end a credential. A new one is added as a line here.
pub(super) const WAYS: &[Way] = &[
    Way {
        name: "signing out",
        end: |_, chat, stage| {
            async move { chat.delete_session(&stage.browser).await.expect("ended") }.boxed()
        },
        ends: &[Device::Browser],
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "ending a session from elsewhere",
        end: |_, chat, stage| {
            async move { chat.end_session(&stage.amy, &stage.browser).await.expect("ended") }.boxed()
        },
        ends: &[Device::Browser],
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "signing out elsewhere",
        end: |_, chat, stage| {
            async move { chat.sign_out_elsewhere(&stage.amy, &stage.this_browser).await.expect("ended") }
                .boxed()
        },
        ends: &[Device::Browser, Device::Program],
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "a new password",
        end: |_, chat, stage| {
            async move {
                let keep = Some(&stage.this_browser);
                chat.replace_password(&stage.amy, NEW_PASSWORD, keep).await.expect("changed");
            }
            .boxed()
        },
        ends: &[Device::Browser, Device::Program],
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "a new password by the operator",
        end: |_, chat, stage| {
            async move { drop(chat.set_password(&stage.amy.username, NEW_PASSWORD).await.expect("changed")) }
                .boxed()
        },
        ends: &DEVICES,
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "deactivation",
        end: |_, chat, stage| {
            async move { drop(chat.set_active(&stage.amy.username, false).await.expect("deactivated")) }
                .boxed()
        },
        ends: &DEVICES,
        code: Code::UserInactive,
        is_by_time: false,
    },
    Way {
        name: "blacklisting the refresh token",
        end: |_, chat, stage| {
            async move { assert!(chat.blacklist_token(&stage.refresh).await.expect("ended")) }.boxed()
        },
        ends: &[Device::Program],
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "ending the token from elsewhere",
        end: |_, chat, stage| {
            async move { chat.end_token(&stage.amy, &stage.refresh.jti).await.expect("ended") }.boxed()
        },
        ends: &[Device::Program],
        code: Code::TokenNotValid,
        is_by_time: false,
    },
    Way {
        name: "the access token's time",
        end: |world, _, _| async move { world.clock.advance(HOUR) }.boxed(),
        // The session expires first.
        ends: &[Device::Browser, Device::Program],
        code: Code::TokenNotValid,
        is_by_time: true,
    },
    Way {
        name: "the session's time",
        end: |world, _, _| async move { world.clock.advance(HOUR / 2) }.boxed(),
        ends: &[Device::Browser],
        code: Code::TokenNotValid,
        is_by_time: true,
    },
];

/// The claims of the refresh token of a new sign-in, which is stored as issued.
pub(super) async fn sign_in(chat: &Chat, user: &User, jti: &str) -> TokenClaims {
    let make = |created_at| {
        let (jti, agent, sign_in) = (jti.to_owned(), "a test".into(), SignInId::new(jti));
        let expires_at = chat.clock().now().plus_micros(24 * HOUR);
        let claims = TokenClaims {
            jti: jti.clone(),
            sign_in: sign_in.clone(),
            user: user.id,
            issued_at: created_at,
            expires_at,
        };
        Ok((IssuedToken { jti, sign_in, user: user.id, agent, created_at, expires_at }, claims))
    };
    chat.issue_token(&proved(chat, user).await, make).await.expect("signed in")
}

/// A session of `user`.
pub(super) async fn session(chat: &Chat, user: &User, secret: &str, lifetime: i64) -> SessionId {
    let id = SessionId::of_secret(secret);
    let record = SessionRecord {
        id: id.clone(),
        data: "{}".into(),
        user: Some(user.id),
        expires_at: chat.clock().now().plus_micros(lifetime),
    };
    let tokens_from = proved(chat, user).await.tokens_from;
    assert!(chat.create_session(&record, tokens_from).await.expect("stored"));
    id
}

impl Stage {
    pub(super) async fn new(world: &World, name: &str) -> Self {
        let amy = world.person(name).await;
        let room = world.room(&amy).await.id;
        let chat = &world.chat;
        Self {
            browser: session(chat, &amy, &format!("{name} browser"), HOUR / 2).await,
            this_browser: session(chat, &amy, &format!("{name} this"), 24 * HOUR).await,
            refresh: sign_in(chat, &amy, name).await,
            amy,
            room,
        }
    }

    /// The device's claim; for the program an access token valid for an hour.
    pub(super) fn claim(&self, chat: &Chat, device: Device) -> Claim {
        let TokenClaims { sign_in, issued_at, .. } = self.refresh.clone();
        let expires_at = chat.clock().now().plus_micros(HOUR);
        let credential = match device {
            Device::Browser => Credential::Session(self.browser.clone()),
            Device::ThisBrowser => Credential::Session(self.this_browser.clone()),
            Device::Program => Credential::Token { sign_in, issued_at, expires_at },
        };
        Claim { user: self.amy.id, credential }
    }

    pub(super) async fn open(&self, chat: &Chat, device: Device) -> (RoomSession, NotificationSession) {
        let connect = async || chat.connect(self.claim(chat, device)).await.expect("connected");
        let mut room = connect().await.open_room(self.room, None).await.expect("open");
        let mut notifications = connect().await.open_notifications(None).await.expect("open");
        room.next().await.expect("connection_established");
        notifications.next().await.expect("connection_established");
        (room, notifications)
    }
}
