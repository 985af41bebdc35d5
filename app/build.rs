//! Generates the module that [`app::i18n`] includes from `locales/*.json`, and checks that every language has every key.

use std::{error::Error, fs, path::PathBuf};

use leptos_i18n_parser::parse_locales::{
    options::{Config, ParseOptions},
    parse_locales,
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");

    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let mut config = Config::new("zh")?.add_locale("en")?;
    // Texts with parameters as strings too, for attributes and for the REST layer.
    config.options = ParseOptions::new().interpolate_display(true);
    let locales = parse_locales(Some(root), config)?;
    // The parser only warns about a missing key; here it is an error.
    let gaps: Vec<String> = locales.diag.warnings().iter().map(ToString::to_string).collect();
    if !gaps.is_empty() {
        return Err(gaps.join("\n").into());
    }

    let code = leptos_i18n_codegen::gen_code(&locales, None, false, None, false)?;
    fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("i18n.rs"), code.to_string())?;
    Ok(())
}
