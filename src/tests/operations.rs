//! Start, shutdown and kill, and the error message of each failed start.

use std::{
    fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
    time::Instant,
};

use serde_json::json;

use crate::support::{Server, failure, mariadb_url, schema, spawn, wait};

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let mut server = Server::start(&["--writes-per-second=0"]);
    let mut amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        for n in 0..4 {
            let text = format!("{round}-{n}");
            amy.says(room, &text).await;
            acknowledged.insert(0, text);
        }
        // Right after the 201.
        server = server.kill_and_restart();
        // The port has changed.
        amy.client = server.anyone().with_token(&amy.access);
        let page =
            amy.client.get(&format!("/api/chat/rooms/{room}/messages/?page_size=100")).await.expect(200);
        let texts: Vec<&str> = page["messages"]
            .as_array()
            .expect("messages")
            .iter()
            .filter_map(|m| m["content"].as_str())
            .collect();
        assert_eq!(texts, acknowledged);
    }
}

#[tokio::test]
async fn sigterm_with_open_sockets_ends_within_five_seconds_and_says_1001() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut child, base) = spawn(folder.path(), &[]);
    let server = Server::at(&base, folder.path());
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let socket = server.socket(&amy, room).await;
    let _idle = server.socket(&amy, room).await;
    let started = Instant::now();
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(killed.success());
    assert_eq!(socket.until_closed().await.1, 1001);
    let status = tokio::task::spawn_blocking(move || wait(&mut child)).await.expect("no panic");
    assert!(status.success(), "{status}");
    // A guarantee for operators: an orchestrator kills the process after that time.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn a_second_server_on_the_same_port_does_not_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = format!("--listen={}", taken.local_addr().expect("an address"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = format!("--data={}", folder.path().join("data").display());
    let (sentence, code) = failure(&["serve", &listen, &data]);
    assert!(sentence.contains("is in use"), "{sentence}");
    assert_eq!(code, Some(1));
    assert!(!folder.path().join("data").exists(), "and the data were not touched");
}

#[tokio::test]
async fn a_second_server_on_the_same_sqlite_file_does_not_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let first = Server::start_on(&data, &[]);
    let flag = format!("--data={}", data.display());
    let (sentence, code) = failure(&["serve", "--listen=127.0.0.1:0", &flag]);
    assert!(sentence.contains("liao.db is in use") && sentence.contains("--data"), "{sentence}");
    assert_eq!(code, Some(1));
    // The same file under another path.
    let url = format!("--database-url=sqlite:{}", data.join("../data/liao.db").display());
    let elsewhere = format!("--data={}", folder.path().join("elsewhere").display());
    let (sentence, _) = failure(&["serve", "--listen=127.0.0.1:0", &elsewhere, &url]);
    assert!(sentence.contains("is in use"), "{sentence}");
    first.person("amy").await;
    // A killed server leaves no lock behind.
    first.kill_and_restart().person("bob").await;
}

#[tokio::test]
async fn the_servers_files_are_readable_only_by_their_owner() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("made");
    let open_to_all = |path: &Path| {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("opened to all");
    };
    open_to_all(&data);
    let files = || std::fs::read_dir(&data).expect("listed").map(|entry| entry.expect("a file").path());
    let check = || {
        let names: Vec<String> = files().map(|path| path.display().to_string()).collect();
        for end in ["liao.db", "liao.db-wal", "liao.db-shm", "liao.db.lock", "secret_key"] {
            assert!(names.iter().any(|name| name.ends_with(end)), "{end} in {names:?}");
        }
        for path in files() {
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    };
    let server = Server::start_on(&data, &[]);
    server.person("amy").await;
    check();
    // With the permissions of an older version.
    files().for_each(|path| open_to_all(&path));
    let server = server.kill_and_restart();
    server.person("bob").await;
    check();
}

#[test]
fn a_command_before_the_first_start_says_that_the_server_makes_the_database() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let flag = format!("--data={}", data.display());
    for command in [&["create-developer-group"][..], &["users", "deactivate", "amy"]] {
        let (sentence, code) = failure(&[command, &[&flag]].concat());
        assert!(sentence.contains("liao serve") && sentence.contains("liao.db"), "{sentence}");
        assert_eq!(code, Some(1));
    }
    assert!(!data.exists(), "nothing was made");
}

