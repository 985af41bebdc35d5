//! The site's files: wasm, script, style and what lies in `public/`. A release has them inside; a debug build reads
//! them from `target/site` at each request, so that a change shows at once.
//!
//! Files of `pkg/` are asked for under a hash of the whole site, so a browser may keep them for ever; the others keep
//! their names and are asked after each time. Compressed forms (`.br`, `.gz`) were made by the build.

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

/// The name that the build gives the script, the wasm and the style.
const OUTPUT_NAME: &str = "liao";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/target/site"]
#[allow_missing = true]
struct Site;

/// `cargo xtask build --release` names the files, so that cargo takes the site in anew when there are others. A release
/// built without it would have none inside, or those of another day, and serve pages that do not come to life.
const _: () = assert!(
    cfg!(debug_assertions) || option_env!("LIAO_SITE_FILES").is_some(),
    "a release has the site inside: build it with `cargo xtask build --release`"
);

/// How long a browser may keep a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// For ever: its address changes with it.
    Forever,
    /// It must ask each time.
    Asking,
    /// Not at all.
    Never,
}

/// What Leptos must know: where pages find the script, the wasm and the style.
pub fn leptos_options(config: &Config) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(OUTPUT_NAME)
        .site_root("target/site")
        .site_pkg_dir(format!("pkg/{}", *HASH))
        .site_addr(config.listen)
        .env(if dev_reload::is_on() { Env::DEV } else { Env::PROD })
        .build()
}

/// Was the site built? Without it pages come without style and script.
pub fn is_built() -> bool {
    Site::get(&format!("pkg/{OUTPUT_NAME}.js")).is_some()
}

/// `/pkg/…` and a route for each public file.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let package = |Path((hash, file)): Path<(String, String)>, headers: HeaderMap| async move {
        if !file.ends_with(".css") {
            wait_for_wasm().await;
        }
        serve(&format!("pkg/{file}"), &headers, keep(&hash))
    };
    let is_public = |file: &Cow<'static, str>| !file.starts_with("pkg/") && Encoding::of_name(file).is_none();
    Site::iter().filter(is_public).fold(
        Router::new().route("/pkg/{hash}/{*file}", get(package)),
        |router, file| {
            // Braces are the router's.
            let route = format!("/{}", file.replace('{', "{{").replace('}', "}}"));
            router.route(
                &route,
                get(move |headers: HeaderMap| async move { serve(&file, &headers, Keep::Asking) }),
            )
        },
    )
}

/// Changes whenever a file does, and is the same for each process of one binary.
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

fn keep(hash: &str) -> Keep {
    if cfg!(debug_assertions) {
        Keep::Asking
    } else if hash == *HASH {
        Keep::Forever
    } else {
        // While a new version is rolled out, its page may ask the old one for its files, or the reverse. What comes
        // then must not stay under the other's address.
        Keep::Never
    }
}

fn serve(name: &str, headers: &HeaderMap, keep: Keep) -> Response {
    let Some((file, encoding)) = find(name, headers) else { return missing() };
    let mut response = Response::default();
    let etag = etag(&file);
    let answer = response.headers_mut();
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(keep.directive()));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(ETAG, etag);
    }
    if knows(headers, &etag) {
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

/// The file in the form that the client likes best among those there are.
fn find(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Encoding)> {
    // A form is an answer to Accept-Encoding, not a file of its own.
    if Encoding::of_name(name).is_some() {
        return None;
    }
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut liked = encoding::liked(accepted).into_iter();
    liked.find_map(|form| Some((Site::get(&format!("{name}{}", form.suffix()))?, form)))
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
    // Half of the hash is more than enough to tell two versions apart.
    let half = file.metadata.sha256_hash().into_iter().take(16);
    format!("\"{:032x}\"", half.fold(0_u128, |number, byte| number << 8 | u128::from(byte)))
}

/// Has the client this very file already?
fn knows(headers: &HeaderMap, etag: &str) -> bool {
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

impl Keep {
    fn directive(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Asking => "no-cache",
            Self::Never => "no-store",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_file_of_the_site_has_its_type() {
        for (name, kind) in [
            ("pkg/liao.js", "text/javascript; charset=utf-8"),
            // Without a parameter, or browsers do not compile it while it arrives.
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
    fn a_client_that_has_the_file_is_told_so() {
        let asks = |value| {
            knows(&HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]), "\"ab\"")
        };
        assert!(asks("\"ab\""));
        assert!(asks("\"cd\", W/\"ab\""));
        assert!(asks("*"));
        assert!(!asks("\"abc\""));
        assert!(!knows(&HeaderMap::new(), "\"ab\""));
    }

    #[test]
    fn nothing_outside_the_site_is_found() {
        for name in ["pkg/../../../Cargo.toml", "../../Cargo.toml", "/etc/passwd", "pkg/liao.js.br", ""] {
            assert!(find(name, &HeaderMap::new()).is_none(), "{name}");
        }
    }
}
