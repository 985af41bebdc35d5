//! A MariaDB of the benchmark's own: in a temporary folder, on a free port of this machine, with commits on disk.

use std::{
    cell::Cell,
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

/// Timeout for the start.
const START: Duration = Duration::from_mins(4);

/// The arguments are the folder and the port. The shell waits on its standard input, which closes when this program ends for
/// any reason, and then ends the server.
const SCRIPT: &str = r#"
trap '' INT TERM
cd "$1" || exit 1
mariadb-install-db --no-defaults --datadir="$1/data" --auth-root-authentication-method=normal --skip-test-db \
    --user="$(id -un)" > log 2>&1 || exit 1
echo "CREATE USER liao@'127.0.0.1' IDENTIFIED BY 'liao';" > init.sql
echo "GRANT ALL ON *.* TO liao@'127.0.0.1';" >> init.sql
server=$(command -v mariadbd || echo /usr/sbin/mariadbd)
"$server" --no-defaults --user="$(id -un)" --datadir="$1/data" --socket="$1/s" --pid-file="$1/pid" \
    --bind-address=127.0.0.1 --port="$2" --init-file="$1/init.sql" --skip-name-resolve --max-connections=1000 \
    --innodb-buffer-pool-size=256M --innodb-flush-log-at-trx-commit=1 >> log 2>&1 < /dev/null &
server=$!
cat > /dev/null
kill -9 $server
wait $server 2> /dev/null
"#;

/// A running server; dropping it ends it.
pub(crate) struct MariaDb {
    /// Its process.
    pub(crate) process: u32,
    /// Its version, as it says it.
    pub(crate) version: String,
    port: u16,
    shell: Child,
    databases: Cell<u32>,
    /// After the shell: it is removed when the server has ended.
    _folder: TempDir,
}

impl MariaDb {
    /// Starts a server with its data below `folder`, and waits until it is ready.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::tempdir_in(folder)?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(folder.path()).arg(port.to_string()).stdin(Stdio::piped());
        let mut shell = command.spawn().context("cannot start sh")?;
        let start = Instant::now();
        let log = loop {
            let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            // The init file has run when the server logs this.
            if log.contains("ready for connections") {
                break log;
            }
            if shell.try_wait()?.is_some() || start.elapsed() > START {
                bail!("MariaDB did not start; is mariadb-server-core installed? Its log:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        let version = log.split("Version: '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("?");
        let process = fs::read_to_string(folder.path().join("pid")).context("MariaDB wrote no pid")?;
        Ok(Self {
            process: process.trim().parse().context("MariaDB wrote an odd pid")?,
            version: version.to_owned(),
            port,
            shell,
            databases: Cell::new(0),
            _folder: folder,
        })
    }

    /// The URL of a new, empty database.
    pub(crate) fn database(&self) -> Result<String> {
        self.databases.set(self.databases.get() + 1);
        let name = format!("liao{}", self.databases.get());
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "-h127.0.0.1", "-uliao", "-pliao"]).arg(format!("-P{}", self.port));
        client.arg("-e").arg(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        let status = client.status().context("cannot start the client `mariadb`")?;
        ensure!(status.success(), "MariaDB makes no database ({status})");
        Ok(format!("mysql://liao:liao@127.0.0.1:{}/{name}", self.port))
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
