//! The database's files: readable by their owner only, and used by one server only.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::store::{StoreError, StoreResult};

/// Suffixes of the files that SQLite keeps beside the database file.
const SIBLINGS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// Suffix of the lock file.
const LOCK: &str = ".lock";

/// The lock held by the server that uses a database file. The system releases it when the process ends.
#[derive(Debug)]
pub(in crate::store) struct ServerLock {
    _file: File,
}

/// Creates the file at `path` if missing, and locks it for this server.
///
/// An existing file is not opened here: closing any handle of it would release SQLite's own locks of this process.
///
/// # Errors
/// [`StoreError::InUse`] when another server has it, [`StoreError::Unreachable`] when a file cannot be created.
pub(in crate::store) fn lock_for_server(path: &Path) -> StoreResult<ServerLock> {
    let refused = |error: io::Error| StoreError::Unreachable(format!("{}: {error}", path.display()));
    match owner_only_options().write(true).create_new(true).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(error)),
    }
    // Resolve links, so that all paths of one file use the same lock. SQLite follows links too.
    let path = &path.canonicalize().map_err(refused)?;
    let lock = sibling(path, LOCK);
    let file = owner_only_options().write(true).create(true).truncate(false).open(&lock).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => return Err(refused(error)),
    }
    // SQLite creates the WAL and its index with the mode of the database file.
    let others = SIBLINGS.iter().map(|end| sibling(path, end));
    [path.clone(), lock].into_iter().chain(others).for_each(|path| owner_only(&path));
    Ok(ServerLock { _file: file })
}

/// Removes all permissions on the file at `path`, if it exists, from everyone but its owner.
///
/// Such files contain password hashes and secrets. A failure (the file belongs to another user) is logged.
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

fn sibling(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
