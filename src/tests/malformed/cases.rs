//! Generates the malformed requests of a call.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::table::{Field, Kind, MAX_ID, Row};

/// A malformed request and the expected error.
pub struct Case {
    pub what: String,
    pub method: Method,
    pub path: String,
    pub content_type: Option<&'static str>,
    pub body: Vec<u8>,
    pub signed_in: bool,
    pub status: u16,
    pub code: &'static str,
    /// The field that the error must name.
    pub field: Option<&'static str>,
}

const JSON: Option<&str> = Some("application/json");
/// Nested deeper than a JSON parser should accept.
const DEEP: usize = 10_000;
/// Larger than the body limit.
const LARGE: usize = 10 * 1024 * 1024;

fn method(row: &Row) -> Method {
    let method = row.call.split(' ').next().unwrap_or_default();
    Method::from_bytes(method.as_bytes()).expect("a method")
}

fn good(row: &Row) -> Case {
    let body = row.body.as_ref().map(|body| body.to_string().into_bytes());
    Case {
        what: String::new(),
        method: method(row),
        path: row.path.clone(),
        content_type: body.is_some().then_some("application/json"),
        body: body.unwrap_or_default(),
        signed_in: row.signed_in,
        status: 400,
        code: "invalid",
        field: None,
    }
}

/// All cases of a call.
pub fn of(row: &Row) -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(whole_bodies(row));
    for field in &row.fields {
        cases.extend(fields(row, field));
    }
    cases.extend(queries(row));
    cases.extend(ids(row));
    if row.signed_in {
        let what = "no token".to_owned();
        cases.push(Case { what, signed_in: false, status: 401, code: "not_authenticated", ..good(row) });
    }
    // A method that no path of the API has.
    for method in [Method::PUT, Method::TRACE] {
        let what = format!("the method {method}");
        cases.push(Case { what, method, status: 405, code: "method_not_allowed", ..good(row) });
    }
    cases
}

fn whole_bodies(row: &Row) -> Vec<Case> {
    let large = Case {
        what: "10 MiB".into(),
        content_type: JSON,
        body: format!("{{\"x\":\"{}\"}}", "x".repeat(LARGE)).into_bytes(),
        status: 413,
        code: "too_large",
        ..good(row)
    };
    if row.body.is_none() {
        // Too large even though it is not read. Not for GET, where a body is unusual.
        return if large.method == Method::GET { Vec::new() } else { vec![large] };
    }
    let deep = |open: &str, shut: &str| format!("{{\"x\":{}{}}}", open.repeat(DEEP), shut.repeat(DEEP));
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("half an object", b"{\"x\":".to_vec()),
        ("a comma too many", b"{\"x\":1,}".to_vec()),
        ("no JSON", b"tea".to_vec()),
        ("an array", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("a text", b"\"x\"".to_vec()),
        ("a number", b"1".to_vec()),
        ("two objects", b"{}{}".to_vec()),
        ("a NUL", b"{\"x\":\"\0\"}".to_vec()),
        ("no UTF-8", b"{\"x\":\"\xff\"}".to_vec()),
        ("two byte order marks", b"\xef\xbb\xbf\xef\xbb\xbf{}".to_vec()),
        ("10,000 arrays", deep("[", "]").into_bytes()),
        ("10,000 objects", deep("{\"x\":", "}").into_bytes()),
        ("no number", b"{\"x\":NaN}".to_vec()),
    ];
    let bad = bad.into_iter().map(|(what, body)| Case {
        what: what.into(),
        body,
        code: "parse_error",
        ..good(row)
    });
    let forms = ["multipart/form-data", "multipart/form-data; boundary=x"].map(|content_type| Case {
        what: format!("JSON as {content_type}"),
        content_type: Some(content_type),
        code: "parse_error",
        ..good(row)
    });
    let kinds = [None, Some("text/plain"), Some("application/xml"), Some("not a type")];
    let kinds = kinds.into_iter().map(|content_type| Case {
        what: format!("the type {content_type:?}"),
        content_type,
        status: 415,
        code: "unsupported_media_type",
        ..good(row)
    });
    bad.chain(forms).chain(kinds).chain([large]).collect()
}

