//! The process: its doors and what keeps them safe.
//!
//! Three doors lead to the one domain, [`chat`]: REST ([`api`]), sockets ([`ws`]) and
//! the bundled UI ([`ssr`]). A door extracts, calls and shapes the answer; what may be
//! is the domain's to say.
//!
//! Reading order: [`router`] (the whole surface), [`boot`] and [`shutdown`] (start and
//! stop), [`auth`] (who it is), [`error`] (from refusal to words), then the doors.

// A page is one type, nested as deep as its elements.
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
pub mod ws;

use chat::service::accounts::{DEVELOPER, DEVELOPER_PASSWORD};

use crate::{
    cli::{Task, print_line},
    start_error::StartError,
};

/// Does what the command line asked for. The error is one sentence for whoever typed it.
///
/// # Errors
/// Why it could not be done.
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
    // The last line: whoever starts the server by a program waits for it.
    print_line(&format!("Liao is at http://{}", server.address));
    server.serve().await
}
