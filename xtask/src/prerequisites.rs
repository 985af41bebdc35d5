//! Programs and fonts that the tests need, and their installation where there is apt.
//!
//! Building and running the server needs none of them.

use std::{
    env,
    io::{IsTerminal, stdin},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result, bail};

use crate::{process, progress, test::python, workspace};

/// The oldest Node.js that Playwright runs on.
const OLDEST_NODE: u32 = 18;

/// Something that must be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The second database that the store is tested on. Tests start it themselves, on a folder of their own.
    MariaDb,
    /// The bus between nodes. Tests start it themselves.
    Redis,
    /// The README's examples use it.
    Curl,
    /// The browser of the browser tests.
    Chromium,
    /// A font with Chinese characters: without one they are drawn as empty boxes of another size.
    ChineseFont,
    /// Runs Playwright.
    Node,
    /// Installs Playwright.
    Npm,
    /// Runs the Python packages that tests use, in virtual environments.
    Python,
}

/// What `cargo test` needs.
pub(crate) const FOR_UNIT: &[Need] = &[Need::MariaDb, Need::Redis, Need::Curl, Need::Python];
/// What the test of the OpenAPI document needs.
pub(crate) const FOR_SCHEMA: &[Need] = &[Need::Python];
/// What the browser tests and the screenshots need.
pub(crate) const FOR_BROWSER: &[Need] = &[Need::Chromium, Need::ChineseFont, Need::Node, Need::Npm];

impl Need {
    /// The Debian packages that bring it.
    fn packages(self) -> &'static [&'static str] {
        match self {
            // The programs alone: the package mariadb-server would also start a database of the machine's own.
            Self::MariaDb => &["mariadb-server-core", "mariadb-client-core"],
            // It has the server under the name redis-check-rdb. The package redis-server would also start a service.
            Self::Redis => &["redis-tools"],
            Self::Curl => &["curl"],
            Self::Chromium => &["chromium"],
            Self::ChineseFont => &["fonts-noto-cjk"],
            Self::Node => &["nodejs"],
            Self::Npm => &["npm"],
            Self::Python => &["python3-venv"],
        }
    }

    fn is_met(self) -> bool {
        match self {
            // Debian keeps the server out of an ordinary user's path.
            Self::MariaDb => {
                (process::find("mariadbd").is_some() || Path::new("/usr/sbin/mariadbd").exists())
                    && process::find("mariadb-install-db").is_some()
                    && process::find("my_print_defaults").is_some()
            }
            Self::Redis => {
                process::find("redis-server").is_some() || process::find("redis-check-rdb").is_some()
            }
            Self::Curl => process::find("curl").is_some(),
            Self::Chromium => chromium().is_some_and(|path| path.exists()),
            Self::ChineseFont => {
                Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").exists()
                    || process::output(Command::new("fc-list").arg(":lang=zh"))
                        .is_some_and(|all| !all.is_empty())
            }
            Self::Node => node_version().is_some_and(|version| version >= OLDEST_NODE),
            Self::Npm => process::find("npm").is_some(),
            // Debian has the language without what makes environments.
            Self::Python => {
                process::output(Command::new("python3").args(["-c", "import ensurepip"])).is_some()
            }
        }
    }
}

/// The browser to test with: the variable `CHROMIUM`, or Debian's, or one in the path.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(chosen) = env::var_os("CHROMIUM") {
        return Some(chosen.into());
    }
    let debian = PathBuf::from("/usr/bin/chromium");
    if debian.exists() { Some(debian) } else { process::find("chromium") }
}

/// Installs what is missing of `needs`. The error names what is still missing.
pub(crate) fn install(needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let packages = packages(&missing);
    apt_install(&packages, "two or three minutes")
        .with_context(|| format!("the tests need these packages; install them: {}", packages.join(" ")))?;
    require(needs)
}

/// An error that names what is missing of `needs`, and what to do.
pub(crate) fn require(needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    if missing.contains(&Need::Node)
        && let Some(version) = node_version()
    {
        bail!("Node.js {version} is too old for Playwright; install {OLDEST_NODE} or newer");
    }
    bail!("still missing; install, by their names on your system: {}", packages(&missing).join(" "))
}