#[tokio::test]
async fn a_command_leaves_an_older_database_to_the_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("liao.db").display());
    schema::make_previous(&url, &[]).await;
    let flag = format!("--data={}", folder.path().display());
    let (sentence, code) = failure(&["create-developer-group", &flag]);
    assert!(sentence.contains("older version"), "{sentence}");
    assert_eq!(code, Some(1));
    let server = Server::start_on(folder.path(), &[]);
    let made = server.command(&["create-developer-group"], "");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let (sentence, code) = failure(&["serve", "--listen=127.0.0.1:0", &format!("--data={}", file.display())]);
    assert!(sentence.contains(&file.display().to_string()), "{sentence}");
    assert_eq!(code, Some(1));
    // Root ignores permissions, but cannot write to this kernel folder.
    let (sentence, _) = failure(&["serve", "--listen=127.0.0.1:0", "--data=/proc/liao"]);
    assert!(sentence.contains("/proc/liao"), "{sentence}");
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = format!("--data={}", folder.path().display());
    let url = "--database-url=mysql://amy:s3cret@127.0.0.1:1/liao";
    let (sentence, code) = failure(&["serve", "--listen=127.0.0.1:0", &data, url]);
    assert!(sentence.contains("127.0.0.1:1") && sentence.contains("cannot be reached"), "{sentence}");
    assert!(!sentence.contains("s3cret"), "{sentence}");
    assert_eq!(code, Some(1));
}

#[test]
fn redis_beside_an_sqlite_file_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = format!("--data={}", folder.path().display());
    let (sentence, code) =
        failure(&["serve", "--listen=127.0.0.1:0", &data, "--redis-url=redis://127.0.0.1:1"]);
    assert!(sentence.contains("redis_url") && sentence.contains("SQLite"), "{sentence}");
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn a_second_server_on_the_database_needs_the_first_ones_secret_key() {
    let url = mariadb_url("two_servers").await;
    let database = format!("--database-url={url}");
    let first = Server::start(&[&database]);
    let amy = first.person("amy").await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = format!("--data={}", folder.path().display());
    let (sentence, code) = failure(&["serve", "--listen=127.0.0.1:0", &data, &database]);
    assert!(sentence.contains("secret_key") && !sentence.contains("liao:liao"), "{sentence}");
    assert_eq!(code, Some(1));
    let key = std::fs::read_to_string(first.data().join("secret_key")).expect("the first one's key");
    let second = Server::start(&[&database, &format!("--secret-key={}", key.trim())]);
    second.anyone().with_token(&amy.access).get("/api/me/").await.expect(200);
}

#[test]
fn a_bad_setting_is_named_with_what_is_expected() {
    for bad in [
        "--listen=nowhere",
        "--access-token-lifetime=soon",
        "--database-url=postgres://x/y",
        "--body-limit=-1",
    ] {
        let (sentence, code) = failure(&["serve", bad]);
        let name = bad.split('=').next().expect("a name");
        assert!(sentence.contains(name.trim_start_matches("--")), "{sentence}");
        assert_eq!(code, Some(2), "{sentence}");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("liao.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").expect("written");
    let (sentence, code) = failure(&["serve", &format!("--config={}", file.display())]);
    assert!(sentence.contains("lisen") && sentence.contains("listen"), "{sentence}");
    assert_eq!(code, Some(2));
}

#[test]
fn the_settings_in_force_are_shown_with_their_source_and_without_secrets() {
    let key = "k".repeat(40);
    let output = Command::new(env!("CARGO_BIN_EXE_liao"))
        .args(["config", "--listen=127.0.0.1:9"])
        .env_clear()
        .env("LIAO_SECRET_KEY", &key)
        .env("LIAO_DATABASE_URL", "mysql://amy:s3cret@db.example/liao")
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    assert!(!text.contains(&key) && !text.contains("s3cret"), "{text}");
    let line = |name: &str| {
        text.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default().to_owned()
    };
    assert!(line("listen").contains("127.0.0.1:9"), "{text}");
    assert!(line("database_url").contains("db.example"), "{text}");
}

#[tokio::test]
async fn accounts_are_created_and_deactivated_beside_a_running_server() {
    let server = Server::start(&[]);
    let made = server.command(&["users", "create", "ada"], "correct horse 9\n");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let credentials = json!({"username": "ada", "password": "correct horse 9"});
    let tokens = server.anyone().post("/api/token/", &credentials).await.expect(200);
    let ada = server.anyone().with_token(tokens["access"].as_str().expect("a token"));
    ada.get("/api/me/").await.expect(200);
    let closed = server.command(&["users", "deactivate", "ada"], "");
    assert!(closed.status.success());
    ada.get("/api/me/").await.expect_error(401, "user_inactive");
    server.anyone().post("/api/token/", &credentials).await.expect_error(401, "no_active_account");
    for _ in 0..2 {
        let group = server.command(&["create-developer-group"], "");
        assert!(group.status.success(), "{}", String::from_utf8_lossy(&group.stderr));
    }
}

#[tokio::test]
async fn old_messages_are_removed_beside_a_running_server() {
    let server = Server::start(&[]);
    server.command(&["users", "create", "ada"], "correct horse 9\n");
    let credentials = json!({"username": "ada", "password": "correct horse 9"});
    let tokens = server.anyone().post("/api/token/", &credentials).await.expect(200);
    let ada = server.anyone().with_token(tokens["access"].as_str().expect("a token"));
    let room = ada.post("/api/chat/rooms/", &json!({"name": "tea", "room_type": "public"})).await.expect(201);
    let path = format!("/api/chat/rooms/{}/messages/", room["id"]);
    for text in ["one", "two", "three"] {
        ada.post(&path, &json!({"content": text})).await.expect(201);
    }
    let number = room["id"].to_string();
    let done = server.command(&["rooms", "trim", &number, "--keep", "1"], "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = format!("Removed 2 messages of room {number}; 1 message left.\n");
    assert_eq!(String::from_utf8_lossy(&done.stdout), told);
    let page = ada.get(&path).await.expect(200);
    assert_eq!((&page["total"], &page["messages"][0]["content"]), (&json!(1), &json!("three")));
    let unknown = server.command(&["rooms", "trim", "987654", "--before", "2026-01-25"], "");
    assert_eq!(String::from_utf8_lossy(&unknown.stderr), "liao: There is no room 987654.\n");
}

#[tokio::test]
async fn the_secret_key_is_created_once_and_readable_only_by_its_owner() {
    let server = Server::start(&[]);
    let key = server.data().join("secret_key");
    let mode = std::fs::metadata(&key).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let amy = server.person("amy").await;
    let server = server.kill_and_restart();
    server.anyone().with_token(&amy.access).get("/api/me/").await.expect(200);
}

#[tokio::test]
async fn health_and_metrics_reveal_no_names() {
    let server = Server::on_sqlite().await;
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    amy.says(room, "x").await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.anyone().get(path).await.status, 200);
    }
    let request = server.anyone().request(reqwest::Method::GET, "/metrics");
    let text = request.send().await.expect("an answer").text().await.expect("text");
    assert!(text.contains("liao_http_requests_total"), "{text}");
    assert!(
        !text.contains(&amy.username) && !text.contains(&format!("rooms/{room}/")),
        "no label a stranger can multiply"
    );
}

