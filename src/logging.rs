//! The log: what happened, for whoever runs the server, on standard error.
//!
//! Passwords, tokens, message texts and queries of URLs are never logged. An event of a request stands in a span with
//! its request id (see [`crate::middleware::request_log`]).

use std::io::{self, IsTerminal};

use tracing_subscriber::{fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{
    config::{Config, LogFormat},
    start_error::StartError,
};

/// Starts logging as the settings say; once in a process, before anything else.
///
/// # Errors
/// [`StartError::System`] when something else has started a log already.
pub fn init(config: &Config) -> Result<(), StartError> {
    let layers = registry().with(config.log.filter());
    let started = match config.log_format {
        LogFormat::Text => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            layers.with(fmt::layer().with_writer(io::stderr).with_ansi(colours)).try_init()
        }
        LogFormat::Json => {
            // The span's fields beside the event's own, where tools that read such lines look for them.
            let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            layers.with(lines.with_writer(io::stderr)).try_init()
        }
    };
    started.map_err(|error| StartError::System(error.to_string()))
}
