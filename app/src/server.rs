//! The UI's door: server functions under `/ui/`, thin. Each extracts who asks, calls the service and returns.
//!
//! What changes something is called by a plain form too: it answers such a call with a redirect, and puts a refusal
//! into a cookie that the next page shows once ([`forms`]). What a page reads comes as data, an expected refusal
//! being data as well.
//!
//! It must hold no rule of the chat: those are the service's.

pub mod account;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
pub mod identity;
pub mod members;
pub mod messages;
pub mod notifications;
pub mod preferences;
pub mod quick_switch;
#[cfg(feature = "ssr")]
pub mod request;
pub mod resource;
pub mod room_settings;
pub mod rooms;
pub mod session;

#[cfg(feature = "ssr")]
pub use context::{Context, NewAccount, SignIn, SignUp};

/// `text`, as it stands in the query of an address.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(feature = "ssr")]
mod context {
    use std::sync::Arc;

    use axum::http::request::Parts;
    use chat::{Chat, model::User, service::accounts};
    use futures::future::BoxFuture;

    /// Signs in with a username and a password, for the client that sent this request. The process does it, and not
    /// the domain alone, since how often one may guess goes by the client's address, too.
    pub type SignIn = Arc<
        dyn Fn(Parts, String, String) -> BoxFuture<'static, chat::Result<accounts::SignIn>> + Send + Sync,
    >;

    /// Makes an account, for the same reason.
    pub type SignUp = Arc<dyn Fn(Parts, NewAccount) -> BoxFuture<'static, chat::Result<User>> + Send + Sync>;

    /// What a stranger says of themselves.
    #[derive(Clone)]
    pub struct NewAccount {
        /// The name to sign in with.
        pub username: String,
        /// The password.
        pub password: String,
        /// Given name.
        pub first_name: String,
        /// Family name.
        pub last_name: String,
    }

    /// What the process gives every page and server function, by `provide_context`.
    #[derive(Clone)]
    pub struct Context {
        /// The domain.
        pub chat: Chat,
        /// How to sign in.
        pub sign_in: SignIn,
        /// How to make an account.
        pub sign_up: SignUp,
        /// Is this a demo, where one click signs in the demo account?
        pub demo: bool,
        /// May strangers make an account?
        pub signup_open: bool,
    }
}
