//! The static files: wasm, script, styles and the files of `public/`. A release build embeds them; a debug build reads
//! them from `target/site` at each request, so that changes are visible at once.
//!
//! Files of `pkg/` have a hash of the whole site in their path, so a browser may cache them for ever. All others are
//! revalidated at each use. The compressed variants (`.br`, `.gz`) are made by the build.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use leptos::config::{Env, LeptosOptions};
use rust_embed::{EmbeddedFile, RustEmbed};

mod encoding;

use encoding::Encoding;

use crate::{config::Config, dev_reload};

/// The file name of the script, the wasm and the styles, without extension.
const OUTPUT_NAME: &str = "liao";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/target/site"]
#[allow_missing = true]
struct Site;

/// `cargo xtask build --release` sets this variable, so that cargo embeds the files again when they change. A release
/// built without it would embed no files or outdated ones, and its pages would not hydrate.
const _: () = assert!(
    cfg!(debug_assertions) || option_env!("LIAO_SITE_FILES").is_some(),
    "a release has the site inside: build it with `cargo xtask build --release`"
);

/// How long a browser may cache a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CachePolicy {
    /// For ever: the path changes with the content.
    Immutable,
    /// The browser must revalidate it at each use.
    Revalidate,
    /// Not at all.
    NoStore,
}

/// Leptos' options: the paths of the script, the wasm and the styles.
pub fn leptos_options(config: &Config) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(OUTPUT_NAME)
        .site_root("target/site")
        .site_pkg_dir(format!("pkg/{}", *HASH))
        .site_addr(config.listen)
        .env(if dev_reload::is_on() { Env::DEV } else { Env::PROD })
        .build()
}

/// Was the site built? Otherwise pages have neither styles nor scripts.
pub fn is_built() -> bool {
    Site::get(&format!("pkg/{OUTPUT_NAME}.js")).is_some()
}

/// The name of this release: its version, and the hash of the site's files.
pub fn build() -> String {
    format!("{}+{}", env!("CARGO_PKG_VERSION"), *HASH)
}

/// The routes `/pkg/…` and one for each public file.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let package = |Path((hash, file)): Path<(String, String)>, headers: HeaderMap| async move {
        if std::path::Path::new(&file).extension().is_none_or(|extension| extension != "css") {
            wait_for_wasm().await;
        }
        serve(&format!("pkg/{file}"), &headers, cache_policy(&hash))
    };
    let is_public = |file: &Cow<'static, str>| !file.starts_with("pkg/") && Encoding::of_name(file).is_none();
    Site::iter().filter(is_public).fold(
        Router::new().route("/pkg/{hash}/{*file}", get(package)),
        |router, file| {
            // Braces are special characters of the router.
            let route = format!("/{}", file.replace('{', "{{").replace('}', "}}"));
            router.route(
                &route,
                get(move |headers: HeaderMap| async move { serve(&file, &headers, CachePolicy::Revalidate) }),
            )
        },
    )
}

/// A hash of all files.
static HASH: LazyLock<String> = LazyLock::new(|| {
    if cfg!(debug_assertions) {
        return "dev".to_owned();
    }
    let mut hasher = DefaultHasher::new();
    for name in Site::iter() {
        name.hash(&mut hasher);
        Site::get(&name).map(|file| file.metadata.sha256_hash()).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
});

/// `cargo xtask run` may start this server while it still compiles the wasm. The files of the wasm are then held back until
/// they exist, so that a page hydrates by itself. `LIAO_SITE_STAMP` is the path of a file that exists from then on.
async fn wait_for_wasm() {
    const PERIOD: Duration = Duration::from_millis(300);
    const PERIODS: u32 = 2_000;
    let Some(stamp) = std::env::var_os("LIAO_SITE_STAMP").filter(|_| cfg!(debug_assertions)) else { return };
    for _ in 0..PERIODS {
        if std::path::Path::new(&stamp).exists() {
            return;
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn cache_policy(hash: &str) -> CachePolicy {
    if cfg!(debug_assertions) {
        CachePolicy::Revalidate
    } else if hash == *HASH {
        CachePolicy::Immutable
    } else {
        // During a rolling update, a page of one version may request its files from a node of the other. The response
        // must not be cached under that path.
        CachePolicy::NoStore
    }
}

fn serve(name: &str, headers: &HeaderMap, policy: CachePolicy) -> Response {
    let Some((file, encoding)) = find(name, headers) else { return missing() };
    let mut response = Response::default();
    let etag = etag(&file);
    let answer = response.headers_mut();
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(policy.directive()));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(ETAG, etag);
    }
    if is_cached(headers, &etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if let Ok(kind) = HeaderValue::from_str(&content_type(name)) {
        answer.insert(CONTENT_TYPE, kind);
    }
    if let Some(encoding) = encoding.content_encoding() {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(match file.data {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => Bytes::from(read),
    });
    response
}

/// The file in the encoding that the client prefers among the available ones.
fn find(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Encoding)> {
    // A compressed variant is not a file of its own.
    if Encoding::of_name(name).is_some() {
        return None;
    }
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut encodings = encoding::accepted(accepted).into_iter();
    encodings.find_map(|encoding| Some((Site::get(&format!("{name}{}", encoding.suffix()))?, encoding)))
}

fn missing() -> Response {
    if is_built() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let hint =
        "The site has not been built. Run `cargo xtask build`, or `cargo xtask run`, which does so first.\n";
    (StatusCode::NOT_FOUND, hint).into_response()
}

fn etag(file: &EmbeddedFile) -> String {
    // Half of the hash is enough to distinguish versions.
    let half = file.metadata.sha256_hash().into_iter().take(16);
    format!("\"{:032x}\"", half.fold(0_u128, |number, byte| number << 8 | u128::from(byte)))
}

/// Does the client have this version of the file already?
fn is_cached(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

fn content_type(name: &str) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let is_text =
        kind.type_() == "text" || kind.subtype() == "json" || kind.suffix().is_some_and(|it| it == "json");
    if is_text { format!("{kind}; charset=utf-8") } else { kind.to_string() }
}

impl CachePolicy {
    fn directive(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Revalidate => "no-cache",
            Self::NoStore => "no-store",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_of_all_file_types() {
        for (name, kind) in [
            ("pkg/liao.js", "text/javascript; charset=utf-8"),
            // With a parameter, browsers would not compile it while it is loading.
            ("pkg/liao_bg.wasm", "application/wasm"),
            ("pkg/liao.css", "text/css; charset=utf-8"),
            ("manifest.webmanifest", "application/manifest+json; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
            ("icon-192.png", "image/png"),
            ("favicon.ico", "image/x-icon"),
            ("inter.woff2", "font/woff2"),
            ("robots.txt", "text/plain; charset=utf-8"),
            ("unknown", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), kind, "{name}");
        }
    }

    #[test]
    fn if_none_match_is_compared_with_the_etag() {
        let asks = |value| {
            is_cached(&HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]), "\"ab\"")
        };
        assert!(asks("\"ab\""));
        assert!(asks("\"cd\", W/\"ab\""));
        assert!(asks("*"));
        assert!(!asks("\"abc\""));
        assert!(!is_cached(&HeaderMap::new(), "\"ab\""));
    }

    #[test]
    fn paths_outside_of_the_site_are_not_found() {
        for name in ["pkg/../../../Cargo.toml", "../../Cargo.toml", "/etc/passwd", "pkg/liao.js.br", ""] {
            assert!(find(name, &HeaderMap::new()).is_none(), "{name}");
        }
    }
}
