//! Start-up: port, data folder, database, domain, router, in this order. Each failure is a [`StartError`] with one
//! sentence.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use chat::{
    Chat, Settings,
    clock::Clock,
    service::{KeyAgreement, Unready},
    store::{Store, StoreError},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    assets,
    auth::{self, Auth},
    config::{Config, CountLimit, RedisUrl},
    connections::{HttpServer, limits::Limits},
    data_folder,
    health::{self, DependencyDown, Health},
    metrics::Metrics,
    router,
    shutdown::{self, Shutdown},
    start_error::StartError,
    state::AppState,
    ws::handshake_limiter::HandshakeLimiter,
};

/// The assumed limit on open files if the system does not tell it.
const DEFAULT_OPEN_FILES: u64 = 1_024;

/// A started server that does not accept connections yet.
pub struct Server {
    /// The address it listens on.
    pub address: SocketAddr,
    /// Was the demo account created in this start?
    pub made_demo_account: bool,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    chat: Chat,
    shutdown: Shutdown,
}

/// Opens an existing database for a command, whether or not a server is running, and starts the domain on it. Only a
/// server creates a database and migrates its schema.
///
/// # Errors
/// The [`StartError`]s about databases.
pub async fn open_existing(config: &Config) -> Result<Chat, StartError> {
    check_redis(config)?;
    start_chat(config, Store::open_existing(config.database_url.expose()).await)
}

/// Opens the database for a server, migrates it, and starts the domain on it.
async fn open(config: &Config) -> Result<Chat, StartError> {
    check_redis(config)?;
    data_folder::prepare(&config.data)?;
    start_chat(config, Store::open(config.database_url.expose()).await)
}

fn check_redis(config: &Config) -> Result<(), StartError> {
    if config.redis_url.is_some() && config.database_url.is_file() {
        return Err(StartError::RedisWithoutServer);
    }
    Ok(())
}

fn start_chat(config: &Config, store: Result<Store, StoreError>) -> Result<Chat, StartError> {
    // Somebody who tries the program out does in minutes what users do in weeks.
    let unless_demo = |limit: CountLimit| limit.0.filter(|_| !config.demo).unwrap_or_default();
    let settings = Settings {
        sign_up: config.sign_up,
        required_group: config.required_group.clone(),
        writes_per_second: config.writes_per_second.0.unwrap_or_default(),
        write_burst: config.write_burst.0.unwrap_or_default(),
        acts_per_minute: unless_demo(config.acts_per_minute),
        act_burst: config.act_burst.0.unwrap_or_default(),
        read_marks_per_second: config.read_marks_per_second.0.unwrap_or_default(),
        read_mark_burst: config.read_mark_burst.0.unwrap_or_default(),
        rooms_per_day: unless_demo(config.rooms_per_day),
        invitations_per_hour: unless_demo(config.invitations_per_hour),
        signals_per_second: config.signals_per_second.0.unwrap_or_default(),
        sockets_per_user: config.sockets_per_user.0.unwrap_or_default().try_into().unwrap_or(usize::MAX),
        build: assets::build(),
        redis: config.redis_url.as_ref().map(RedisUrl::addresses),
        ..Settings::default()
    };
    let store = store.map_err(|error| database_error(config, error))?;
    Ok(Chat::start(store, settings, Clock::System))
}

/// With `--demo`, creates the demo account in an empty database, and returns whether it did. Without `--demo`, fails if
/// the account still has its public password: a server that was tried out as a demo and then opened to others would
/// let anybody in.
async fn demo_account(config: &Config, chat: &Chat) -> Result<bool, StartError> {
    let failed = |error: chat::Error| StartError::System(error.to_string());
    if config.demo {
        return Ok(chat.ensure_demo_account().await.map_err(failed)?.is_some());
    }
    if chat.has_demo_password().await.map_err(failed)? {
        return Err(StartError::DemoPassword { location: config.database_url.location() });
    }
    Ok(false)
}

/// Checks that this server signs tokens with the same key as the other servers on its database. A server with a
/// generated key of its own would reject everybody who signed in elsewhere. A key set by the operator replaces the
/// previous one.
async fn agree_on_key(config: &Config, chat: &Chat, auth: &Auth) -> Result<(), StartError> {
    if config.database_url.is_file() {
        return Ok(());
    }
    let check = auth.key_fingerprint().map_err(|error| StartError::System(error.to_string()))?;
    let agreed = chat.agree_on_key(&check, config.secret_key.is_some()).await;
    match agreed.map_err(|error| StartError::System(error.to_string()))? {
        KeyAgreement::Same => Ok(()),
        KeyAgreement::Changed => {
            tracing::warn!(
                "the secret key is a new one: tokens signed before are void, and every server needs this key"
            );
            Ok(())
        }
        KeyAgreement::Another => Err(StartError::AnotherKey { location: config.database_url.location() }),
    }
}

