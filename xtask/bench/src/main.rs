//! Liao's benchmark: `cargo xtask bench` builds this program and the server with optimisations and runs it.
//!
//! It starts the server on a folder of its own, generates load through the public API, and checks every delivery: once, in
//! order, with the right text. The baseline is [`bare`], which does the same fan-out without a database, JSON or accounts.
//!
//! Because it shares the machine with the server, it uses little CPU: one thread, small clients of its own for WebSockets
//! ([`socket`]) and HTTP ([`http`]), and no JSON parsing for a delivery ([`message`]).
//! The parts are [`fanout`], [`durable`], [`marks`], [`reading`], [`idle`] and [`start`]; the goals are in [`goals`].

mod bare;
mod conditions;
mod disk;
mod durable;
mod fanout;
mod goals;
mod http;
mod idle;
mod marks;
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

/// The arguments of every part.
struct Bench {
    run: Run,
}

impl Bench {
    /// `full`, or with `--quick` the shorter `quick`.
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
            // One thread: the server needs the cores, and nothing here needs a lock.
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
