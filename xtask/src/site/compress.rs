//! The release's compressed twins: `.br` and `.gz` beside each file that gains by it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use crate::{fingerprint::files_under, progress, workspace};

/// Kinds of files that are text at heart; pictures and fonts are compressed already.
const KINDS: &[&str] = &["css", "html", "js", "json", "map", "svg", "txt", "wasm", "webmanifest", "xml"];

/// What a first visit may fetch, compressed.
const BUDGET: u64 = 350 * 1024;

/// Compresses what has no twins yet, or older ones.
pub(super) fn build() -> Result<()> {
    let mut due = Vec::new();
    for file in originals()? {
        if is_compressible(&file)
            && !(is_newer(&twin(&file, "br"), &file)? && is_newer(&twin(&file, "gz"), &file)?)
        {
            due.push(file);
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    progress::step("Compressing the site (brotli, gzip)", "some seconds", || {
        due.iter().try_for_each(|file| {
            compress(file).with_context(|| format!("cannot compress {}", file.display()))
        })
    })
}

/// Prints what each file weighs, and all of them.
pub(super) fn report() -> Result<()> {
    let site = workspace::site_dir();
    let (mut raw, mut sent) = (0, 0);
    for file in originals()? {
        let whole = fs::metadata(&file)?.len();
        let compressed = fs::metadata(twin(&file, "br")).map_or(whole, |about| about.len());
        raw += whole;
        sent += compressed;
        let name = file.strip_prefix(&site)?.display();
        progress::note(&format!("{name}: {}, sent as {}", progress::size(whole), progress::size(compressed)));
    }
    let (raw, sent, budget) = (progress::size(raw), progress::size(sent), progress::size(BUDGET));
    progress::note(&format!("the whole site: {raw}, sent as {sent}; a first visit may cost {budget}"));
    Ok(())
}

/// Every file of the site that is no twin of another.
fn originals() -> Result<Vec<PathBuf>> {
    let mut files = files_under(&workspace::site_dir())?;
    files.retain(|file| file.extension().is_none_or(|kind| kind != "br" && kind != "gz"));
    Ok(files)
}

fn is_compressible(file: &Path) -> bool {
    file.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known))
}

/// The name of a file's compressed twin.
fn twin(file: &Path, kind: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    name.into()
}

/// Whether `twin` was made after `file` last changed.
fn is_newer(twin: &Path, file: &Path) -> Result<bool> {
    let Ok(made) = fs::metadata(twin) else { return Ok(false) };
    Ok(made.modified()? >= fs::metadata(file)?.modified()?)
}

fn compress(file: &Path) -> Result<()> {
    let data = fs::read(file)?;
    let mut brotli = Vec::new();
    let params = BrotliEncoderParams { quality: 11, size_hint: data.len(), ..BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut data.as_slice(), &mut brotli, &params)?;
    fs::write(twin(file, "br"), brotli)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&data)?;
    fs::write(twin(file, "gz"), gzip.finish()?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_twins_unpack_to_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("liao.js");
        let text = "export default 1;\n".repeat(200);
        fs::write(&file, &text).expect("write");

        compress(&file).expect("compressed");

        let mut plain = Vec::new();
        let packed = fs::read(twin(&file, "br")).expect("a brotli twin");
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut plain).expect("brotli");
        assert_eq!(plain, text.as_bytes());
        let packed = fs::read(folder.path().join("liao.js.gz")).expect("a gzip twin");
        let mut plain = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut plain).expect("gzip");
        assert_eq!(plain, text);
        assert!(is_newer(&twin(&file, "br"), &file).expect("times"));
    }
}
