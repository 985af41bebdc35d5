//! Server functions of the UI, under `/ui/`. Each finds the current user, calls the service and returns its result.
//!
//! Functions that change data can be called by a plain form: the response is then a redirect, and an error is stored
//! in a cookie that the next page shows once ([`forms`]). Functions that read return data, and expected errors as
//! data as well.
//!
//! Rules of the chat belong into the service.

pub mod account;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
pub mod identity;
pub mod members;
pub mod messages;
pub mod notifications;
pub mod person;
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

/// Percent-encodes `text` for the query of an address.
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

    /// Signs in with username and password, for the client that sent this request. The server provides it, because
    /// the limit on attempts also depends on the client's address.
    pub type SignIn = Arc<
        dyn Fn(Parts, String, String) -> BoxFuture<'static, chat::Result<accounts::SignIn>> + Send + Sync,
    >;

    /// Creates an account; provided by the server for the same reason.
    pub type SignUp = Arc<dyn Fn(Parts, NewAccount) -> BoxFuture<'static, chat::Result<User>> + Send + Sync>;

    /// The fields of the sign-up form.
    #[derive(Clone)]
    pub struct NewAccount {
        /// The name to sign in with.
        pub username: String,
        pub password: String,
        pub first_name: String,
        pub last_name: String,
    }

    /// What the server provides as context to each page and server function.
    #[derive(Clone)]
    pub struct Context {
        pub chat: Chat,
        pub sign_in: SignIn,
        pub sign_up: SignUp,
        /// Whether the demo account exists and can be used with one click.
        pub demo: bool,
        pub signup_open: bool,
    }
}
