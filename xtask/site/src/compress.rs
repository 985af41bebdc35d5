//! Compressed variants of the site's files: `.br` and `.gz` beside each file that is text.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use crate::script;

/// Extensions of the files to compress. Pictures and fonts are compressed already.
const KINDS: &[&str] = &["css", "html", "js", "json", "map", "svg", "txt", "wasm", "webmanifest", "xml"];

/// What a first visit may fetch, in compressed bytes.
const BUDGET: u64 = 350 * 1024;

/// Shortens and compresses every file whose variants are missing or older than it.
pub(crate) fn run(site: &Path) -> Result<()> {
    for file in originals(site)? {
        if is_compressible(&file)
            && !(is_newer(&variant(&file, "br"), &file)? && is_newer(&variant(&file, "gz"), &file)?)
        {
            compress(&file).with_context(|| format!("cannot compress {}", file.display()))?;
        }
    }
    Ok(())
}

/// Prints the size of each file, raw and compressed, and the sum.
pub(crate) fn report(site: &Path) -> Result<()> {
    let (mut raw, mut sent) = (0, 0);
    for file in originals(site)? {
        let whole = fs::metadata(&file)?.len();
        let compressed = fs::metadata(variant(&file, "br")).map_or(whole, |about| about.len());
        raw += whole;
        sent += compressed;
        let name = file.strip_prefix(site)?.display();
        eprintln!("xtask: {name}: {}, sent as {}", size(whole), size(compressed));
    }
    let (raw, sent, budget) = (size(raw), size(sent), size(BUDGET));
    eprintln!("xtask: the whole site: {raw}, sent as {sent}; a first visit may cost {budget}");
    Ok(())
}

/// A number of bytes for people: `912 B`, `163.4 KiB`.
fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths of a KiB in whole numbers: no float can be off.
    let tenths = bytes * 10 / 1024;
    format!("{}.{} KiB", tenths / 10, tenths % 10)
}

/// Every file of the site but the compressed variants, in the order of their names.
fn originals(site: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![site.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|file| file.extension().is_none_or(|kind| kind != "br" && kind != "gz"));
    files.sort();
    Ok(files)
}

fn is_compressible(file: &Path) -> bool {
    file.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known))
}

/// The path of a file's compressed variant.
fn variant(file: &Path, kind: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    name.into()
}

/// Whether `variant` was made after `file` last changed.
fn is_newer(variant: &Path, file: &Path) -> Result<bool> {
    let Ok(made) = fs::metadata(variant) else { return Ok(false) };
    Ok(made.modified()? >= fs::metadata(file)?.modified()?)
}

fn compress(file: &Path) -> Result<()> {
    let mut data = fs::read(file)?;
    if file.extension().is_some_and(|kind| kind == "js") {
        data = script::shorten(&String::from_utf8(data)?).into_bytes();
        fs::write(file, &data)?;
    }
    let mut brotli = Vec::new();
    let params = BrotliEncoderParams { quality: 11, size_hint: data.len(), ..BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut data.as_slice(), &mut brotli, &params)?;
    fs::write(variant(file, "br"), brotli)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&data)?;
    fs::write(variant(file, "gz"), gzip.finish()?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn variants_unpack_to_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("liao.js");
        let text = "export default 1;\n".repeat(200);
        fs::write(&file, &text).expect("write");

        compress(&file).expect("compressed");

        let mut plain = Vec::new();
        let packed = fs::read(variant(&file, "br")).expect("a brotli variant");
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut plain).expect("brotli");
        assert_eq!(plain, text.as_bytes());
        let packed = fs::read(folder.path().join("liao.js.gz")).expect("a gzip variant");
        let mut plain = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut plain).expect("gzip");
        assert_eq!(plain, text);
        assert!(is_newer(&variant(&file, "br"), &file).expect("times"));
    }
}
