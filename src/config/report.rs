//! The output of `liao config`.

use std::fmt;

use super::{FILE_NAME, Loaded, Source};

/// The settings in force as a table of name, value and source, followed by the file that was read.
#[derive(Debug)]
pub struct Report<'a>(pub &'a Loaded);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(loaded) = self;
        let width = |of: fn(&super::EffectiveSetting) -> &str| {
            loaded.lines.iter().map(|line| of(line).chars().count()).max()
        };
        let names = width(|line| line.name).unwrap_or_default();
        // A very long value moves only its own source to the right.
        let values = width(|line| &line.value).unwrap_or_default().min(40);
        for line in &loaded.lines {
            let source = match &line.source {
                Source::Default => "default".to_owned(),
                source => source.describe(line.name),
            };
            writeln!(f, "{:names$}  {:values$}  {source}", line.name, line.value)?;
        }
        match &loaded.file {
            Some(path) => write!(f, "\nFile read: {}", path.display()),
            None => {
                write!(f, "\nNo file read: there is no {FILE_NAME} in this folder, and --config names none.")
            }
        }
    }
}