/// An error when there is no C compiler: SQLite and ring are built with it.
pub(crate) fn require_c_compiler() -> Result<()> {
    if env::var_os("CC").is_none() && process::find("cc").is_none() {
        bail!(
            "a C compiler is missing; install it: apt-get install gcc libc6-dev, or xcode-select --install"
        );
    }
    Ok(())
}

/// Everything that the tests need, Playwright included.
pub(crate) fn install_all() -> Result<()> {
    install(&[FOR_UNIT, FOR_SCHEMA, FOR_BROWSER].concat())?;
    python::for_unit()?;
    python::for_schema()?;
    install_playwright()?;
    progress::note("everything that testing needs is here");
    Ok(())
}

/// Installs Playwright, unless that has been done.
pub(crate) fn install_playwright() -> Result<()> {
    install_npm(&workspace::end2end_dir(), "Installing Playwright (npm ci)", "some seconds")
}

/// Installs Lighthouse, unless that has been done. It is large, so [`install_all`] leaves it out.
pub(crate) fn install_lighthouse() -> Result<()> {
    install_npm(&workspace::end2end_dir().join("lighthouse"), "Installing Lighthouse (npm ci)", "a minute")
}

/// Installs what the committed lock file of this folder says, unless that has been done.
pub(crate) fn install_npm(folder: &Path, what: &str, usually: &str) -> Result<()> {
    let changed = |file: &str| folder.join(file).metadata().and_then(|about| about.modified()).ok();
    // npm writes this file at the end of each installation.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund"]);
    // It would fetch a browser of its own.
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    progress::step(what, usually, || process::run_quietly(&mut npm))
}

/// Installs Debian packages, as root or through sudo. Before the first use of sudo it asks, unless [`agree`] was called.
pub(crate) fn apt_install(packages: &[&str], usually: &str) -> Result<()> {
    // One update of the package lists serves every installation of this run.
    static UPDATED: OnceLock<()> = OnceLock::new();

    if process::find("apt-get").is_none() {
        bail!("there is no apt-get here");
    }
    let install = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !rustix::process::geteuid().is_root() {
        if process::find("sudo").is_none() {
            bail!("apt-get needs root, and there is no sudo here; run as root: {install}");
        }
        if !may_use_sudo(&install)? {
            bail!("not installed; run: sudo {install}");
        }
    }
    progress::step(&format!("Installing {} (apt-get)", packages.join(", ")), usually, || {
        if UPDATED.get().is_none() {
            process::run_quietly(apt().arg("update"))?;
            let _ = UPDATED.set(());
        }
        process::run_quietly(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))
    })
}

/// The answer to whether sudo may be used, once it is known.
static AGREED: OnceLock<bool> = OnceLock::new();

/// Answers yes in advance: the option `--yes`.
pub(crate) fn agree() {
    let _ = AGREED.set(true);
}

/// Asks once, on a terminal. In CI, and where there is no terminal, nobody could answer: there the command itself was the
/// answer.
fn may_use_sudo(install: &str) -> Result<bool> {
    if let Some(agreed) = AGREED.get() {
        return Ok(*agreed);
    }
    let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let agreed = if is_ci || !stdin().is_terminal() {
        true
    } else {
        progress::note(&format!("this needs packages of your system: sudo {install}"));
        eprint!("xtask: install them? [Y/n] ");
        let mut answer = String::new();
        // No byte at all is the end of the input, which is no consent.
        let length = stdin().read_line(&mut answer).context("cannot read the answer")?;
        length > 0 && matches!(&*answer.trim().to_lowercase(), "" | "y" | "yes")
    };
    Ok(*AGREED.get_or_init(|| agreed))
}

/// apt-get without questions of its own, as root.
fn apt() -> Command {
    let mut apt = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    };
    apt.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
    apt
}

fn missing(needs: &[Need]) -> Vec<Need> {
    needs.iter().copied().filter(|need| !need.is_met()).collect()
}

fn packages(needs: &[Need]) -> Vec<&'static str> {
    needs.iter().flat_map(|need| need.packages()).copied().collect()
}

/// The first number of the installed Node.js.
pub(crate) fn node_version() -> Option<u32> {
    process::output(Command::new("node").arg("--version"))?
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}
