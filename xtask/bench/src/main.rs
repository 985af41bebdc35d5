//! Liao's benchmark: `cargo xtask bench` builds this program and the server with optimisations and runs it.
//!
//! It starts the server on a folder of its own, loads it as its clients do, and checks every single delivery: that
//! it came, once, in order, and says what was sent. Beside the server runs [`bare`], which does the same fan-out
//! without a database, JSON or accounts: the floor that no chat server on this machine gets under.
//!
//! The program shares the machine with the server, so it is careful with the processor: one thread, its own small
//! reading of sockets ([`socket`]) and of HTTP ([`http`]), and no JSON parsed for a delivery ([`message`]).
//! What a part measures is said at its head: [`fanout`], [`durable`], [`reading`], [`idle`], [`start`]. What
//! the figures are judged by stands in [`goals`] alone.

mod bare;
mod conditions;
mod disk;
mod durable;
mod fanout;
mod goals;
mod http;
mod idle;
mod message;
mod process;
mod reading;
mod report;
mod seed;
mod socket;
mod start;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use report::Report;

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
    /// Be the bare broadcast that the server is compared with
    Bare,
}

/// What stands between the table and what a person has to say of it.
const BY_HAND: &str = "<!-- By hand from here on: the benchmark leaves it as it is. -->\n";

/// What to measure, and with what.
#[derive(clap::Args)]
struct Run {
    /// The server's binary
    #[arg(long)]
    server: PathBuf,
    /// Where the servers' data go for the time being: on the disk that is to be measured
    #[arg(long)]
    folder: PathBuf,
    /// Fewer points, shorter
    #[arg(long)]
    quick: bool,
    /// Write the table to this file instead of standard output
    #[arg(long)]
    write: Option<PathBuf>,
    /// Which parts; all when none is named
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Fanout,
    Durable,
    Reading,
    Idle,
    Start,
}

/// What every part is handed.
struct Bench {
    run: Run,
}

impl Bench {
    /// The longer of two lengths, or the shorter when there is little time.
    fn either<T>(&self, full: T, quick: T) -> T {
        if self.run.quick { quick } else { full }
    }
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
        Command::Bare => runtime(tokio::runtime::Builder::new_multi_thread())?.block_on(bare::serve()),
        Command::Run(run) => {
            let bench = Bench { run };
            let wanted = rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the open files")?;
            say(&format!("open files: {wanted}"));
            // One thread: the server needs the cores more, and nothing here has to be locked.
            let runtime = runtime(tokio::runtime::Builder::new_current_thread())?;
            tokio::task::LocalSet::new().block_on(&runtime, measure(&bench))
        }
    }
}

fn runtime(mut builder: tokio::runtime::Builder) -> Result<tokio::runtime::Runtime> {
    builder.enable_all().build().context("no runtime")
}

async fn measure(bench: &Bench) -> Result<()> {
    let mut report = Report::new(conditions::read(bench)?);
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
    if is_wanted(Part::Fanout) {
        fanout::measure(bench, &mut report).await?;
    }
    let text = report.markdown();
    match &bench.run.write {
        Some(file) => put(file, &text).with_context(|| format!("cannot write {}", file.display())),
        None => std::io::stdout().lock().write_all(text.as_bytes()).context("nobody reads the table"),
    }
}

/// Writes the table, and leaves as it is what a person wrote below it.
fn put(file: &Path, table: &str) -> std::io::Result<()> {
    let before = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let by_hand = before.find(BY_HAND).map_or(BY_HAND, |at| &before[at..]);
    std::fs::write(file, format!("{table}\n{by_hand}"))
}

/// Tells whoever waits what is going on.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "bench: {text}");
}
