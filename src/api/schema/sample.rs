//! Builds an example of a schema from the examples of its parts.

use serde_json::{Map, Value, json};

/// The deepest nesting of schemas. None of ours is recursive.
const MAX_DEPTH: usize = 12;

/// The target of a `$ref`, or the schema itself.
pub fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

/// An example of `schema`, with all required properties and those that have an example of their own.
pub fn of(document: &Value, schema: &Value) -> Value {
    sample(document, schema, MAX_DEPTH)
}

fn sample(document: &Value, schema: &Value, depth: usize) -> Value {
    let given = schema.get("example").or_else(|| schema["examples"].get(0));
    if let Some(given) = given {
        return given.clone();
    }
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    if schema.get("$ref").is_some() {
        return sample(document, resolve(document, schema), depth);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null");
        return choice.map_or(Value::Null, |choice| sample(document, choice, depth));
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| sample(document, part, depth));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kinds = schema["type"].as_array();
    let is_nullable = kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
    match schema["type"].as_str() {
        _ if is_nullable => Value::Null,
        Some("object") => fields(document, schema, depth),
        Some("array") => json!([sample(document, &schema["items"], depth)]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("string") => json!(""),
        _ => Value::Null,
    }
}

fn fields(document: &Value, schema: &Value, depth: usize) -> Value {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let shown = properties
        .filter(|(name, property)| required.contains(&name.as_str()) || property.get("example").is_some());
    Value::Object(
        shown
            .map(|(name, property)| (name.clone(), sample(document, property, depth)))
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_required_properties_and_those_with_an_example() {
        let document = json!({"components": {"schemas": {"Name": {"type": "string", "example": "mei"}}}});
        let schema = json!({
            "type": "object",
            "required": ["name", "ids", "gone", "kind"],
            "properties": {
                "name": {"$ref": "#/components/schemas/Name"},
                "ids": {"type": "array", "items": {"type": "integer", "minimum": 1}},
                "gone": {"type": ["string", "null"]},
                "kind": {"oneOf": [{"type": "null"}, {"enum": ["a", "b"]}]},
                "shown": {"type": "boolean", "example": true},
                "hidden": {"type": "string"},
            },
        });
        let expected = json!({"name": "mei", "ids": [1], "gone": null, "kind": "a", "shown": true});
        assert_eq!(of(&document, &schema), expected);
    }

    #[test]
    fn a_recursive_schema_terminates() {
        let document = json!({"components": {"schemas": {"Knot": {"$ref": "#/components/schemas/Knot"}}}});
        assert_eq!(of(&document, &json!({"$ref": "#/components/schemas/Knot"})), Value::Null);
    }
}
