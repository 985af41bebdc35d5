//! Redis servers for tests: each in a temporary folder on a free port, and stopped when the test or the program ends,
//! however it ends.

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Timeout for the start: it takes a moment normally, more beside a build.
const START: Duration = Duration::from_mins(1);

/// A running server. Dropping it kills it; the shell then removes its folder.
pub struct Redis {
    port: u16,
    folder: PathBuf,
    flags: Vec<String>,
    // Its standard input keeps the server running: the shell stops the server when this program ends.
    shell: Option<Child>,
}

impl Redis {
    /// Starts a server.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these flags and waits until it is ready.
    pub fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("liao-redis-").tempdir().expect("a folder").keep();
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut server = Self { port: free_port(), folder, flags, shell: None };
        server.restart();
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn says(&self, command: &str) -> String {
        let asked = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(command.split(' '))
            .output()
            .expect("redis-cli starts");
        String::from_utf8_lossy(&asked.stdout).into_owned()
    }

    /// Kills it like a power failure.
    pub fn kill(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) {
        let script = r#"
            folder=$1
            mkdir -p "$folder" && cd "$folder" || exit 1
            shift
            # Debian's redis-tools has the server, which goes by its name; without it, it is a tool.
            program=$(command -v redis-server || command -v redis-check-rdb) || exit 1
            ln -sf "$program" redis-server
            ./redis-server --save "" --bind 127.0.0.1 --daemonize no "$@" > server.log 2>&1 < /dev/null &
            pid=$!
            cat > /dev/null
            kill -9 $pid
            wait $pid 2> /dev/null
            cd / && rm -rf "$folder"
        "#;
        let shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&self.folder)
            .args(["--port", &self.port.to_string()])
            .args(&self.flags)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh starts");
        self.shell = Some(shell);
        let deadline = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "Redis did not start; is redis-server installed? Its log:\n{log}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Redis Cluster of three masters.
pub struct Cluster {
    masters: Vec<Redis>,
}

impl Cluster {
    /// Starts the masters and waits until they serve all slots.
    pub fn start() -> Self {
        let master = || {
            let bus = free_port().to_string();
            let flags =
                ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "2000"];
            Redis::start_with(&flags)
        };
        let cluster = Self { masters: (0..3).map(|_| master()).collect() };
        let addresses = cluster.masters.iter().map(|master| format!("127.0.0.1:{}", master.port));
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .arg("--cluster-yes")
            .output()
            .expect("redis-cli starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let deadline = Instant::now() + START;
        while !cluster.masters.iter().all(|master| master.says("cluster info").contains("cluster_state:ok")) {
            assert!(Instant::now() < deadline, "the cluster did not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    /// The URLs of its masters.
    pub fn url(&self) -> String {
        self.masters.iter().map(Redis::url).collect::<Vec<_>>().join(",")
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
