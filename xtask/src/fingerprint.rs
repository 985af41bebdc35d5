//! Tells whether files changed since the last time, by name, length and time of change.
//!
//! Contents are not read: a file that was written anew with the same text counts as changed, which costs a
//! second of work too much and never a stale result.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

/// The state of some files at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, (u64, SystemTime)>);

impl Fingerprint {
    /// Of these files, and of everything under these folders; what does not exist counts as nothing.
    pub(crate) fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in paths {
            for file in files_under(path.as_ref())? {
                // One that vanishes between the listing and the look is as good as deleted.
                if let Ok(about) = fs::metadata(&file) {
                    files.insert(file, (about.len(), about.modified()?));
                }
            }
        }
        Ok(Self(files))
    }

    /// As text, to be kept and compared later.
    fn text(&self) -> String {
        let line = |(path, (length, time)): (&PathBuf, &(u64, SystemTime))| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            format!("{} {length} {}\n", path.display(), since.as_nanos())
        };
        self.0.iter().map(line).collect()
    }
}

/// Runs `make` unless it succeeded before with the same inputs under the same `mode` and `proof`, the file it
/// makes, is still there. Says whether it ran.
///
/// `memory` is the file that remembers the inputs. This program counts as an input: another xtask may make
/// another result of the same files.
pub(crate) fn unless_fresh(
    memory: &Path,
    mode: &str,
    inputs: &Fingerprint,
    proof: &Path,
    make: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let own = Fingerprint::of([std::env::current_exe()?])?;
    let now = format!("{mode}\n{}{}", own.text(), inputs.text());
    if proof.exists() && fs::read_to_string(memory).is_ok_and(|before| before == now) {
        return Ok(false);
    }
    // Forgotten first: what fails half-way must run again.
    if let Err(error) = fs::remove_file(memory)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| format!("cannot remove {}", memory.display()));
    }
    make()?;
    if let Some(folder) = memory.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(memory, now).with_context(|| format!("cannot write {}", memory.display()))?;
    Ok(true)
}

/// Every file under a folder, or the file itself, in a settled order; nothing where there is nothing.
pub(crate) fn files_under(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn work_is_done_again_only_when_an_input_the_mode_or_the_result_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("in/deep/a.css");
        let proof = folder.path().join("out.css");
        fs::create_dir_all(input.parent().expect("a parent")).expect("folders");
        fs::write(&input, "a{}").expect("write");
        let runs = Cell::new(0);
        let make = |mode: &str| {
            let inputs = Fingerprint::of([folder.path().join("in")]).expect("a fingerprint");
            unless_fresh(&folder.path().join("state/css"), mode, &inputs, &proof, || {
                runs.set(runs.get() + 1);
                Ok(fs::write(&proof, "made")?)
            })
            .expect("made")
        };

        assert!(make("dev"));
        assert!(!make("dev"), "nothing changed");
        assert!(make("release"));
        fs::write(&input, "a{color:red}").expect("write");
        assert!(make("release"), "the input changed");
        fs::remove_file(&proof).expect("remove");
        assert!(make("release"), "the result is gone");
        fs::remove_file(&input).expect("remove");
        assert!(make("release"), "an input is gone");
        assert_eq!(runs.get(), 5);
    }
}
