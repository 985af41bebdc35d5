//! Starts the servers under load, and reads their CPU time and memory.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};

/// Signs the tokens of the benchmark's users.
pub(crate) const SECRET: &str = "the benchmark's own secret, known to nobody else";

/// A running server; dropping it ends the process.
pub(crate) struct Server {
    /// The address it listens on.
    pub(crate) address: SocketAddr,
    child: Child,
}

/// The memory of a process, in KiB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Proportional set size: shared pages count in part.
    pub(crate) proportional: u64,
    /// Resident set size.
    pub(crate) resident: u64,
}

/// The command line of Liao on this data folder, without rate limits and with as little logging as possible.
pub(crate) fn liao(binary: &Path, data: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("serve").arg(format!("--data={}", data.display())).env_clear();
    command.args(["--listen=127.0.0.1:0", "--log=warn"]);
    for limit in
        ["writes-per-second", "acts-per-minute", "read-marks-per-second", "rooms-per-day", "sockets-per-user"]
    {
        command.arg(format!("--{limit}=0"));
    }
    command.env("LIAO_SECRET_KEY", SECRET);
    command
}

/// The command line of the bare broadcast.
pub(crate) fn bare() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("this program lies nowhere")?);
    command.arg("bare");
    Ok(command)
}

impl Server {
    /// Starts it and waits until it prints its address.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.split("http://").nth(1)?.trim().parse().ok())
            .context("the server did not start")?;
        Ok(Self { address, child })
    }

    /// The CPU time of its threads so far, user and system.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may have anything in it; 14th and 15th field are user and kernel.
        let (_, rest) = stat.rsplit_once(')').context("an odd /proc/PID/stat")?;
        let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>().context("an odd /proc/PID/stat")?;
        Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let field = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok())
                .with_context(|| format!("no {name} in /proc/PID/smaps_rollup"))
        };
        Ok(Memory { proportional: field("Pss:")?, resident: field("Rss:")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
