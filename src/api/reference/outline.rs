//! Converts the OpenAPI document into the model that the reference page renders.

use app::reference::model::{Field, Frame, Group, Operation, Reference, ResponseDoc, Socket};
use serde_json::{Map, Value};

use crate::api::schema::sample;

/// The media type that the page shows first.
const JSON: &str = "application/json";

pub(super) fn reference(document: &Value) -> Reference {
    let operations: Vec<(String, Operation)> = entries(document, "/paths")
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods
                .map(move |(method, call)| (text(&call["tags"][0]), operation(document, path, method, call)))
        })
        .collect();
    let groups = document["tags"].as_array().into_iter().flatten().map(|tag| {
        let name = text(&tag["name"]);
        let mine = operations.iter().filter(|(group, _)| *group == name);
        Group {
            title: text(&tag["description"]).trim_end_matches(['.', '。']).to_owned(),
            operations: mine.map(|(_, operation)| operation.clone()).collect(),
            name,
        }
    });
    Reference {
        about: text(&document["info"]["description"]),
        groups: groups.collect(),
        sockets: entries(document, "/x-sockets").map(|(path, it)| socket(document, path, it)).collect(),
    }
}

fn operation(document: &Value, path: &str, method: &str, call: &Value) -> Operation {
    let content = call["requestBody"]["content"].as_object();
    let mut kinds: Vec<String> = content.into_iter().flat_map(Map::keys).cloned().collect();
    kinds.sort_by_key(|kind| kind != JSON);
    let body = kinds.first().map(|kind| &call["requestBody"]["content"][kind]);
    let security = call.get("security").or_else(|| document.get("security"));
    Operation {
        id: text(&call["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&call["summary"]),
        description: text(&call["description"]),
        needs_token: security.and_then(Value::as_array).is_some_and(|schemes| !schemes.is_empty()),
        parameters: call["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| parameter(document, it))
            .collect(),
        fields: body.map(|body| fields(document, &body["schema"])).unwrap_or_default(),
        body: body.map(|body| pretty(&body["example"])).unwrap_or_default(),
        answers: entries(call, "/responses").map(|(status, it)| answer(status, it)).collect(),
        kinds,
    }
}

fn parameter(document: &Value, parameter: &Value) -> Field {
    let example = parameter.get("example").map(plain).unwrap_or_default();
    Field {
        in_path: parameter["in"] == "path",
        is_required: parameter["required"] == true,
        description: text(&parameter["description"]),
        example,
        ..field(document, &text(&parameter["name"]), &parameter["schema"])
    }
}

/// The fields of a schema: required ones first, each group in the order of the schema.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let shape = sample::resolve(document, schema);
    let required: Vec<&str> =
        shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let position = |name: &str| required.iter().position(|required| *required == name);
    let mut fields: Vec<Field> = entries(shape, "/properties")
        .map(|(name, property)| Field {
            is_required: position(name).is_some(),
            ..field(document, name, property)
        })
        .collect();
    fields.sort_by_key(|field| position(&field.name).unwrap_or(usize::MAX));
    fields
}

fn field(document: &Value, name: &str, schema: &Value) -> Field {
    let shape = sample::resolve(document, schema);
    let description = schema.get("description").unwrap_or(&shape["description"]);
    let choices = shape["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Field {
        name: name.to_owned(),
        in_path: false,
        kind: kind(shape),
        is_required: false,
        description: text(description),
        example: schema.get("example").map(plain).unwrap_or_default(),
        choices: choices.map(str::to_owned).collect(),
    }
}

/// Type and limits in mathematical notation, which needs no translation.
fn kind(shape: &Value) -> String {
    if let Some(choices) = shape["enum"].as_array() {
        let choices: Vec<String> = choices.iter().map(|choice| format!("`{}`", plain(choice))).collect();
        return choices.join(" | ");
    }
    let types: Vec<&str> = match &shape["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let range = match (shape.get("minimum"), shape.get("maximum")) {
        (Some(least), Some(most)) => format!(" {least} … {most}"),
        (Some(least), None) => format!(" ≥ {least}"),
        (None, Some(most)) => format!(" ≤ {most}"),
        (None, None) => String::new(),
    };
    let length = match (shape.get("minLength"), shape.get("maxLength")) {
        (Some(least), Some(most)) => format!(" [{least} … {most}]"),
        (Some(least), None) => format!(" [≥ {least}]"),
        (None, Some(most)) => format!(" [≤ {most}]"),
        (None, None) => String::new(),
    };
    format!("{}{range}{length}", types.join(" | "))
}

fn answer(status: &str, answer: &Value) -> ResponseDoc {
    let content = answer["content"].as_object().and_then(|content| content.values().next());
    let mut examples: Vec<(String, String)> = Vec::new();
    if let Some(content) = content {
        let named = entries(content, "/examples").map(|(name, it)| (name.clone(), pretty(&it["value"])));
        examples.extend(named);
        examples.extend(content.get("example").map(|example| (String::new(), pretty(example))));
    }
    ResponseDoc {
        status: status.to_owned(),
        description: text(&answer["description"]),
        headers: entries(answer, "/headers").map(|(name, _)| name.clone()).collect(),
        examples,
    }
}

fn socket(document: &Value, path: &str, socket: &Value) -> Socket {
    let parameters = entries(socket, "/parameters").map(|(name, schema)| {
        let in_path = path.contains(&format!("{{{name}}}"));
        Field { in_path, is_required: in_path, ..field(document, name, schema) }
    });
    Socket {
        path: path.to_owned(),
        summary: text(&socket["summary"]),
        description: text(&socket["description"]),
        parameters: parameters.collect(),
        send: frames(document, &socket["send"]),
        receive: frames(document, &socket["receive"]),
        closes: entries(socket, "/closes").map(|(code, why)| (code.clone(), text(why))).collect(),
    }
}

fn frames(document: &Value, references: &Value) -> Vec<Frame> {
    let frames = references.as_array().into_iter().flatten().map(|position| {
        let shape = sample::resolve(document, position);
        let example = sample::of(document, shape);
        Frame {
            name: text(&example["type"]),
            description: text(&shape["description"]),
            example: pretty(&example),
        }
    });
    frames.collect()
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A value as text for an input field.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}
