use std::collections::BTreeSet;

use super::{error_responses::ErrorResponse, *};
use crate::router;

fn document() -> Value {
    Documents::new(&router::calls().into_openapi()).value(Locale::zh)
}

/// Each call: its path, its method, and what is said of it.
fn calls(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let calls = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods");
        methods.iter().map(move |(method, call)| (format!("{method} {path}"), call))
    });
    calls.collect()
}

fn said(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[test]
fn every_call_is_described_and_has_examples() {
    let document = document();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().expect("tags").iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut names = BTreeSet::new();
    for (call, about) in calls(&document) {
        assert!(said(&about["summary"]) && said(&about["description"]), "{call} says what it does");
        assert!(tags.contains(about["tags"][0].as_str().unwrap_or_default()), "{call} is in a group");
        assert!(names.insert(about["operationId"].as_str().expect("a name")), "{call} has a name of its own");
        for parameter in about["parameters"].as_array().into_iter().flatten() {
            assert!(said(&parameter["description"]), "{parameter} of {call}");
        }
        for (kind, body) in about["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(body["example"].is_object(), "{call} as {kind}");
        }
        for (status, answer) in about["responses"].as_object().expect("answers") {
            assert!(said(&answer["description"]), "{call}: {status}");
            assert!(answer["headers"]["X-Request-Id"].is_object(), "{call}: {status}");
            let contents: Vec<&Value> =
                answer["content"].as_object().into_iter().flat_map(|it| it.values()).collect();
            assert_eq!(contents.is_empty(), status == "204", "{call}: {status}");
            for content in contents {
                assert!(
                    content["example"] != Value::Null || content["examples"].is_object(),
                    "an example of {call}: {status}"
                );
            }
        }
    }
}

#[test]
fn refusals_follow_from_what_a_call_takes() {
    let document = document();
    for (call, about) in calls(&document) {
        let statuses: BTreeSet<&str> =
            about["responses"].as_object().expect("answers").keys().map(String::as_str).collect();
        let needs_token = about.get("security").is_none();
        assert_eq!(
            needs_token,
            !["/token", "/register", "/schema", "/docs", "/test"].iter().any(|it| call.contains(it)),
            "{call}"
        );
        let expected = [
            ("401", needs_token),
            ("403", needs_token && call != "get /api/me/"),
            ("404", call.contains('{')),
            ("413", about.get("requestBody").is_some()),
            ("415", about.get("requestBody").is_some()),
        ];
        for (status, expected) in expected {
            assert!(!expected || statuses.contains(status), "{call}: {status}");
        }
        for limited in ["429", "503"] {
            let answer = &about["responses"][limited];
            assert!(answer.is_null() || answer["headers"]["Retry-After"].is_object(), "{call}: {limited}");
        }
    }
}

#[test]
fn every_refusal_that_a_handler_names_exists() {
    let collected = serde_json::to_value(router::calls().into_openapi()).expect("JSON");
    let mut count = 0;
    for (call, about) in calls(&collected) {
        for word in about["x-errors"].as_array().into_iter().flatten() {
            assert!(word.as_str().and_then(ErrorResponse::parse).is_some(), "{word} of {call}");
            count += 1;
        }
    }
    assert!(count > 20);
}

#[test]
fn every_limit_is_of_a_field_that_there_is() {
    let collected = serde_json::to_value(router::calls().into_openapi()).expect("JSON");
    for (shape, field, _) in details::details() {
        let property = &collected["components"]["schemas"][shape]["properties"][field];
        assert!(property.is_object(), "{shape}.{field}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_void() {
    fn look(document: &Value, value: &Value, place: &str) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if let ("$ref", Some(target)) = (name.as_str(), field.as_str()) {
                        assert!(document.pointer(&target[1..]).is_some(), "{target} at {place}");
                    }
                    if !["example", "examples", "value"].contains(&name.as_str()) {
                        assert!(!field.is_null(), "{name} at {place}");
                        look(document, field, &format!("{place}/{name}"));
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| look(document, item, place)),
            Value::String(text) => {
                assert!(
                    !text.contains("[`") && !text.contains("::"),
                    "Rust's own notation at {place}: {text}"
                );
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let document = document();
    look(&document, &document, "");
}

#[test]
fn sockets_are_described_with_every_frame_and_close_code() {
    let document = document();
    let room = &document["x-sockets"]["/ws/chat/{room_id}/"];
    for code in ["1001", "1007", "1009", "4401", "4403", "4404", "4408", "4429"] {
        assert!(said(&room["closes"][code]), "{code}");
    }
    let frames = |shape: &str| -> Vec<String> {
        let choices = document["components"]["schemas"][shape]["oneOf"].as_array().expect("frames");
        let samples = choices.iter().map(|choice| sample::of(&document, choice));
        samples.map(|sample| sample["type"].as_str().expect("a type").to_owned()).collect()
    };
    assert!(frames("ClientFrame").contains(&"chat_message".to_owned()));
    assert!(frames("ServerFrame").contains(&"connection_established".to_owned()));
    assert_eq!(
        frames("NotificationFrame"),
        [
            "connection_established",
            "notification",
            "unread",
            "room_added",
            "room_removed",
            "room_changed",
            "user_changed",
            "resync",
            "last_message"
        ]
    );
    assert!(!frames("ServerFrame").contains(&"unknown".to_owned()));
    let count = |way: &str| document["x-sockets"]["/ws/notifications/"][way].as_array().map_or(0, Vec::len);
    assert_eq!((count("send"), count("receive")), (2, 12));
    let combined = &document["x-sockets"]["/ws/"];
    assert!(said(&combined["description"]) && said(&combined["closes"]["4408"]));
    let kinds = |path: &str, way: &str| -> Vec<String> {
        let shapes = document["x-sockets"][path][way].as_array().expect("shapes").iter();
        let samples = shapes.map(|shape| sample::of(&document, shape));
        samples.map(|sample| sample["type"].as_str().expect("a type").to_owned()).collect()
    };
    for (path, is_combined) in [("/ws/", true), ("/ws/chat/{room_id}/", false)] {
        assert_eq!(kinds(path, "send").contains(&"subscribe".to_owned()), is_combined, "{path}");
        assert_eq!(kinds(path, "receive").contains(&"presence".to_owned()), is_combined, "{path}");
        assert!(kinds(path, "send").contains(&"chat_message".to_owned()), "{path}");
    }
}

/// What generators of clients made of an earlier document: a package that cannot be installed, types that do not compile,
/// fields that a caller must give though they may be left out.
#[test]
fn generators_of_clients_can_read_every_shape() {
    let document = document();
    assert_eq!(document["info"]["title"], "Liao", "letters that a package's name may have");
    let mut shapes = vec![&document];
    while let Some(shape) = shapes.pop() {
        assert!(shape.get("default").is_none(), "a default makes a field required: {shape}");
        let has_names = shape.get("properties").is_some_and(Value::is_object);
        let others = &shape["additionalProperties"];
        assert!(!has_names || !others.is_object(), "no type fits the named and all others: {shape}");
        match shape {
            Value::Object(fields) => shapes.extend(fields.values()),
            Value::Array(items) => shapes.extend(items),
            _ => {}
        }
    }
}
