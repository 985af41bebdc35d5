//! `/api/token/`: every row of the contract's authentication table.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, both};

const WRONG: &str = "No active account found with the given credentials";
const FORM: &str = "application/x-www-form-urlencoded";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Valid claims of an access token for user 1, with `changes`; null removes a claim.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "token_type": "access", "exp": now() + 60, "iat": now(), "jti": "0123456789abcdef", "user_id": "1",
    });
    let all = claims.as_object_mut().expect("an object");
    all.extend(changes.as_object().expect("an object").clone());
    all.retain(|_, value| !value.is_null());
    claims
}

fn sign(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    liao::auth::jwt::hmac::install();
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).expect("signed")
}

impl Server {
    fn secret(&self) -> Vec<u8> {
        let secret = std::fs::read_to_string(self.data().join("secret_key")).expect("a secret");
        secret.trim().as_bytes().to_vec()
    }

    /// A token such as Simple JWT would sign with this server's secret.
    fn signed(&self, changes: &Value) -> String {
        sign(Algorithm::HS256, &self.secret(), &claims(changes))
    }
}

async fn post_form(client: &Client, path: &str, body: String) -> Answer {
    Client::send(client.request(Method::POST, path).header("content-type", FORM).body(body)).await
}

/// The answer to a call with this `Authorization` header.
async fn me_with(client: &Client, authorization: &str) -> Answer {
    Client::send(client.request(Method::GET, "/api/me/").header("authorization", authorization)).await
}

