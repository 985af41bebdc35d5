//! Liao's benchmark: `cargo xtask bench` builds this program and the server with optimisations and runs it.
//!
//! It starts the server on a folder of its own, generates load through the public API, and checks every delivery: once, in
//! order, with the right text. Beside Liao it measures, in the same run and with the same checks, [`bare`], which does the same
//! fan-out without a database, JSON or accounts; the chat server in Node of `xtask/peers/node`; and with `--beside` any
//! running server that speaks the same API. A [`host::Host`] is one of them with the people and rooms that a part needs.
//!
//! Because it shares the machine with the server, it uses little CPU: one thread, small clients of its own for WebSockets
//! ([`socket`]) and HTTP ([`http`]), and no JSON parsing for a delivery ([`message`]).
//! The parts are [`fanout`], [`durable`], [`marks`], [`reading`], [`idle`] and [`start`]; the goals are in [`goals`].

mod api;
mod bare;
mod beside;
mod conditions;
mod context;
mod cost;
mod disk;
mod durable;
mod fanout;
mod goals;
mod host;
mod http;
mod idle;
mod mariadb;
mod marks;
mod message;
mod process;
mod reading;
mod report;
mod seed;
mod sender;
mod side;
mod socket;
mod start;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use context::Bench;
use report::Report;
use side::Database;

#[derive(Parser)]
#[command(name = "liao-bench", about = "Liao's benchmark; `cargo xtask bench` builds and calls it")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure and print the table
    Run(Run),
    /// Run the bare broadcast that the server is compared with
    Bare,
}

/// Separates the table from the text below it.
const BY_HAND: &str = "<!-- By hand from here on: the benchmark leaves it as it is. -->\n";

/// What to measure, and with what.
#[derive(clap::Args)]
struct Run {
    /// The server's binary
    #[arg(long)]
    server: PathBuf,
    /// A folder for the servers' data, on the disk that is to be measured
    #[arg(long)]
    folder: PathBuf,
    /// The folder of the server in Node, with its packages installed
    #[arg(long)]
    node: Option<PathBuf>,
    /// Why there is none, for the report
    #[arg(long, default_value = "no folder was named")]
    without_node: String,
    /// Measure this running server too: http://HOST:PORT on this machine, with the same API. It must have active people
    /// with the ids 1 to 5,000 (10,000 without --quick) and no limits on requests, sockets, rooms and members. Rooms and
    /// messages are made through its API and stay
    #[arg(long, value_name = "URL", requires = "beside_key")]
    beside: Option<String>,
    /// The key with which that server's tokens are signed (HS256); a token's user is the claim `user_id`
    #[arg(long, value_name = "KEY", requires = "beside")]
    beside_key: Option<String>,
    /// With mariadb, measure Liao on a MariaDB of the benchmark's own too, after SQLite
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    /// Fewer points, shorter
    #[arg(long)]
    quick: bool,
    /// Write the table to this file instead of standard output
    #[arg(long)]
    write: Option<PathBuf>,
    /// The parts to run; all when none is named
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Fanout,
    Durable,
    Marks,
    Reading,
    Idle,
    Start,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Bare => bare::serve(),
        Command::Run(run) => {
            let bench = Bench::new(run)?;
            let wanted = rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the open files")?;
            say(&format!("open files: {wanted}"));
            // One thread: the server needs the cores, and nothing here needs a lock.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("no runtime")?;
            tokio::task::LocalSet::new().block_on(&runtime, measure(&bench))
        }
    }
}

async fn measure(bench: &Bench) -> Result<()> {
    let mut report = Report::new(conditions::read(bench)?, bench.columns());
    let is_wanted = |part| bench.run.parts.is_empty() || bench.run.parts.contains(&part);
    if is_wanted(Part::Start) {
        start::measure(bench, &mut report).await?;
    }
    if is_wanted(Part::Idle) {
        idle::measure(bench, &mut report).await?;
    }
    if is_wanted(Part::Reading) {
        reading::measure(bench, &mut report).await?;
    }
    if is_wanted(Part::Durable) {
        durable::measure(bench, &mut report).await?;
    }
    if is_wanted(Part::Marks) {
        marks::measure(bench, &mut report).await?;
    }
    if is_wanted(Part::Fanout) {
        fanout::measure(bench, &mut report).await?;
    }
    let text = report.markdown();
    match &bench.run.write {
        Some(file) => put(file, &text).with_context(|| format!("cannot write {}", file.display())),
        None => std::io::stdout().lock().write_all(text.as_bytes()).context("nobody reads the table"),
    }
}

/// Writes the table, and keeps the text below it.
fn put(file: &Path, table: &str) -> std::io::Result<()> {
    let before = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let by_hand = before.find(BY_HAND).map_or(BY_HAND, |at| &before[at..]);
    std::fs::write(file, format!("{table}\n{by_hand}"))
}

/// Prints progress.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "bench: {text}");
}
