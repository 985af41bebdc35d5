//! The data folder, and the secret key that is stored in it.
//!
//! The SQLite file in it is handled by the store.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
};

use chat::store::owner_only;
use secrecy::SecretString;
use tempfile::NamedTempFile;

use crate::{
    config::SECRET_KEY_BYTES,
    start_error::{StartError, reason},
};

/// The secret key's file.
pub const SECRET_KEY_FILE: &str = "secret_key";

/// Creates the folder if it is missing, with access for its owner only, and checks that it is writable.
///
/// # Errors
/// [`StartError::DataFolder`].
pub fn prepare(folder: &Path) -> Result<(), StartError> {
    let refused =
        |error: io::Error| StartError::DataFolder { path: folder.to_owned(), reason: reason(&error) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(refused)?;
    // Only a write shows that the disk is writable and not full.
    tempfile::tempfile_in(folder).and_then(|mut probe| probe.write_all(b"liao")).map_err(refused)
}

/// The secret key that signs tokens: the `configured` one, or else the one in the folder, which is created if missing.
///
/// # Errors
/// [`StartError::SecretKey`] if the file cannot be read or has less than 32 bytes. It is never replaced, since that
/// would silently invalidate all tokens.
pub fn secret_key(folder: &Path, configured: Option<&SecretString>) -> Result<SecretString, StartError> {
    if let Some(secret) = configured {
        return Ok(secret.clone());
    }
    let path = folder.join(SECRET_KEY_FILE);
    let refused = |reason: String| StartError::SecretKey { path: path.clone(), reason };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create_key(folder, &path).map_err(|error| refused(reason(&error)))?;
            // Read back: if two servers start at once, both must use the key of the one that created the file.
            fs::read_to_string(&path)
        }
        other => other,
    };
    let text = text.map_err(|error| refused(reason(&error)))?;
    let secret = text.trim();
    if secret.len() < SECRET_KEY_BYTES {
        return Err(refused(format!("it has {} bytes, and {SECRET_KEY_BYTES} are needed", secret.len())));
    }
    // With the key one can sign in as anybody.
    owner_only(&path);
    Ok(secret.into())
}

/// Writes a new key to a temporary file and moves it to `path` atomically, unless `path` exists by then.
fn create_key(folder: &Path, path: &Path) -> io::Result<()> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    let mut key = String::with_capacity(2 * bytes.len() + 1);
    for byte in bytes {
        key.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
    }
    key.push('\n');
    // A NamedTempFile has mode 0600 from the start.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(key.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all(),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_then_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = secret_key(folder.path(), None).expect("made");
        let second = secret_key(folder.path(), None).expect("read");
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 64);
        let other = tempfile::tempdir().expect("a folder");
        let third = secret_key(other.path(), None).expect("made");
        assert_ne!(first.expose_secret(), third.expose_secret());
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing else is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_key_or_the_folder() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("deep/data");
        prepare(&folder).expect("made");
        secret_key(&folder, None).expect("made");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        let key = folder.join(SECRET_KEY_FILE);
        assert_eq!(mode(&key), 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("opened to all");
        secret_key(&folder, None).expect("read");
        assert_eq!(mode(&key), 0o600, "narrowed at the next start");
    }

    #[test]
    fn of_servers_that_start_at_once_all_get_the_same_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| secret_key(folder.path(), None))).collect();
            starts.into_iter().map(|start| start.join().expect("no panic").expect("a key")).collect()
        });
        assert!(keys.iter().all(|key| key.expose_secret() == keys[0].expose_secret()));
    }

    #[test]
    fn a_configured_key_needs_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let configured = SecretString::from("x".repeat(40));
        let key = secret_key(folder.path(), Some(&configured)).expect("the same");
        assert_eq!(key.expose_secret(), configured.expose_secret());
        assert!(!folder.path().join(SECRET_KEY_FILE).exists());
    }

    #[test]
    fn a_key_that_was_cut_short_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SECRET_KEY_FILE);
        fs::write(&path, "short\n").expect("written");
        let sentence = secret_key(folder.path(), None).expect_err("refused").to_string();
        assert!(sentence.contains("(it has 5 bytes, and 32 are needed)"), "{sentence}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), "short\n");
    }

    #[test]
    fn a_file_in_the_folders_place_is_named() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("data");
        fs::write(&path, "").expect("written");
        for path in [path.clone(), path.join("below")] {
            let sentence = prepare(&path).expect_err("refused").to_string();
            let start = format!("The data folder {} cannot be written (it is not a folder).", path.display());
            assert!(sentence.starts_with(&start), "{sentence}");
        }
    }
}
