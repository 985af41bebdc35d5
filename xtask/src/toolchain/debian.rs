//! A wasm toolchain assembled from Debian's compiler, for machines on which rustup cannot download.
//!
//! Debian packages a current compiler (`rustc-web`) and the sources of its standard library (`rust-web-src`), but no
//! compiled standard library for wasm. It is built once, into a folder that serves as sysroot together with links to the
//! compiler's own libraries. Except for the packages, nothing outside the target directory changes.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{WASM, has_core};
use crate::{prerequisites, process, progress, workspace};

const RUSTC: &str = "/usr/bin/rustc";
const LIBRARIES: &str = "/usr/lib/rustlib";
const SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const PACKAGES: &[&str] = &["rustc-web", "rust-web-src"];
/// The second number of the oldest Rust 1.x that compiles the browser half.
const OLDEST: u32 = 88;

/// The advice when nothing worked.
const ADVICE: &str = "no Rust compiler here can make wasm; where rustup can download, run: \
    rustup target add wasm32-unknown-unknown";

/// An empty package with which cargo builds the standard library. With `lto`, so that the libraries contain bitcode, which
/// the LTO of the browser half needs.
const CARRIER: &str = r#"[package]
name = "carrier"
edition = "2024"

[lib]
crate-type = ["staticlib"]

[workspace]

[profile.release]
opt-level = "z"
lto = true
codegen-units = 1
panic = "abort"
"#;

/// The output of `rustc -vV`, in part.
struct Version {
    /// As `1.96.0`.
    release: String,
    /// As `x86_64-unknown-linux-gnu`.
    host: String,
}

/// The compiler of a toolchain that was assembled earlier, if Debian's compiler has not changed since.
pub(super) fn assembled() -> Result<Option<PathBuf>> {
    let Some(version) = version() else { return Ok(None) };
    let folder = folder(&version)?;
    Ok(is_whole(&folder, &version).then(|| wrapper(&folder)))
}

/// Installs Debian's compiler if it is missing, builds the standard library and assembles the toolchain. Returns its
/// compiler.
pub(super) fn assemble() -> Result<PathBuf> {
    let version = installed()?;
    let folder = folder(&version)?;
    if is_whole(&folder, &version) {
        return Ok(wrapper(&folder));
    }
    let carrier = workspace::target_dir()?.join("wasm-std");
    progress::step("Building Rust's standard library for wasm, once", "about a minute", || {
        build_std(&carrier)
    })?;
    link_together(&carrier, &folder, &version)?;
    fs::remove_dir_all(&carrier)?;
    // Cargo does not see that the standard library is another one, so it would link objects that do not fit.
    let stale = workspace::front_dir()?;
    if stale.exists() {
        fs::remove_dir_all(&stale)?;
    }
    Ok(wrapper(&folder))
}

/// The version of Debian's compiler; `None` if it is missing, or too old for the browser half.
fn version() -> Option<Version> {
    let said = process::output(Command::new(RUSTC).arg("-vV"))?;
    let field = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let version = Version { release: field("release: ")?, host: field("host: ")? };
    let minor = version.release.split('.').nth(1)?.parse::<u32>().ok()?;
    (minor >= OLDEST && Path::new(SOURCES).exists()).then_some(version)
}

/// The same, after installing the compiler if it is missing.
fn installed() -> Result<Version> {
    if let Some(version) = version() {
        return Ok(version);
    }
    prerequisites::apt_install(PACKAGES, "half a minute").context(ADVICE)?;
    version().with_context(|| format!("Debian's compiler is older than 1.{OLDEST}, and {ADVICE}"))
}

/// The folder of the toolchain for this version: an upgrade of the packages gets a new one. The second part of the name
/// changes with [`CARRIER`].
fn folder(version: &Version) -> Result<PathBuf> {
    Ok(workspace::target_dir()?.join("wasm-toolchain").join(format!("{}-bitcode", version.release)))
}

fn wrapper(folder: &Path) -> PathBuf {
    folder.join("bin/rustc")
}

fn wasm_libraries(folder: &Path) -> PathBuf {
    folder.join("lib/rustlib").join(WASM).join("lib")
}

fn host_folder(folder: &Path, version: &Version) -> PathBuf {
    folder.join("lib/rustlib").join(&version.host)
}

/// Whether the compiler, the library and the linker (through its link) exist.
fn is_whole(folder: &Path, version: &Version) -> bool {
    wrapper(folder).exists()
        && has_core(&wasm_libraries(folder))
        && host_folder(folder, version).join("bin/rust-lld").exists()
}

/// Compiles the standard library from Debian's sources, with an empty package.
fn build_std(carrier: &Path) -> Result<()> {
    fs::create_dir_all(carrier.join("src"))?;
    fs::write(carrier.join("Cargo.toml"), CARRIER)?;
    fs::write(carrier.join("src/lib.rs"), "")?;
    let mut cargo = workspace::cargo();
    cargo.current_dir(carrier).env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.args([
        "build",
        "--release",
        "-Zbuild-std=std,panic_abort",
        "--target",
        WASM,
        "--target-dir",
        "target",
    ]);
    process::run(&mut cargo)
}

/// Makes the folder a sysroot. The compiler is written last: without it the folder counts as incomplete.
fn link_together(carrier: &Path, folder: &Path, version: &Version) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let libraries = wasm_libraries(folder);
    let host = host_folder(folder, version);
    for new in [&libraries, &host.join("bin"), &folder.join("bin")] {
        fs::create_dir_all(new)?;
    }
    for entry in fs::read_dir(carrier.join("target").join(WASM).join("release/deps"))? {
        let library = entry?.path();
        let Some(name) = library.file_name() else { continue };
        if library.extension() == Some(OsStr::new("rlib"))
            && !name.to_string_lossy().starts_with("libcarrier")
        {
            fs::copy(&library, libraries.join(name))?;
        }
    }
    // Macros run on the host while the browser half compiles, and need its libraries.
    symlink(Path::new(LIBRARIES).join(&version.host).join("lib"), host.join("lib"))?;
    symlink(linker(version)?, host.join("bin/rust-lld"))?;
    // A script, not a link: called by a link, Debian's compiler uses /usr as its sysroot.
    let script = format!("#!/bin/sh\nexec {RUSTC} --sysroot '{}' \"$@\"\n", folder.display());
    let wrapper = wrapper(folder);
    fs::write(&wrapper, script)?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The linker for wasm. Debian's package has none; the default toolchain of rustup brings it.
fn linker(version: &Version) -> Result<PathBuf> {
    let mut ask = Command::new("rustc");
    let sysroot = process::output(ask.current_dir(workspace::root()).args(["--print", "sysroot"]))
        .context("`rustc --print sysroot` says nothing")?;
    let linker = Path::new(&sysroot).join("lib/rustlib").join(&version.host).join("bin/rust-lld");
    if !linker.exists() {
        bail!("the linker rust-lld is missing from {sysroot}; install Rust with https://rustup.rs");
    }
    Ok(linker)
}
