//! Runs and stops other programs.

use std::{
    env, iter,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{consts::TERM_SIGNALS, flag};

/// How long a program may take to end after SIGTERM before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// Runs a program whose output goes to the terminal; an error when it does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", name(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a program whose output is shown only when it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start `{}`", name(command)))?;
    if !output.status.success() {
        eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{}` failed ({})", line(command), output.status);
    }
    Ok(())
}

/// What a program printed, trimmed; `None` when it cannot be started or does not succeed.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The path of a program in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// A flag that SIGINT, SIGTERM and the like set, instead of ending this program.
pub(crate) fn interrupt_flag() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        flag::register(*signal, Arc::clone(&interrupted)).context("cannot listen for signals")?;
    }
    Ok(interrupted)
}

/// Starts a program in a process group of its own, for [`stop`]. Ctrl-C on the terminal does not reach it.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    command.process_group(0).spawn().with_context(|| format!("cannot start `{}`", name(command)))
}

/// Ends what [`spawn`] started, with the programs that it runs: SIGTERM, and SIGKILL to itself after [`STOP_TIMEOUT`].
pub(crate) fn stop(mut child: Child) -> Result<()> {
    if child.try_wait()?.is_none() {
        let group = Pid::from_child(&child);
        kill_process_group(group, Signal::TERM).context("cannot send SIGTERM")?;
    }
    let asked = Instant::now();
    while child.try_wait()?.is_none() {
        if asked.elapsed() > STOP_TIMEOUT {
            child.kill().context("cannot send SIGKILL")?;
            child.wait()?;
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The program's name, without its folder.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// The command line, for an error.
fn line(command: &Command) -> String {
    let arguments = command.get_args().map(|word| word.to_string_lossy().into_owned());
    iter::once(name(command)).chain(arguments).collect::<Vec<_>>().join(" ")
}
