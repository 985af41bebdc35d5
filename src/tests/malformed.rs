//! Malformed requests to every call: the error has the contract's shape, in Chinese and in English, and the request has
//! no effect.

use std::fmt::Write as _;

use crate::{
    calls,
    support::{Answer, Client, Person, Server, contents::Contents, mariadb_url},
};

mod cases;
mod table;

use cases::Case;

/// The ids that the calls use.
pub struct Stage {
    amy: Person,
    bob: Person,
    room: i64,
    message: i64,
    notification: i64,
}

async fn stage(server: &Server) -> Stage {
    let (amy, bob) = (server.person("amy").await, server.person("bob").await);
    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    let message = amy.says(room, "tea?").await["id"].as_i64().expect("an id");
    bob.says(room, "cake?").await;
    let notices = amy.client.get("/api/chat/notifications/").await.expect(200);
    let notification = notices[0]["id"].as_i64().expect("an id");
    Stage { amy, bob, room, message, notification }
}

async fn ask(stage: &Stage, case: &Case, language: &str) -> Answer {
    let client = if case.signed_in { stage.amy.client.clone() } else { stage.amy.client.without_token() };
    let mut request = client.request(case.method.clone(), &case.path).header("accept-language", language);
    if let Some(kind) = case.content_type {
        request = request.header("content-type", kind);
    }
    Client::send(if case.body.is_empty() { request } else { request.body(case.body.clone()) }).await
}

/// What is wrong with the response, if anything.
fn complaint(case: &Case, language: &str, answer: &Answer) -> Option<String> {
    let Answer { status, headers, body } = answer;
    let mut wrong = String::new();
    if status.as_u16() != case.status || body["code"] != case.code {
        let _ = write!(wrong, " {status} {} instead of {} {}", body["code"], case.status, case.code);
    }
    let sentence = body["error"].as_str().unwrap_or_default();
    if sentence.is_empty() || body["detail"].as_str().is_none_or(str::is_empty) {
        wrong.push_str(" no sentence");
    }
    let is_chinese = sentence.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    if is_chinese != (language == "zh") {
        let _ = write!(wrong, " in another language: {sentence}");
    }
    if let Some(field) = case.field {
        let sentences = body["fields"][field].as_array().cloned().unwrap_or_default();
        if sentences.is_empty() || body[field].as_array() != Some(&sentences) {
            let _ = write!(wrong, " {field} is not named");
        }
    }
    if case.status == 405 && headers.get("allow").is_none_or(reqwest::header::HeaderValue::is_empty) {
        wrong.push_str(" no Allow");
    }
    if case.status == 401 && headers.get("www-authenticate").is_none() {
        wrong.push_str(" no WWW-Authenticate");
    }
    let varies = headers.get_all("vary").iter().filter_map(|vary| vary.to_str().ok());
    if !varies
        .flat_map(|vary| vary.split(','))
        .any(|vary| vary.trim().eq_ignore_ascii_case("accept-language"))
    {
        wrong.push_str(" no Vary");
    }
    (!wrong.is_empty()).then(|| format!("{} with {} ({language}):{wrong}", case.path, case.what))
}

async fn malformed_requests_are_rejected(server: &Server, contents: Contents) {
    let stage = stage(server).await;
    let rows = table::rows(&stage);
    calls::assert_complete(rows.iter().map(|row| row.call));
    let mut complaints = Vec::new();
    for row in &rows {
        let before = contents.read().await;
        for case in cases::of(row) {
            for language in ["zh", "en"] {
                let answer = ask(&stage, &case, language).await;
                complaints
                    .extend(complaint(&case, language, &answer).map(|text| format!("{} {text}", row.call)));
            }
        }
        let after = contents.read().await;
        assert_eq!(after, before, "{} changed the database\n{}", row.call, complaints.join("\n"));
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// Without limits on sign-ins.
const FLAGS: [&str; 3] =
    ["--writes-per-second=0", "--signin-failures-per-account=0", "--signin-failures-per-address=0"];

#[tokio::test]
async fn malformed_requests_are_rejected_on_sqlite() {
    let server = Server::start(&FLAGS);
    let contents = Contents::of_sqlite(&server.data().join("liao.db")).await;
    malformed_requests_are_rejected(&server, contents).await;
}

#[tokio::test]
async fn malformed_requests_are_rejected_on_mariadb() {
    let url = mariadb_url("malformed").await;
    let database = format!("--database-url={url}");
    let server = Server::start(&[&FLAGS[..], &[&database]].concat());
    malformed_requests_are_rejected(&server, Contents::of_mariadb(&url).await).await;
}
