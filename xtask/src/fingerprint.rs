//! Detects changed files by path, length and modification time.
//!
//! Contents are not read: a file that was written again with the same content counts as changed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

/// The paths, lengths and modification times of some files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, (u64, SystemTime)>);

impl Fingerprint {
    /// Of these files, and of everything in these folders; what does not exist is left out.
    pub(crate) fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in paths {
            for file in files_under(path.as_ref())? {
                // A file that is deleted meanwhile is left out.
                if let Ok(about) = fs::metadata(&file) {
                    files.insert(file, (about.len(), about.modified()?));
                }
            }
        }
        Ok(Self(files))
    }

    /// As text, for the stamp.
    fn text(&self) -> String {
        let line = |(path, (length, time)): (&PathBuf, &(u64, SystemTime))| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            format!("{} {length} {}\n", path.display(), since.as_nanos())
        };
        self.0.iter().map(line).collect()
    }
}

/// Runs `make` unless it succeeded before with the same inputs under the same `mode`, and `output`, the file it
/// makes, is still there. Says whether it ran.
///
/// `stamp` is the file that records the inputs. This program counts as an input: another xtask may make another
/// output of the same files.
pub(crate) fn unless_fresh(
    stamp: &Path,
    mode: &str,
    inputs: &Fingerprint,
    output: &Path,
    make: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let own = Fingerprint::of([std::env::current_exe()?])?;
    let now = format!("{mode}\n{}{}", own.text(), inputs.text());
    if output.exists() && fs::read_to_string(stamp).is_ok_and(|before| before == now) {
        return Ok(false);
    }
    // Removed first: what fails half-way must run again.
    remove_stamp(stamp)?;
    make()?;
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(stamp, now).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(true)
}

/// Removes a stamp, if there is one.
pub(crate) fn remove_stamp(stamp: &Path) -> Result<()> {
    match fs::remove_file(stamp) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", stamp.display()))
        }
        _ => Ok(()),
    }
}

/// Every file in a folder, or the file itself, sorted; empty when there is none.
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
    fn work_runs_again_only_when_an_input_the_mode_or_the_output_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("in/deep/a.css");
        let output = folder.path().join("out.css");
        fs::create_dir_all(input.parent().expect("a parent")).expect("folders");
        fs::write(&input, "a{}").expect("write");
        let runs = Cell::new(0);
        let make = |mode: &str| {
            let inputs = Fingerprint::of([folder.path().join("in")]).expect("a fingerprint");
            unless_fresh(&folder.path().join("state/css"), mode, &inputs, &output, || {
                runs.set(runs.get() + 1);
                Ok(fs::write(&output, "made")?)
            })
            .expect("made")
        };

        assert!(make("dev"));
        assert!(!make("dev"), "nothing changed");
        assert!(make("release"));
        fs::write(&input, "a{color:red}").expect("write");
        assert!(make("release"), "the input changed");
        fs::remove_file(&output).expect("remove");
        assert!(make("release"), "the output is gone");
        fs::remove_file(&input).expect("remove");
        assert!(make("release"), "an input is gone");
        assert_eq!(runs.get(), 5);
    }
}
