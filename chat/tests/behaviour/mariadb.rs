//! A MariaDB server for tests: started once per test program, in a temporary folder on a free port, and stopped when
//! the program ends, however it ends.

use std::{
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Timeout for the start: it takes seconds normally, more beside a build.
const START: Duration = Duration::from_mins(4);

/// The value of `innodb_flush_log_at_trx_commit`: most tests do not need durability.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// The log is written occasionally.
    Lazily,
    /// A commit is on disk when it returns.
    #[allow(dead_code, reason = "for the other program that this file is part of")]
    AtCommit,
}

/// A running server. The contract's tests, which also use this file, stop and restart it.
pub struct MariaDb {
    port: u16,
    folder: PathBuf,
    flush: Flush,
    // Its standard input keeps the server running: the shell stops the server when this program ends.
    shell: Child,
}

/// The server shared by all tests of this program.
pub fn shared() -> &'static MariaDb {
    static SERVER: OnceLock<MariaDb> = OnceLock::new();
    SERVER.get_or_init(|| MariaDb::start(Flush::Lazily))
}

impl MariaDb {
    /// Starts a server and waits until it is ready.
    pub fn start(flush: Flush) -> Self {
        let port = free_port();
        let folder =
            tempfile::Builder::new().prefix("liao-mariadb-").tempdir().expect("a temporary folder").keep();
        let shell = Self::spawn(&folder, port, flush);
        Self { port, folder, flush, shell }
    }

    /// Kills the server like a power failure; its data stay.
    #[allow(dead_code, reason = "for the other program that this file is part of")]
    pub fn kill(&mut self) {
        std::fs::write(self.folder.join("keep"), "").expect("written");
        drop(self.shell.stdin.take());
        self.shell.wait().expect("the shell ends");
    }

    /// Starts it again after [`Self::kill`], on the same data and port, and waits until it is ready.
    #[allow(dead_code, reason = "for the other program that this file is part of")]
    pub fn restart(&mut self) {
        std::fs::remove_file(self.folder.join("keep")).expect("it was killed");
        self.shell = Self::spawn(&self.folder, self.port, self.flush);
    }

    fn spawn(folder: &Path, port: u16, flush: Flush) -> Child {
        let flush = i32::from(flush == Flush::AtCommit);
        // The shell waits on its standard input, which closes when this program ends for any reason; then it stops
        // the server and removes its folder.
        let script = format!(
            r#"
            cd "$1" || exit 1
            [ -e data ] || mariadb-install-db --no-defaults --datadir="$1/data" --auth-root-authentication-method=normal \
                --skip-test-db --user="$(id -un)" > install.log 2>&1 || {{ cat install.log >&2; exit 1; }}
            echo "CREATE OR REPLACE USER liao@'127.0.0.1' IDENTIFIED BY 'liao';" > init.sql
            echo "GRANT ALL ON *.* TO liao@'127.0.0.1';" >> init.sql
            server=$(command -v mariadbd || echo /usr/sbin/mariadbd)
            "$server" --no-defaults --user="$(id -un)" --datadir="$1/data" --socket="$1/s" --pid-file="$1/pid" \
                --bind-address=127.0.0.1 --port={port} --init-file="$1/init.sql" --skip-name-resolve \
                --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit={flush} --max-connections=1000 \
                > server.log 2>&1 < /dev/null &
            pid=$!
            cat > /dev/null
            kill -9 $pid
            wait $pid 2> /dev/null
            [ -e keep ] || rm -rf "$1"
            "#
        );
        // The previous log must not be taken for this server's.
        let _ = std::fs::remove_file(folder.join("server.log"));
        let shell = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh starts");
        Self::wait_until_ready(folder);
        shell
    }

    fn wait_until_ready(folder: &Path) {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            // The init file has run when the server logs this.
            if log.contains("ready for connections") {
                let version =
                    log.split("Version: '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("?");
                // Directly to the stream: the test harness captures what tests print.
                let _ = writeln!(std::io::stderr(), "store tests run on MariaDB {version}, and on SQLite");
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        panic!("MariaDB did not start; is mariadb-server installed? Its log:\n{log}");
    }

    /// The URL of a new database `name` on this server.
    pub fn database(&self, name: &str) -> String {
        let sql = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4");
        let status = Command::new("mariadb")
            .args(["--no-defaults", "-h127.0.0.1", "-uliao", "-pliao", "-e", &sql])
            .arg(format!("-P{}", self.port))
            .status()
            .expect("the mariadb client starts");
        assert!(status.success(), "could not make the database {name}");
        format!("mysql://liao:liao@127.0.0.1:{}/{name}", self.port)
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