#[track_caller]
fn expect_401(answer: Answer, code: &str, detail: &str) -> Value {
    assert_eq!(answer.headers["www-authenticate"], r#"Bearer realm="api""#);
    let body = answer.expect_error(401, code);
    assert_eq!(body["detail"], detail);
    body
}

/// The error for an invalid token in a request body.
#[track_caller]
fn expect_bad_token(answer: Answer, detail: &str) {
    let body = expect_401(answer, "token_not_valid", detail);
    assert!(body.get("messages").is_none(), "{body}");
}

both! {
    async fn a_password_is_exchanged_for_two_tokens(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let credentials = json!({"username": amy.username, "password": crate::support::PASSWORD});
        for path in ["/api/token/", "/api/token"] {
            let answer = anyone.post(path, &credentials).await;
            assert_eq!(answer.headers["cache-control"], "no-store");
            let body = answer.expect(200);
            let fields: Vec<_> = body.as_object().expect("an object").keys().collect();
            assert_eq!(fields, ["access", "refresh"]);
            let access = body["access"].as_str().expect("a token");
            assert_eq!(anyone.with_token(access).get("/api/me/").await.expect(200)["username"], *amy.username);
        }
    }

    async fn the_four_calls_accept_form_encoding_too(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let body = format!("username={}&password=correct+horse%209", amy.username);
        let tokens = post_form(&anyone, "/api/token/", body).await.expect(200);
        let refresh = tokens["refresh"].as_str().expect("a token");
        post_form(&anyone, "/api/token/refresh/", format!("refresh={refresh}")).await.expect(200);
        post_form(&anyone, "/api/token/verify/", format!("token={refresh}")).await.expect(200);
        post_form(&anyone, "/api/token/blacklist/", format!("refresh={refresh}")).await.expect(200);
        let missing = post_form(&anyone, "/api/token/", "username=amy".into()).await.expect_error(400, "invalid");
        assert_eq!(missing["password"], json!(["该字段是必填项。"]));
    }

    async fn wrong_passwords_and_unknown_users_give_the_same_error(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let mut bodies = Vec::new();
        for username in [amy.username.as_str(), "nobody_of_this_name"] {
            let credentials = json!({"username": username, "password": "wrong horse 9"});
            let answer = anyone.post("/api/token/", &credentials).await;
            bodies.push(expect_401(answer, "no_active_account", WRONG));
        }
        assert_eq!(bodies[0], bodies[1]);
    }

    async fn bad_fields_are_named(server: &Server) {
        let anyone = server.anyone();
        let body = anyone.post("/api/token/", &json!({})).await.expect_error(400, "invalid");
        let required = json!(["该字段是必填项。"]);
        assert_eq!((&body["username"], &body["password"]), (&required, &required));
        assert_eq!(body["fields"], json!({"username": required, "password": required}));

        let request = anyone.request(Method::POST, "/api/token/").header("accept-language", "en").json(&json!({}));
        let body = Client::send(request).await.expect_error(400, "invalid");
        assert_eq!(body["username"], json!(["This field is required."]));

        let long = "x".repeat(1_025);
        for (bad, field) in [
            (json!({"username": null, "password": "x"}), "username"),
            (json!({"username": "", "password": "x"}), "username"),
            (json!({"username": [7], "password": "x"}), "username"),
            (json!({"username": "a\u{0}b", "password": "x"}), "username"),
            (json!({"username": "x".repeat(151), "password": "x"}), "username"),
            (json!({"username": "x", "password": ["x"]}), "password"),
            (json!({"username": "x", "password": ""}), "password"),
            (json!({"username": "x", "password": long}), "password"),
        ] {
            let body = anyone.post("/api/token/", &bad).await.expect_error(400, "invalid");
            let fields: Vec<_> = body["fields"].as_object().expect("an object").keys().collect();
            assert_eq!(fields, [field], "{bad}");
            assert_eq!(body[field], body["fields"][field]);
        }
        for (path, field) in [("refresh", "refresh"), ("verify", "token"), ("blacklist", "refresh")] {
            for bad in [json!({}), json!({field: null}), json!({field: []}), json!({field: " "})] {
                let answer = anyone.post(&format!("/api/token/{path}/"), &bad).await;
                assert!(answer.expect_error(400, "invalid")[field].is_array(), "{path} {bad}");
            }
        }
    }

    async fn bodies_that_are_not_json_objects_are_rejected(server: &Server) {
        let anyone = server.anyone();
        for bad in ["", "{", "[]", "null", "\"x\"", "{\"username\":\"\\ud800\",\"password\":\"x\"}"] {
            anyone.post_raw("/api/token/", bad).await.expect_error(400, "parse_error");
        }
        let plain = anyone.request(Method::POST, "/api/token/").header("content-type", "text/plain").body("{}");
        Client::send(plain).await.expect_error(415, "unsupported_media_type");
        let got = anyone.get("/api/token/").await;
        assert_eq!(got.headers["allow"], "POST");
        got.expect_error(405, "method_not_allowed");
    }

    async fn a_refresh_token_gives_an_access_token_again_and_again(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        for _ in 0..2 {
            let body = anyone.post("/api/token/refresh/", &json!({"refresh": amy.refresh})).await.expect(200);
            assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
            let access = body["access"].as_str().expect("a token");
            assert_eq!(anyone.with_token(access).get("/api/me/").await.expect(200)["id"], amy.id);
        }
    }

    async fn either_token_verifies(server: &Server) {
        let amy = server.person("amy").await;
        for token in [&amy.access, &amy.refresh] {
            let answer = server.anyone().post("/api/token/verify/", &json!({"token": token})).await;
            assert_eq!(answer.expect(200), json!({}));
        }
    }

    async fn a_blacklisted_refresh_token_is_invalid(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let refresh = json!({"refresh": amy.refresh});
        assert_eq!(anyone.post("/api/token/blacklist/", &refresh).await.expect(200), json!({}));
        expect_bad_token(anyone.post("/api/token/refresh/", &refresh).await, "Token is blacklisted");
        expect_bad_token(anyone.post("/api/token/blacklist/", &refresh).await, "Token is blacklisted");
        let verified = anyone.post("/api/token/verify/", &json!({"token": amy.refresh})).await;
        expect_bad_token(verified, "Token is blacklisted");
        let ended = amy.client.get("/api/me/").await;
        expect_401(ended, "token_not_valid", "Given token not valid for any token type");
        let verified = anyone.post("/api/token/verify/", &json!({"token": amy.access})).await;
        expect_bad_token(verified, "Token is blacklisted");
    }

    async fn an_invalid_refresh_token_reports_the_reason(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let expired = server.signed(&json!({"token_type": "refresh", "exp": now() - 1}));
        for path in ["refresh", "blacklist"] {
            let path = format!("/api/token/{path}/");
            for (token, words) in [
                ("a.b.c", "Token is invalid"),
                (amy.access.as_str(), "Token has wrong type"),
                (expired.as_str(), "Token is expired"),
            ] {
                expect_bad_token(anyone.post(&path, &json!({"refresh": token})).await, words);
            }
        }
        for (token, words) in [("令牌", "Token is invalid"), (expired.as_str(), "Token is expired")] {
            expect_bad_token(anyone.post("/api/token/verify/", &json!({"token": token})).await, words);
        }
        let gone = server.signed(&json!({"token_type": "refresh", "user_id": "9007199254740991"}));
        let answer = anyone.post("/api/token/refresh/", &json!({"refresh": gone})).await;
        expect_401(answer, "no_active_account", "No active account found for the given token.");
    }

    async fn a_call_without_a_token_is_a_401(server: &Server) {
        let anyone = server.anyone();
        let words = "Authentication credentials were not provided.";
        expect_401(anyone.get("/api/me/").await, "not_authenticated", words);
        for other in ["Basic YTpi", "Token abc", "abc", ""] {
            expect_401(me_with(&anyone, other).await, "not_authenticated", words);
        }
    }

    async fn the_header_has_two_parts(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let words = "Authorization header must contain two space-delimited values";
        for bad in ["Bearer", "Bearer ", &format!("Bearer {} x", amy.access)] {
            expect_401(me_with(&anyone, bad).await, "bad_authorization_header", words);
        }
        for good in [format!("Bearer {}", amy.access), format!("bearer   {}", amy.access)] {
            me_with(&anyone, &good).await.expect(200);
        }
    }

    async fn forged_expired_and_misused_tokens_are_rejected(server: &Server) {
        let amy = server.person("amy").await;
        let good = claims(&json!({"user_id": amy.id.to_string()}));
        let own = server.signed(&json!({"user_id": amy.id.to_string()}));
        server.anyone().with_token(&own).get("/api/me/").await.expect(200);
        let parts: Vec<&str> = own.split('.').collect();
        let (payload, signature) = (parts[1], parts[2]);
        // {"alg":"none","typ":"JWT"}
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let cases = [
            ("garbage".to_owned(), "Token is invalid"),
            (format!("{none}.{payload}."), "Token is invalid"),
            (format!("{none}.{payload}.{signature}"), "Token is invalid"),
            (format!("{}.{payload}.{}", parts[0], "A".repeat(43)), "Token is invalid"),
            (sign(Algorithm::HS384, &server.secret(), &good), "Token is invalid"),
            (sign(Algorithm::HS512, &server.secret(), &good), "Token is invalid"),
            (sign(Algorithm::HS256, b"another secret of thirty-two bytes", &good), "Token is invalid"),
            (server.signed(&json!({"exp": now() - 1})), "Token is expired"),
            (server.signed(&json!({"exp": null})), "Token has no 'exp' claim"),
            (server.signed(&json!({"jti": null})), "Token has no id"),
            (server.signed(&json!({"token_type": null})), "Token has no type"),
            (amy.refresh.clone(), "Token has wrong type"),
            (server.signed(&json!({"user_id": null})), "Token contained no recognizable user identification"),
            (server.signed(&json!({"user_id": "amy"})), "Token contained no recognizable user identification"),
        ];
        for (token, message) in cases {
            for path in ["/api/me/", "/api/chat/rooms/"] {
                let answer = server.anyone().with_token(&token).get(path).await;
                let body =
                    expect_401(answer, "token_not_valid", "Given token not valid for any token type");
                let about = json!([{"token_class": "AccessToken", "token_type": "access", "message": message}]);
                assert_eq!(body["messages"], about);
            }
        }
    }

    async fn a_token_of_the_django_system_is_accepted(server: &Server) {
        let amy = server.person("amy").await;
        for user_id in [json!(amy.id), json!(amy.id.to_string())] {
            let token = server.signed(&json!({"user_id": user_id, "iat": null, "is_staff": true, "aud": "web"}));
            let me = server.anyone().with_token(&token).get("/api/me/").await.expect(200);
            assert_eq!(me["id"], amy.id);
        }
    }

    async fn a_token_of_a_missing_user_is_user_not_found(server: &Server) {
        let token = server.signed(&json!({"user_id": "9007199254740991"}));
        let answer = server.anyone().with_token(&token).get("/api/chat/rooms/").await;
        expect_401(answer, "user_not_found", "User not found");
    }
}

#[tokio::test]
async fn with_rotation_a_refresh_token_is_replaced_and_two_tabs_do_not_sign_each_other_out() {
    let server = Server::start(&["--rotate-refresh-tokens"]);
    let amy = server.person("amy").await;
    let anyone = server.anyone();
    let exchange = async |token: &str| anyone.post("/api/token/refresh/", &json!({"refresh": token})).await;
    let body = exchange(&amy.refresh).await.expect(200);
    let next = body["refresh"].as_str().expect("a new one");
    assert!(body["access"].is_string() && next != amy.refresh);
    exchange(&amy.refresh).await.expect(200);

    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (anyone, body) = (anyone.clone(), json!({"refresh": next}));
            tokio::spawn(async move { anyone.post("/api/token/refresh/", &body).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.expect("no panic"));
    }
    assert_eq!(statuses, [200_u16; 10], "ten tabs at once");
    anyone.post("/api/token/blacklist/", &json!({"refresh": amy.refresh})).await.expect(200);
    expect_bad_token(exchange(&amy.refresh).await, "Token is blacklisted");
    exchange(next).await.expect(200);
}

async fn try_password(client: &Client, username: &str, password: &str) -> Answer {
    client.post("/api/token/", &json!({"username": username, "password": password})).await
}

#[track_caller]
fn expect_throttled(answer: Answer) {
    let wait: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=300).contains(&wait), "{wait}");
    answer.expect_error(429, "throttled");
}

