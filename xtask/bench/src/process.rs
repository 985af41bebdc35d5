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

/// A running server; dropping it ends the process that was started for it.
pub(crate) struct Server {
    /// The address it listens on.
    pub(crate) address: SocketAddr,
    /// Its processes.
    processes: Vec<u32>,
    /// The process of its database, when that is another.
    database: Option<u32>,
    child: Option<Child>,
}

/// CPU time since the start of the processes, user and system.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) server: Duration,
    /// That of its database, when that is another process.
    pub(crate) database: Option<Duration>,
}

/// The memory of a server without its database, in KiB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Proportional set size: shared pages count in part.
    pub(crate) proportional: u64,
    /// Resident set size.
    pub(crate) resident: u64,
}

/// The command line of Liao on this data folder and database, without rate limits and with as little logging as possible.
pub(crate) fn liao(binary: &Path, data: &Path, database: &str) -> Command {
    let mut command = Command::new(binary);
    command.arg("serve").arg(format!("--data={}", data.display())).env_clear();
    command.arg(format!("--database-url={database}"));
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

/// The command line of the server in Node, from its folder, on this database.
pub(crate) fn node(folder: &Path, database: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(folder.join("server.js")).arg(database).env("SECRET_KEY", SECRET);
    command
}

impl Server {
    /// Starts it and waits until it prints its address. `database` is the process of its database, when that is another.
    pub(crate) fn start(command: &mut Command, database: Option<u32>) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.split("http://").nth(1)?.trim().parse().ok())
            .context("the server did not start")?;
        Ok(Self { address, processes: vec![child.id()], database, child: Some(child) })
    }

    /// A server that runs already, in these processes.
    pub(crate) fn running(address: SocketAddr, processes: Vec<u32>) -> Self {
        Self { address, processes, database: None, child: None }
    }

    /// The CPU time of its threads so far.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let server = self.processes.iter().map(|process| cpu(*process)).sum::<Result<Duration>>()?;
        Ok(Cpu { server, database: self.database.map(cpu).transpose()? })
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let mut sum = Memory { proportional: 0, resident: 0 };
        for process in &self.processes {
            let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            let field = |name: &str| {
                let line = rollup.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
                    .with_context(|| format!("no {name} in /proc/PID/smaps_rollup"))
            };
            sum.proportional += field("Pss:")?;
            sum.resident += field("Rss:")?;
        }
        Ok(sum)
    }
}

impl Cpu {
    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        let database = self.database.zip(before.database);
        Self {
            server: self.server.saturating_sub(before.server),
            database: database.map(|(now, before)| now.saturating_sub(before)),
        }
    }
}

fn cpu(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may have anything in it; 14th and 15th field are user and kernel.
    let (_, rest) = stat.rsplit_once(')').context("an odd /proc/PID/stat")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>().context("an odd /proc/PID/stat")?;
    Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
