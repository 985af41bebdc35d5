//! Starts the process under test on a free port with a data folder of its own.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::mariadb;

/// Longest wait for the process to start or end, with a build running on the same two cores.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Limits that are off unless a test sets them, since tests create many users and rooms.
const UNLIMITED: [&str; 5] = [
    "--sign-ups-per-address",
    "--sign-up-failures-per-address",
    "--acts-per-minute",
    "--read-marks-per-second",
    "--rooms-per-day",
];

/// A running server. Dropping it kills the process and removes the folder.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    data: PathBuf,
    flags: Vec<String>,
    /// `None` for a process that the test manages itself.
    child: Option<Child>,
    /// The server's process id, which is a child of a shell.
    pid: Option<String>,
    /// Its output until it was ready.
    pub greeting: String,
    folder: Option<TempDir>,
    /// The other nodes of the same system.
    siblings: Vec<Server>,
    next: AtomicUsize,
}

impl Server {
    /// The server on SQLite that the tests of this program share.
    pub async fn on_sqlite() -> &'static Self {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        SERVER.get_or_init(|| async { shared(Vec::new()) }).await
    }

    /// The server on MariaDB that the tests of this program share.
    pub async fn on_mariadb() -> &'static Self {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        SERVER
            .get_or_init(|| async {
                shared(vec![format!("--database-url={}", mariadb_url("contract").await)])
            })
            .await
    }

    /// Starts a server for one test, with these flags.
    pub fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        Self::start_in(&data, flags.iter().map(|&flag| flag.to_owned()).collect(), Some(folder))
    }

    /// The same, with its log in a file.
    pub fn start_logged(flags: &[&str], log: File) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        Self::start_with(&data, flags, Some(folder), log.into())
    }

    /// The same on this data folder, which the test manages.
    pub fn start_on(data: &Path, flags: &[&str]) -> Self {
        Self::start_in(data, flags.iter().map(|&flag| flag.to_owned()).collect(), None)
    }

    fn start_in(data: &Path, flags: Vec<String>, folder: Option<TempDir>) -> Self {
        Self::start_with(data, flags, folder, Stdio::null())
    }

    fn start_with(data: &Path, flags: Vec<String>, folder: Option<TempDir>, log: Stdio) -> Self {
        // The shell kills the server when this program ends for any reason, since then its input closes. The waiting
        // process does not inherit the output, so that the output ends if the server does not start. XFSZ is ignored so
        // that the test of the full disk, which limits file sizes, causes an I/O error instead of a signal.
        let mut child = Command::new("sh")
            .args([
                "-c",
                r#"trap "" XFSZ; exec 3<&0; "$@" < /dev/null 3<&- & pid=$!; echo $pid
                (cat <&3; kill -9 $pid) > /dev/null 2>&1 & wait $pid"#,
            ])
            .args(["sh", env!("CARGO_BIN_EXE_liao"), "serve"])
            .args(arguments(data, &flags))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("sh starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let pid = lines.next().expect("the shell says which process it is").expect("text");
        let mut greeting = String::new();
        let base = loop {
            let line = lines.next().expect("the server says where it is").expect("text");
            greeting.push_str(&line);
            greeting.push('\n');
            if let Some(at) = line.find("http://") {
                break line[at..].trim().to_owned();
            }
        };
        let (siblings, next) = (Vec::new(), AtomicUsize::new(0));
        let (child, pid) = (Some(child), Some(pid));
        Self { base, data: data.to_owned(), flags, child, pid, greeting, folder, siblings, next }
    }

    /// Wraps a server that the test started itself.
    pub fn at(base: &str, data: &Path) -> Self {
        Self {
            base: base.to_owned(),
            data: data.to_owned(),
            flags: Vec::new(),
            child: None,
            pid: None,
            greeting: String::new(),
            folder: None,
            siblings: Vec::new(),
            next: AtomicUsize::new(0),
        }
    }

    /// Adds further nodes of the same system.
    pub fn with_siblings(mut self, siblings: Vec<Server>) -> Self {
        self.siblings = siblings;
        self
    }

    /// All nodes of the system.
    pub fn nodes(&self) -> Vec<&Self> {
        [self].into_iter().chain(&self.siblings).collect()
    }

    /// Waits until all nodes are ready.
    pub async fn until_ready(&self) {
        let deadline = Instant::now() + TIMEOUT;
        for node in self.nodes() {
            while reqwest::get(format!("{}/readyz", node.base)).await.expect("an answer").status() != 200 {
                assert!(Instant::now() < deadline, "{} is not ready", node.base);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// The URL of the next node in a round robin.
    pub fn next_node(&self) -> &str {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % (self.siblings.len() + 1);
        next.checked_sub(1).map_or(&self.base, |sibling| &self.siblings[sibling].base)
    }

    /// Kills the process and starts it again on the same data.
    pub fn kill_and_restart(mut self) -> Self {
        let (data, flags, folder) = (self.data.clone(), self.flags.clone(), self.folder.take());
        drop(self);
        Self::start_in(&data, flags, folder)
    }

    /// Stops the process, waits for its end, and starts it again on the same data.
    pub async fn stop_and_restart(mut self) -> Self {
        self.signal("TERM");
        let mut child = self.child.take().expect("a process of ours");
        let ended = tokio::task::spawn_blocking(move || wait(&mut child)).await.expect("it ends");
        assert!(ended.success(), "{ended}");
        self.kill_and_restart()
    }

    /// The process id.
    pub fn pid(&self) -> &str {
        self.pid.as_deref().expect("a process of ours")
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, self.pid()]).status().expect("kill runs");
        assert!(sent.success(), "SIG{name} was not sent");
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Runs another command of the program on this server's data.
    pub fn command(&self, arguments: &[&str], input: &str) -> Output {
        let mut arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        arguments.push(format!("--data={}", self.data.display()));
        arguments.extend(self.flags.iter().filter(|flag| flag.starts_with("--database-url=")).cloned());
        run(&arguments, input)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// A new database of this name on the MariaDB server that the tests of this program share.
pub async fn mariadb_url(name: &'static str) -> String {
    let url = tokio::task::spawn_blocking(|| mariadb::shared().database(name));
    url.await.expect("MariaDB answers")
}

/// Runs the program until it exits.
pub fn run(arguments: &[String], input: &str) -> Output {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_liao"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let status = wait(&mut child);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    child.stdout.take().expect("its output").read_to_end(&mut stdout).expect("read");
    child.stderr.take().expect("its errors").read_to_end(&mut stderr).expect("read");
    Output { status, stdout, stderr }
}

/// Runs the program, which must fail with one sentence on standard error. Returns the sentence and the exit code.
#[track_caller]
pub fn failure(arguments: &[&str]) -> (String, Option<i32>) {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let output = run(&arguments, "");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.stdout.is_empty(), "nothing on standard output");
    assert!(!stderr.contains("panicked") && !stderr.contains("RUST_BACKTRACE"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one sentence: {stderr}");
    (stderr, output.status.code())
}

/// Starts a server as a direct child, for signals and exit codes.
pub fn spawn(data: &Path, flags: &[&str]) -> (Child, String) {
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
    let mut child = Command::new(env!("CARGO_BIN_EXE_liao"))
        .arg("serve")
        .args(arguments(data, &flags))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines.next().expect("the server says where it is").expect("text");
    let at = line.find("http://").expect("an address");
    (child, line[at..].trim().to_owned())
}

/// Waits for the end of a process, with a timeout.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the process did not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn arguments(data: &Path, flags: &[String]) -> Vec<String> {
    let mut all = vec!["--listen=127.0.0.1:0".to_owned(), format!("--data={}", data.display())];
    let is_given = |limit: &str| flags.iter().any(|flag| flag.starts_with(&format!("{limit}=")));
    all.extend(UNLIMITED.iter().filter(|limit| !is_given(limit)).map(|limit| format!("{limit}=0")));
    all.extend(flags.iter().cloned());
    all
}

/// Starts a server for all tests, without the limits that they would exceed together.
pub fn shared(mut flags: Vec<String>) -> Server {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    flags.extend(["--demo", "--signin-failures-per-address=0", "--writes-per-second=0"].map(str::to_owned));
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // A static is never dropped, so the folder is removed at the exit.
    let data =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("shared-{}-{number}", std::process::id()));
    let watched = data.clone();
    let server = Server::start_in(&data, flags, None);
    remove_at_exit(&watched);
    server
}

/// Removes `folder` when this program ends for any reason.
fn remove_at_exit(folder: &Path) {
    let child = Command::new("sh")
        .args(["-c", r#"cat > /dev/null; sleep 1; rm -rf "$1""#, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh starts");
    // Keeps its input open as long as this program runs.
    std::mem::forget(child);
}