/// The answer's status to `GET /metrics` with these headers.
async fn metrics(base: &str, headers: &[(&'static str, &str)]) -> u16 {
    let request = reqwest::Client::new().get(format!("{base}/metrics"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn metrics_are_for_this_machine_the_token_and_a_port_of_their_own() {
    const FORWARDED: (&str, &str) = ("x-forwarded-for", "192.0.2.1");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = free.local_addr().expect("its address").to_string();
    drop(free);
    let (own_flag, token_flag) = (format!("--metrics-listen={own}"), "--metrics-token=0123456789abcdef");
    let server = Server::start(&[&own_flag, token_flag]);
    let (own, token) = (format!("http://{own}"), ("authorization", "Bearer 0123456789abcdef"));
    assert_eq!(metrics(&server.base, &[]).await, 200);
    assert_eq!(metrics(&server.base, &[FORWARDED]).await, 404);
    assert_eq!(metrics(&server.base, &[FORWARDED, ("forwarded", "for=192.0.2.1"), token]).await, 200);
    assert_eq!(metrics(&own, &[FORWARDED]).await, 200);
    let elsewhere = reqwest::get(format!("{own}/api/me/")).await.expect("an answer");
    assert_eq!(elsewhere.status(), 404, "nothing but metrics is there");
}

/// The status and, where it was refused, the code of a request for this host.
async fn under(server: &Server, host: &str, path: &str) -> (u16, serde_json::Value) {
    let request = server.anyone().request(reqwest::Method::GET, path).header("host", host);
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let body = serde_json::from_str(&answer.text().await.expect("text")).unwrap_or_default();
    (status, body)
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_answered_by_probes_alone() {
    let demo = Server::start(&["--demo"]);
    let named = Server::start(&["--allowed-hosts=chat.example.org"]);
    let any = Server::start(&[]);
    for (server, host, is_allowed) in [
        (&demo, "localhost:8000", true),
        (&demo, "evil.example", false),
        (&named, "chat.example.org", true),
        (&named, "127.0.0.1", false),
        (&any, "evil.example", true),
    ] {
        for path in ["/sign-in", "/api/schema/", "/ws/notifications/"] {
            let (_, body) = under(server, host, path).await;
            assert_eq!(body["code"] == "invalid_host", !is_allowed, "{host} {path}");
        }
        if !is_allowed {
            assert_eq!(under(server, host, "/api/schema/").await.0, 400);
        }
        for path in ["/healthz", "/readyz"] {
            assert_eq!(under(server, host, path).await.0, 200, "{host} {path}");
        }
    }
}