fn fields(row: &Row, field: &Field) -> Vec<Case> {
    let with = |what: &str, value: Option<Value>| {
        let mut body = row.body.clone().and_then(|body| body.as_object().cloned()).unwrap_or_default();
        body.remove(field.name);
        body.extend(value.map(|value| (field.name.to_owned(), value)).into_iter().collect::<Map<_, _>>());
        let what = format!("{what} in {}", field.name);
        Case {
            what,
            body: Value::Object(body).to_string().into_bytes(),
            field: Some(field.name),
            ..good(row)
        }
    };
    // Strings that are not valid Unicode.
    let raw = |what: &str, text: &str| {
        let mut case = with(what, Some(json!("LONE")));
        let body = String::from_utf8_lossy(&case.body).replace("\"LONE\"", text);
        case.body = body.into_bytes();
        Case { code: "parse_error", field: None, ..case }
    };
    let mut cases = vec![
        raw("a lone surrogate", "\"\\ud800\""),
        raw("surrogates the wrong way round", "\"\\udc00\\ud800\""),
        raw("10,000 arrays", &format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP))),
    ];
    if field.required {
        cases.push(with("nothing", None));
    }
    if !field.nullable {
        cases.push(with("null", Some(Value::Null)));
    }
    for value in [json!([]), json!({}), json!(["x"]), json!({"x": "y"})] {
        cases.push(with(&format!("{value}"), Some(value)));
    }
    let others: &[Value] = match field.kind {
        Kind::Flag => &[json!("perhaps"), json!(2), json!(1.5), json!("")],
        Kind::Number(..) | Kind::Message => {
            &[json!(1.5), json!(1e300), json!("1.5"), json!("0x10"), json!("x"), json!(true)]
        }
        _ => &[json!(true)],
    };
    cases.extend(others.iter().map(|value| with(&format!("{value}"), Some(value.clone()))));
    // Where a field may be left out, an empty text leaves it out.
    let is_empty_bad =
        !field.nullable && matches!(field.kind, Kind::Number(..) | Kind::Message | Kind::Choice);
    if is_empty_bad {
        cases.push(with("an empty text", Some(json!(""))));
    }
    let bad: Vec<Value> = match field.kind {
        Kind::Text(max) => vec![json!("a\0b"), json!("a".repeat(max + 1))],
        Kind::Choice => {
            vec![json!("x"), json!(1), json!("system"), json!("a\0b"), json!("聊".repeat(1_000))]
        }
        Kind::Link => [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "//evil.example/x",
            "x",
            "a\0b",
        ]
        .map(|link| json!(link))
        .into_iter()
        .chain([json!(format!("https://example.org/{}", "x".repeat(2_000))), json!(" javascript:alert(1)")])
        .collect(),
        Kind::Number(min, max) => vec![json!(min - 1), json!(max + 1), json!(i64::MIN), json!(u64::MAX)],
        Kind::Message => {
            vec![json!(0), json!(-1), json!(MAX_ID), json!(MAX_ID + 1), json!(i64::MAX), json!(u64::MAX)]
        }
        Kind::Token | Kind::Flag | Kind::Place => Vec::new(),
    };
    cases.extend(bad.into_iter().map(|value| with(&shortened(&value.to_string()), Some(value))));
    if field.kind == Kind::Token {
        cases.push(with("a blank", Some(json!(" "))));
        for value in ["x", "a.b.c", "a\0b", &"x".repeat(100_000)] {
            let case = with(&shortened(value), Some(json!(value)));
            cases.push(Case { status: 401, code: "token_not_valid", field: None, ..case });
        }
    }
    cases
}

fn queries(row: &Row) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, kind) in &row.query {
        let long = "x".repeat(20_000);
        let bad: Vec<String> = match kind {
            Kind::Number(min, max) => {
                let numbers = [i128::from(*min) - 1, i128::from(*max) + 1, -1, 1 << 100];
                let numbers = numbers.iter().map(ToString::to_string);
                numbers.chain(["x", "1.5", "1e3", "%00", "%ED%A0%80", "0x10"].map(str::to_owned)).collect()
            }
            Kind::Flag => ["perhaps", "%00", "2"].map(str::to_owned).to_vec(),
            Kind::Text(_) => vec!["a%00b".to_owned(), long],
            _ => vec!["x".to_owned(), "%00".to_owned(), "-".to_owned(), "%ED%A0%80".to_owned(), long],
        };
        cases.extend(bad.into_iter().map(|value| Case {
            what: format!("{name}={}", shortened(&value)),
            path: format!("{}?{name}={value}", row.path),
            field: Some(name),
            ..good(row)
        }));
    }
    if row.query.iter().any(|(name, _)| *name == "after_id") {
        let what = "both cursors".to_owned();
        cases.push(Case { what, path: format!("{}?after_id=1&before_id=2", row.path), ..good(row) });
    }
    cases
}

fn ids(row: &Row) -> Vec<Case> {
    let template: Vec<&str> = row.call.split(' ').nth(1).unwrap_or_default().split('/').collect();
    let real: Vec<&str> = row.path.split('/').collect();
    let places = template.iter().enumerate().filter(|(_, part)| part.starts_with('{')).map(|(at, _)| at);
    let bad = [
        "0",
        "-1",
        "1.5",
        "abc",
        "1e3",
        "+1",
        "01",
        "0x1",
        "%00",
        "%31%00",
        "%ED%A0%80",
        "%D9%A1",
        "9007199254740991",
        "9007199254740992",
        "9223372036854775808",
        "99999999999999999999999",
        "%20",
        "..%2f1",
    ];
    places
        .flat_map(|at| {
            let real = &real;
            bad.map(move |id| {
                let mut parts = real.clone();
                parts[at] = id;
                let what = format!("the id {id}");
                Case { what, path: parts.join("/"), status: 404, code: "not_found", ..good(row) }
            })
        })
        .collect()
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
