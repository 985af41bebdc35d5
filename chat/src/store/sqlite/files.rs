//! The database's files: only their owner may read them, and only one server may use them.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::store::{StoreError, StoreResult};

/// What SQLite and this module keep beside the database file, by the end of its name.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The file whose lock a server holds.
const LOCK: &str = ".lock";

/// Held by the one server of a database file. The system releases it with the process, however that ends.
#[derive(Debug)]
pub(in crate::store) struct ServerLock {
    _file: File,
}

/// Makes the file at `path` if there is none, and takes it for this server.
///
/// The file is never opened here once it exists: SQLite's own locks on it end when this process closes any handle of it.
///
/// # Errors
/// [`StoreError::InUse`] when another server has it, [`StoreError::Unreachable`] when a file cannot be made.
pub(in crate::store) fn claim(path: &Path) -> StoreResult<ServerLock> {
    let refused = |error: io::Error| StoreError::Unreachable(format!("{}: {error}", path.display()));
    match owner_only_options().write(true).create_new(true).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(error)),
    }
    // By whichever path it is reached, it is one file with one lock. SQLite follows links too.
    let path = &path.canonicalize().map_err(refused)?;
    let lock = beside(path, LOCK);
    let file = owner_only_options().write(true).create(true).truncate(false).open(&lock).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => return Err(refused(error)),
    }
    // The log and its index get the mode that the database has when they are made.
    let others = BESIDE.iter().map(|end| beside(path, end));
    [path.clone(), lock].into_iter().chain(others).for_each(|path| owner_only(&path));
    Ok(ServerLock { _file: file })
}

/// Takes every right on the file at `path`, if there is one, from all but its owner.
///
/// Password hashes and secrets are in such files. Where this fails (somebody else owns the file), the log says so.
pub fn owner_only(path: &Path) {
    #[cfg(unix)]
    {
        use std::{fs, os::unix::fs::PermissionsExt as _};
        let Ok(file) = fs::metadata(path) else { return };
        let mode = file.permissions().mode();
        let owners = mode & !0o077;
        if owners == mode {
            return;
        }
        if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(owners)) {
            let path = path.display();
            tracing::warn!(%path, %error, "other users of this machine can read this file; chmod 600 it");
        }
    }
}

fn owner_only_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
