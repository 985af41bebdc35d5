//! Starting: data folder, database, domain, router, port, in this order, each failure
//! one sentence. The result is a value, so that start and stop can run anywhere.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use chat::{
    Chat, Settings,
    service::{Clock, KeyAgreement, Unready},
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
    health::{self, Absence, Health},
    metrics::Metrics,
    router,
    shutdown::{self, Shutdown},
    start_error::StartError,
    state::AppState,
    ws::handshake::Turns,
};

/// Open files that there are at least, where the system does not say.
const OPEN_FILES: u64 = 1_024;

/// A server that is ready to serve.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Was the demo account made now, in a database that had nobody?
    pub made_demo_account: bool,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    chat: Chat,
    shutdown: Shutdown,
}

/// Opens the database for a command, beside its server or without one, and starts the domain on it. Only a server makes
/// a database and changes its schema.
///
/// # Errors
/// What [`StartError`] says of databases.
pub async fn open_existing(config: &Config) -> Result<Chat, StartError> {
    check_redis(config)?;
    domain(config, Store::open_existing(config.database_url.expose()).await)
}

/// Opens the database for a server and starts the domain on it.
async fn open(config: &Config) -> Result<Chat, StartError> {
    check_redis(config)?;
    data_folder::prepare(&config.data)?;
    domain(config, Store::open(config.database_url.expose()).await)
}

fn check_redis(config: &Config) -> Result<(), StartError> {
    if config.redis_url.is_some() && config.database_url.is_file() {
        return Err(StartError::RedisWithoutServer);
    }
    Ok(())
}

fn domain(config: &Config, store: Result<Store, StoreError>) -> Result<Chat, StartError> {
    // Whoever tries the program out does in minutes what people do in weeks.
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
        redis: config.redis_url.as_ref().map(RedisUrl::addresses),
        ..Settings::default()
    };
    let store = store.map_err(|error| database(config, error))?;
    Ok(Chat::start(store, settings, Clock::System))
}

/// Makes the demo account where this is a demo with nobody in it; whether it did. Without `--demo` the account's
/// password, which everybody knows, may not be in use: whoever tried the server out and then opened it to others
/// would let everybody in.
async fn demo_account(config: &Config, chat: &Chat) -> Result<bool, StartError> {
    let failed = |error: chat::Error| StartError::System(error.to_string());
    if config.demo {
        return Ok(chat.ensure_demo_account().await.map_err(failed)?.is_some());
    }
    if chat.has_demo_password().await.map_err(failed)? {
        return Err(StartError::DemoPassword { place: config.database_url.place() });
    }
    Ok(false)
}

/// Sees that this server signs tokens with the key that the others on its database use. One that made a key of its
/// own, in its own data folder, would refuse everybody whom another signed in. A key that the operator set is the
/// system's from then on.
async fn agree_on_key(config: &Config, chat: &Chat, auth: &Auth) -> Result<(), StartError> {
    if config.database_url.is_file() {
        return Ok(());
    }
    let check = auth.key_check().map_err(|error| StartError::System(error.to_string()))?;
    let agreed = chat.agree_on_key(&check, config.secret_key.is_some()).await;
    match agreed.map_err(|error| StartError::System(error.to_string()))? {
        KeyAgreement::Same => Ok(()),
        KeyAgreement::Changed => {
            tracing::warn!(
                "the secret key is a new one: tokens signed before are void, and every server needs this key"
            );
            Ok(())
        }
        KeyAgreement::Another => Err(StartError::AnotherKey { place: config.database_url.place() }),
    }
}

fn database(config: &Config, error: StoreError) -> StartError {
    let place = config.database_url.place();
    match error {
        StoreError::Unreachable(reason) => StartError::DatabaseUnreachable { place, reason },
        StoreError::InUse => StartError::DatabaseInUse { place },
        StoreError::NoSchema => StartError::NoSchema { place },
        StoreError::OlderSchema { found, known } => StartError::OlderSchema { place, found, known },
        StoreError::NewerSchema { found, known } => StartError::NewerSchema { place, found, known },
        StoreError::SchemaLock(_)
        | StoreError::Migration(_)
        | StoreError::Database(_)
        | StoreError::CommitUnknown(_)
        | StoreError::Corrupt(_) => StartError::Database { place, reason: error.to_string() },
    }
}

/// Builds the server and opens its port.
///
/// # Errors
/// Each of [`StartError`].
pub async fn start(config: Config) -> Result<Server, StartError> {
    let limits = Limits::new(&config, allow_open_files());
    let shutdown = Shutdown::new();
    // The port first: a second server says so before it has touched the data.
    let listener = shutdown::listen(config.listen).await?;
    let address = listener.local_addr().map_err(|error| StartError::listening(config.listen, &error))?;
    // Before the domain, which looks its figures up once.
    let metrics = Metrics::install()?;
    tokio::spawn(metrics.clone().keep(shutdown.token()));
    if let Some(address) = config.metrics_listen {
        let listener = shutdown::listen(address).await?;
        serve_metrics(listener, metrics.clone().routes(), limits.clone(), shutdown.token());
    }
    let chat = open(&config).await?;
    let secret = data_folder::secret_key(&config.data, config.secret_key.as_ref())?;
    let auth = Auth::new(&config, &secret, chat.clock().clone());
    agree_on_key(&config, &chat, &auth).await?;
    let longest = config.refresh_token_lifetime.max(config.access_token_lifetime);
    tokio::spawn(auth::session::sweep(chat.clone(), longest));
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
                    Absence { sentence, reason: unready.to_string() }
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
        turns: Turns::default(),
    };
    let router = router::router(state, health, metrics);
    Ok(Server { address, made_demo_account, listener, router, limits, chat, shutdown })
}

/// Serves the metrics on a port of their own until `stopping`.
fn serve_metrics(listener: TcpListener, router: Router, limits: Limits, stopping: CancellationToken) {
    tokio::spawn(async move {
        let server = HttpServer::new(router, limits);
        stopping.run_until_cancelled(server.accept(&listener)).await;
    });
}

/// As many as the system lets us have: each socket is one, and what a shell or a service is given at first, often
/// 1,024, would be too few. How many there may be.
fn allow_open_files() -> u64 {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => {
            tracing::debug!(files, "open files allowed");
            files
        }
        Err(error) => {
            tracing::warn!(%error, "the limit on open files stays as it was");
            OPEN_FILES
        }
    }
}

impl Server {
    /// Serves until a signal, then stops in the order that [`crate::shutdown`] gives.
    ///
    /// # Errors
    /// [`StartError::System`] when the system takes signals away.
    pub async fn serve(self) -> Result<(), StartError> {
        self.shutdown.on_signals()?;
        self.shutdown.serve(self.listener, self.router, self.limits).await;
        self.chat.stop().await;
        Ok(())
    }
}
