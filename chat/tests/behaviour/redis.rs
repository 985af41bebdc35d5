//! Redis servers of the tests' own: each in a temporary folder on a free port, and gone when
//! the test ends, or the program, however it ends.

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a server may take to start: a moment when quiet, more beside a build.
const START: Duration = Duration::from_mins(1);

/// A running server. Dropping it kills it and removes its folder.
pub struct Redis {
    port: u16,
    folder: PathBuf,
    flags: Vec<String>,
    // Its standard input holds the server alive: the shell ends it when this program is gone.
    shell: Option<Child>,
}

impl Redis {
    /// Starts a server.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these flags and waits until it answers.
    pub fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("liao-redis-").tempdir().expect("a folder").keep();
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut server = Self { port: free_port(), folder, flags, shell: None };
        server.restart();
        server
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }

    /// Starts it again on the same port, with nothing in it.
    pub fn restart(&mut self) {
        let script = r#"
            cd "$1" || exit 1
            shift
            # Debian's redis-tools has the server, which goes by its name; without it, it is a tool.
            program=$(command -v redis-server || command -v redis-check-rdb) || exit 1
            ln -sf "$program" redis-server
            ./redis-server --save "" --bind 127.0.0.1 --daemonize no "$@" > server.log 2>&1 < /dev/null &
            pid=$!
            cat > /dev/null
            kill -9 $pid
            wait $pid 2> /dev/null
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
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
