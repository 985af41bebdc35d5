//! The identifiers in `docs/chat` exist in the OpenAPI document, and every field, parameter, code and frame of the
//! document is documented.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Server;

const REFERENCE: &str = include_str!("../../../docs/chat/API_DOCUMENTATION.md");
const GUIDE: &str = include_str!("../../../docs/chat/CHAT_GUIDE.md");

/// Words in code spans that are not from the API.
const FOREIGN: &[&str] = &["snake_case"];

/// The names of fields and parameters, and the values of enums: types, roles, codes.
#[derive(Default)]
struct Words {
    names: BTreeSet<String>,
    values: BTreeSet<String>,
}

impl Words {
    fn of(document: &Value) -> Self {
        let mut words = Self::default();
        words.collect(document);
        for (_, socket) in document["x-sockets"].as_object().expect("sockets") {
            words.names.extend(socket["parameters"].as_object().expect("parameters").keys().cloned());
        }
        words
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                self.names.extend(
                    fields
                        .get("properties")
                        .and_then(Value::as_object)
                        .into_iter()
                        .flat_map(|it| it.keys().cloned()),
                );
                if fields.contains_key("in") {
                    self.names.extend(fields["name"].as_str().map(str::to_owned));
                }
                let choices = fields.get("enum").and_then(Value::as_array).into_iter().flatten();
                self.values.extend(choices.filter_map(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| self.collect(field));
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }

    fn know(&self, word: &str) -> bool {
        self.names.contains(word) || self.values.contains(word)
    }
}

async fn words() -> Words {
    Words::of(&Server::on_sqlite().await.anyone().get("/api/schema/").await.expect(200))
}

/// The contents of code spans and code blocks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|span| !span.is_empty()).collect()
}

fn is_word(text: &str) -> bool {
    text.contains('_') && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

/// The keys of the JSON in a piece of code, also in the short form `{"id","name"?}`, and separately the values of
/// `type`.
fn json_words(code: &str) -> (Vec<&str>, Vec<&str>) {
    let pieces: Vec<&str> = code.split('"').collect();
    let mut keys = Vec::new();
    let mut types = Vec::new();
    let mut last_key = "";
    for index in (1..pieces.len().saturating_sub(1)).step_by(2) {
        let before = pieces[index - 1].trim_end();
        let is_value = before.ends_with(':') || before.ends_with('|');
        if !is_value {
            last_key = pieces[index];
            keys.push(last_key);
        } else if last_key == "type" {
            types.push(pieces[index]);
        }
    }
    (keys, types)
}

#[tokio::test]
async fn every_field_and_frame_in_json_exists() {
    let words = words().await;
    let mut count = 0;
    for span in code(REFERENCE)
        .into_iter()
        .chain(code(GUIDE))
        .filter(|span| span.contains("{\"") || span.starts_with("json"))
    {
        let (keys, types) = json_words(span);
        for key in keys.iter().filter(|key| key.is_ascii()) {
            assert!(words.names.contains(*key), "{key} in {span}");
        }
        for kind in &types {
            assert!(words.values.contains(*kind), "the frame {kind} in {span}");
        }
        count += keys.len();
    }
    assert!(count > 100, "the pages were read: {count}");
}

#[tokio::test]
async fn every_parameter_in_a_query_exists() {
    let words = words().await;
    let queries = code(REFERENCE).into_iter().filter_map(|span| span.strip_prefix('?'));
    let names: BTreeSet<&str> =
        queries.flat_map(|query| query.split('&')).filter_map(|pair| pair.split('=').next()).collect();
    assert!(names.len() > 8, "the page was read: {names:?}");
    for name in names {
        assert!(words.names.contains(name), "?{name}=");
    }
}

#[tokio::test]
async fn every_word_in_code_exists() {
    let words = words().await;
    for span in code(REFERENCE).into_iter().chain(code(GUIDE)).filter(|span| is_word(span)) {
        let is_setting = liao::config::SETTINGS.iter().any(|setting| setting.name == span);
        assert!(words.know(span) || is_setting || FOREIGN.contains(&span), "`{span}`");
    }
}

#[tokio::test]
async fn every_field_parameter_and_code_of_the_schema_is_documented() {
    let words = words().await;
    let told: BTreeSet<&str> =
        REFERENCE.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
    for word in words.names.iter().chain(&words.values) {
        assert!(told.contains(word.as_str()), "{word} is not in docs/chat/API_DOCUMENTATION.md");
    }
}

#[tokio::test]
async fn the_guides_script_uses_fields_and_paths_that_exist() {
    let words = words().await;
    let document = Server::on_sqlite().await.anyone().get("/api/schema/").await.expect(200);
    let known: BTreeSet<String> = ["paths", "x-sockets"]
        .iter()
        .flat_map(|part| document[part].as_object().expect("paths").keys())
        .map(|path| path.replace("room_id", "id"))
        .collect();
    let scripts: Vec<&str> = GUIDE.split("```").filter_map(|block| block.strip_prefix("js\n")).collect();
    let script = scripts.concat();
    let mut count = 0;
    for text in script.split(['\'', '`']).filter(|text| text.contains("/api/") || text.contains("/ws/")) {
        let path = &text[text.find("/api/").or_else(|| text.find("/ws/")).unwrap_or_default()..];
        let path = path.split('?').next().unwrap_or_default().replace("${room}", "{id}");
        assert!(known.contains(&path), "{path}");
        count += 1;
    }
    assert!(count >= 4, "{count} paths");
    for object in ["frame", "answer", "tokens"] {
        for after in script.split(&format!("{object}.")).skip(1) {
            let field: String =
                after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            assert!(words.names.contains(&field), "{object}.{field}");
        }
    }
    for body in script.split("JSON.stringify({").skip(1).filter_map(|after| after.split('}').next()) {
        for field in body.split(',').filter_map(|pair| pair.split(':').next()) {
            assert!(words.names.contains(field.trim()), "{field} in {{{body}}}");
        }
    }
}
