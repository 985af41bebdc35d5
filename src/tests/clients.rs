//! Compatibility with the libraries of other clients.
//!
//! Here djangorestframework-simplejwt, with which a Django system beside this server verifies tokens. axios and calls
//! of a browser from another origin are tested in `end2end`.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::Server;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/clients");
/// The key that is shared with Django during a migration.
const SECRET: &str = "a secret that both of them know, 32 bytes or more";

/// Runs Django's part in the Python environment made by `cargo xtask`.
fn simplejwt(given: &Value) -> Value {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let python = target.join("python/clients/bin/python");
    let mut child = Command::new(&python)
        .arg(format!("{FOLDER}/simplejwt.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{}: {error}; `cargo xtask setup --test` installs it", python.display())
        });
    child.stdin.take().expect("its input").write_all(given.to_string().as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ended");
    assert!(output.status.success(), "simplejwt.py failed; what it said stands above");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn simplejwt_reads_our_tokens_and_we_read_its() {
    let server = Server::start(&[&format!("--secret-key={SECRET}")]);
    let amy = server.person("amy").await;
    let user_id = amy.id.to_string();
    let given = json!({"secret": SECRET, "access": amy.access, "refresh": amy.refresh, "user_id": user_id});
    let found = tokio::task::spawn_blocking(move || simplejwt(&given)).await.expect("no panic");

    for (kind, seconds) in [("access", 60 * 60), ("refresh", 7 * 24 * 60 * 60)] {
        let claims = &found[kind];
        assert_eq!((&claims["token_type"], &claims["user_id"]), (&json!(kind), &json!(user_id)), "{claims}");
        let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
        assert_eq!(lifetime, Some(seconds), "{claims}");
        assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() == 32), "{claims}");
    }
    assert_eq!(found["exchanged"]["user_id"], json!(user_id), "our refresh token is exchanged there");

    let token = |kind: &str| found["minted"][kind].as_str().expect("a token").to_owned();
    let anyone = server.anyone();
    let me = anyone.with_token(&token("access")).get("/api/me/").await.expect(200);
    assert_eq!(me["id"], amy.id);
    let refresh = json!({"refresh": token("refresh")});
    let exchanged = anyone.post("/api/token/refresh/", &refresh).await.expect(200);
    let access = exchanged["access"].as_str().expect("a token");
    assert_eq!(anyone.with_token(access).get("/api/me/").await.expect(200)["id"], amy.id);
    assert_eq!(
        anyone.post("/api/token/verify/", &json!({"token": token("access")})).await.expect(200),
        json!({})
    );
    anyone.post("/api/token/blacklist/", &refresh).await.expect(200);
    anyone.post("/api/token/refresh/", &refresh).await.expect_error(401, "token_not_valid");
}
