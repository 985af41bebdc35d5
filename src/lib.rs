//! The server binary: HTTP and WebSocket handlers around the domain crate [`chat`].
//!
//! There are three entry points: REST ([`api`]), WebSockets ([`ws`]) and the bundled UI ([`ssr`]). A handler extracts
//! the input, calls the domain, and shapes the response. All rules are in the domain.
//!
//! Reading order: [`router`] (all routes), [`boot`] and [`shutdown`] (start and stop), [`auth`] (authentication),
//! [`error`] (error responses), then the entry points.

// The type of a page is nested as deep as its elements.
#![recursion_limit = "512"]

pub mod api;
pub mod assets;
pub mod auth;
pub mod boot;
pub mod cli;
pub mod config;
pub mod connections;
pub mod data_folder;
mod dev_reload;
pub mod error;
pub mod health;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod router;
pub mod shutdown;
pub mod ssr;
pub mod start_error;
pub mod state;
pub mod websocket;
pub mod ws;

use chat::service::accounts::{DEVELOPER, DEVELOPER_PASSWORD};

use crate::{
    cli::{Task, print_line},
    start_error::StartError,
};

/// Runs a command.
///
/// # Errors
/// One sentence for the user.
pub fn run(task: Task) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::System(error.to_string()).to_string())?;
    runtime.block_on(async {
        match task {
            Task::Serve(config) => serve(config).await.map_err(|error| error.to_string()),
            Task::Users(config, command) => {
                let chat = boot::open_existing(&config).await.map_err(|error| error.to_string())?;
                let done = cli::users::run(&chat, command).await;
                chat.stop().await;
                done.map(|sentence| print_line(&sentence))
            }
            Task::Rooms(config, command) => {
                let chat = boot::open_existing(&config).await.map_err(|error| error.to_string())?;
                let done = cli::rooms::run(&chat, command).await;
                chat.stop().await;
                done.map(|sentence| print_line(&sentence))
            }
            Task::CreateDeveloperGroup(config, password) => {
                let chat = boot::open_existing(&config).await.map_err(|error| error.to_string())?;
                let done = cli::users::create_developer_group(&chat, password).await;
                chat.stop().await;
                done.map(|sentence| print_line(&sentence))
            }
        }
    })
}

async fn serve(config: config::Config) -> Result<(), StartError> {
    logging::init(&config)?;
    let server = boot::start(config).await?;
    if server.made_demo_account {
        print_line(&format!("Demo account: {DEVELOPER} / {DEVELOPER_PASSWORD}"));
    }
    // The last line: programs that start the server wait for it.
    print_line(&format!("Liao is at http://{}", server.address));
    server.serve().await
}
