//! The log, on standard error.
//!
//! Passwords, tokens, message contents and query strings are never logged. Events of a request are in a span with its
//! request id (see [`crate::middleware::request_log`]).

use std::io::{self, IsTerminal};

use tracing_subscriber::{fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{
    config::{Config, LogFormat},
    start_error::StartError,
};

/// Initialises logging. To be called once per process, before anything else.
///
/// # Errors
/// [`StartError::System`] if a logger is installed already.
pub fn init(config: &Config) -> Result<(), StartError> {
    let layers = registry().with(config.log.filter());
    let started = match config.log_format {
        LogFormat::Text => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            layers.with(fmt::layer().with_writer(io::stderr).with_ansi(colours)).try_init()
        }
        LogFormat::Json => {
            // Flattened, as most log tools expect it.
            let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            layers.with(lines.with_writer(io::stderr)).try_init()
        }
    };
    started.map_err(|error| StartError::System(error.to_string()))
}