#[tokio::test]
async fn an_account_is_throttled_after_ten_failures() {
    let server = Server::start(&[]);
    let (amy, bob) = (server.person("amy").await, server.person("bob").await);
    let anyone = server.anyone();
    for _ in 0..10 {
        expect_401(try_password(&anyone, &amy.username, "wrong horse 9").await, "no_active_account", WRONG);
    }
    expect_throttled(try_password(&anyone, &amy.username, "wrong horse 9").await);
    let shouted = amy.username.to_uppercase();
    expect_throttled(try_password(&anyone, &shouted, crate::support::PASSWORD).await);
    try_password(&anyone, &bob.username, crate::support::PASSWORD).await.expect(200);
    amy.client.get("/api/me/").await.expect(200);
}

#[tokio::test]
async fn an_address_is_throttled_whatever_names_and_headers_it_sends() {
    let server = Server::start(&["--signin-failures-per-address=3", "--signin-failures-per-account=0"]);
    let amy = server.person("amy").await;
    let anyone = server.anyone();
    for name in ["ann", "ben", "cat"] {
        expect_401(try_password(&anyone, name, "wrong horse 9").await, "no_active_account", WRONG);
    }
    let credentials = json!({"username": amy.username, "password": crate::support::PASSWORD});
    let request = anyone.request(Method::POST, "/api/token/").header("x-forwarded-for", "198.51.100.7");
    expect_throttled(Client::send(request.json(&credentials)).await);
}

#[tokio::test]
async fn concurrent_failures_do_not_exceed_the_limit() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (anyone, username) = (server.anyone(), amy.username.clone());
            tokio::spawn(
                async move { try_password(&anyone, &username, "wrong horse 9").await.status.as_u16() },
            )
        })
        .collect();
    let mut guesses = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            401 => guesses += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(guesses, 10);
}
