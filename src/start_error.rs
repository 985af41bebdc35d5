//! Errors at the start, each with a sentence for the operator that says what to do.
//!
//! In English only, like the rest of the command line. No sentence contains a password: a database is named by
//! [`crate::config::DatabaseUrl::location`].

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    path::PathBuf,
};

/// Why the server cannot start. The process then ends with exit code 1.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is in use.
    #[error("{0} is in use: another server listens there. Stop it, or choose another address with --listen.")]
    AddressInUse(SocketAddr),
    /// The address does not belong to this machine, or the port is privileged.
    #[error("{listen} cannot be listened on ({reason}). Choose another address with --listen.")]
    AddressRefused {
        /// The address.
        listen: SocketAddr,
        /// The system's error.
        reason: String,
    },
    /// The data folder cannot be created or written.
    #[error(
        "The data folder {} cannot be written ({reason}). Give this user the right to, or choose another with --data.",
        path.display()
    )]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// The secret key's file cannot be used.
    #[error(
        "The secret key in {} cannot be used ({reason}). Restore the file, or delete it and everybody signs in anew.",
        path.display()
    )]
    SecretKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// `redis_url` is set with an SQLite database, which has only one server.
    #[error(
        "redis_url is for several servers on one MySQL or MariaDB, but the database is an SQLite file, which has one \
         server. Leave redis_url out, or set database_url."
    )]
    RedisWithoutServer,
    /// This server generated a secret key, but another server on the same database uses another one.
    #[error(
        "The database at {location} is used with another secret key than the one in this data folder: tokens of one server \
         would not be valid on another. Give each server the same secret_key."
    )]
    AnotherKey {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
    },
    /// The database cannot be reached.
    #[error("The database at {location} cannot be reached ({reason}). Start it, or correct database_url.")]
    DatabaseUnreachable {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
        /// The driver's error, without the URL.
        reason: String,
    },
    /// Another server uses the SQLite file.
    #[error(
        "The database at {location} is in use: an SQLite file has one server. Stop that one, give this one a folder of its \
         own with --data, or let several servers share a MySQL or MariaDB with --database-url."
    )]
    DatabaseInUse {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
    },
    /// A command found no database, or an empty one.
    #[error(
        "There is no database at {location} yet: the server makes it. Start it once with 'liao serve' and the same \
         settings, then give this command again."
    )]
    NoSchema {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
    },
    /// A command found the schema of an older version, whose server may be running.
    #[error(
        "The database at {location} is of an older version of Liao (its schema is {found}, this version's {known}). Start \
         this version's server, which brings it up to date, or use the older version's commands."
    )]
    OlderSchema {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
        /// The schema version of the database.
        found: i64,
        /// The latest schema version that this program knows.
        known: i64,
    },
    /// The demo account still has its public password, but `--demo` is not set.
    #[error(
        "The account developer at {location} has the password of the demo, which everybody knows. Give it another with \
         'liao users password developer', or close it with 'liao users deactivate developer', each with this server's \
         --data or --database-url; or start with --demo where no stranger can reach the server."
    )]
    DemoPassword {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
    },
    /// The schema is of a version before the first release.
    #[error(
        "The database at {location} was made by a version of Liao before its first release, and its data cannot be \
         brought up to date. Start with an empty data folder (--data) or database (--database-url), or go on with that \
         version."
    )]
    UnreleasedSchema {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
    },
    /// The schema is of a newer version.
    #[error(
        "The database at {location} was made by a newer version of Liao (its schema is {found}, this version knows \
         {known}). Use that version or a later one."
    )]
    NewerSchema {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
        /// The schema version of the database.
        found: i64,
        /// The latest schema version that this program knows.
        known: i64,
    },
    /// The database responds, but cannot be used.
    #[error("The database at {location} cannot be used: {reason}.")]
    Database {
        /// [`crate::config::DatabaseUrl::location`].
        location: String,
        /// The driver's error.
        reason: String,
    },
    /// A system call failed, or the metrics recorder could not be installed.
    #[error("The server cannot be started: {0}.")]
    System(String),
}

impl StartError {
    /// The error for a failure to listen on `listen`.
    pub fn listening(listen: SocketAddr, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::AddressInUse(listen),
            _ => Self::AddressRefused { listen, reason: reason(error) },
        }
    }
}

/// An I/O error as text, without the number at the end.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "it is not a folder".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_taken_port_is_named_and_explained() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("its address");
        let error = TcpListener::bind(address).expect_err("taken");
        let sentence = StartError::listening(address, &error).to_string();
        assert_eq!(
            sentence,
            format!(
                "{address} is in use: another server listens there. Stop it, or choose another address with --listen."
            )
        );
    }

    #[test]
    fn an_address_of_another_machine_is_told_from_a_taken_one() {
        let address = SocketAddr::from(([192, 0, 2, 1], 8000));
        let error = TcpListener::bind(address).expect_err("not ours");
        let sentence = StartError::listening(address, &error).to_string();
        assert!(
            sentence.starts_with("192.0.2.1:8000 cannot be listened on (this machine has no such"),
            "{sentence}"
        );
    }
}