fn database_error(config: &Config, error: StoreError) -> StartError {
    let location = config.database_url.location();
    match error {
        StoreError::Unreachable(reason) => StartError::DatabaseUnreachable { location, reason },
        StoreError::InUse => StartError::DatabaseInUse { location },
        StoreError::NoSchema => StartError::NoSchema { location },
        StoreError::OlderSchema { found, known } => StartError::OlderSchema { location, found, known },
        StoreError::Unreleased => StartError::UnreleasedSchema { location },
        StoreError::NewerSchema { found, known } => StartError::NewerSchema { location, found, known },
        StoreError::SchemaLock(_)
        | StoreError::Migration(_)
        | StoreError::Database(_)
        | StoreError::CommitUnknown(_)
        | StoreError::Corrupt(_) => StartError::Database { location, reason: error.to_string() },
    }
}

/// Opens the port and builds the server.
///
/// # Errors
/// All of [`StartError`].
pub async fn start(config: Config) -> Result<Server, StartError> {
    let limits = Limits::new(&config, raise_open_file_limit());
    let shutdown = Shutdown::new();
    // The port first, so that a second server fails before it touches the data.
    let listener = shutdown::listen(config.listen).await?;
    let address = listener.local_addr().map_err(|error| StartError::listening(config.listen, &error))?;
    // Before the domain, which looks its metrics up once.
    let metrics = Metrics::install()?;
    tokio::spawn(metrics.clone().run_upkeep(shutdown.token()));
    if let Some(address) = config.metrics_listen {
        let listener = shutdown::listen(address).await?;
        serve_metrics(listener, metrics.clone().routes(), limits.clone(), shutdown.token());
    }
    let chat = open(&config).await?;
    let secret = data_folder::secret_key(&config.data, config.secret_key.as_ref())?;
    let auth = Auth::new(&config, &secret, chat.clock().clone());
    agree_on_key(&config, &chat, &auth).await?;
    let max_lifetime = config.refresh_token_lifetime.max(config.access_token_lifetime);
    tokio::spawn(auth::session::sweep(chat.clone(), max_lifetime));
    let made_demo_account = demo_account(&config, &chat).await?;

    if !assets::is_built() {
        tracing::warn!("the site was not built: pages come without style and script; run cargo xtask build");
    }
    let health = Health::new(shutdown.clone(), {
        let chat = chat.clone();
        move || {
            let chat = chat.clone();
            async move {
                chat.ready().await.map_err(|unready| {
                    let sentence = match unready {
                        Unready::Database(_) => health::NO_DATABASE,
                        Unready::Redis => "Redis does not answer.",
                    };
                    DependencyDown { sentence, reason: unready.to_string() }
                })
            }
        }
    });
    let state = AppState {
        chat: chat.clone(),
        auth,
        options: assets::leptos_options(&config),
        config: Arc::new(config),
        shutdown: shutdown.clone(),
        handshakes: HandshakeLimiter::default(),
    };
    let router = router::router(state, health, metrics);
    Ok(Server { address, made_demo_account, listener, router, limits, chat, shutdown })
}

/// Serves the metrics on their own port until `stopping`.
fn serve_metrics(listener: TcpListener, router: Router, limits: Limits, stopping: CancellationToken) {
    tokio::spawn(async move {
        let server = HttpServer::new(router, limits);
        stopping.run_until_cancelled(server.accept(&listener)).await;
    });
}

/// Raises the limit on open files as far as the system allows, and returns it. Each socket is an open file, and the
/// usual soft limit of 1,024 is too low.
fn raise_open_file_limit() -> u64 {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => {
            tracing::debug!(files, "open files allowed");
            files
        }
        Err(error) => {
            tracing::warn!(%error, "the limit on open files stays as it was");
            DEFAULT_OPEN_FILES
        }
    }
}

impl Server {
    /// Serves until a signal, then stops in the order described in [`crate::shutdown`].
    ///
    /// # Errors
    /// [`StartError::System`] if no signal handler can be installed.
    pub async fn serve(self) -> Result<(), StartError> {
        self.shutdown.on_signals()?;
        self.shutdown.serve(self.listener, self.router, self.limits).await;
        self.chat.stop().await;
        Ok(())
    }
}
