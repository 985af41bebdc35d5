//! A client of the REST API.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::Server;

/// A valid password.
pub const PASSWORD: &str = "correct horse 9";

/// A client with or without a token.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// A signed-in user.
#[derive(Clone)]
pub struct Person {
    pub client: Client,
    pub id: i64,
    pub username: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; null if it is empty or not JSON.
    pub body: Value,
}

impl Server {
    /// A client without a token.
    pub fn anyone(&self) -> Client {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Client { base: self.next_node().to_owned(), token: None, http: http.expect("a client") }
    }

    /// Registers a user whose name starts with `name`, and signs in.
    pub async fn person(&self, name: &str) -> Person {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let username = format!("{name}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let credentials = json!({"username": username, "password": PASSWORD});
        let anyone = self.anyone();
        let made = anyone.post("/api/register/", &credentials).await.expect(201);
        let tokens = anyone.post("/api/token/", &credentials).await.expect(200);
        let text = |field: &str| tokens[field].as_str().expect("a token").to_owned();
        Person {
            client: anyone.with_token(&text("access")),
            id: made["id"].as_i64().expect("an id"),
            username,
            access: text("access"),
            refresh: text("refresh"),
        }
    }
}

impl Client {
    /// The same client with this access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client without a token.
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// A request to be completed.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    pub async fn send(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path)).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    /// `POST` with this raw body and the content type of JSON.
    pub async fn post_raw(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        Self::send(request.body(body)).await
    }
}

impl Answer {
    /// The body. Asserts the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The body. Asserts that it is an error of the contract's shape with this status and code.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        for field in ["error", "detail"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {body}");
        }
        body
    }
}

impl Person {
    /// Creates a room of this type and returns its id.
    pub async fn makes_room(&self, room_type: &str) -> i64 {
        let new = json!({"name": "Tea 茶", "room_type": room_type});
        let room = self.client.post("/api/chat/rooms/", &new).await.expect(201);
        room["id"].as_i64().expect("an id")
    }

    /// Joins a room.
    pub async fn joins(&self, room: i64) {
        self.client.post(&format!("/api/chat/rooms/{room}/join/"), &json!({})).await.expect(200);
    }

    /// Sends a text and returns the message.
    pub async fn says(&self, room: i64, text: &str) -> Value {
        let draft = json!({"content": text});
        self.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft).await.expect(201)
    }

    /// The texts of a room's newest messages, newest first.
    pub async fn reads(&self, room: i64) -> Vec<String> {
        let page =
            self.client.get(&format!("/api/chat/rooms/{room}/messages/?page_size=100")).await.expect(200);
        let messages = page["messages"].as_array().expect("messages");
        messages.iter().map(|message| message["content"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
