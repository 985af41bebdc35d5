//! The texts of the document: doc comments with their line breaks removed, and their Chinese translation.
//!
//! `zh.json` maps each paragraph and each list item of an English doc comment to Chinese.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::{Map, Value};

static CHINESE: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("zh.json")).unwrap_or_default());

/// Joins the lines of each paragraph, which rustfmt wraps in a comment.
pub(super) fn unwrap_lines(document: &mut Value) {
    each(document, &mut |text| *text = rewrite_paragraphs(text, str::to_owned));
}

/// Translates the texts into Chinese. A paragraph without a translation stays English.
pub(super) fn to_chinese(document: &mut Value) {
    each(document, &mut |text| *text = rewrite_paragraphs(text, chinese));
}

pub(super) fn chinese(english: &str) -> String {
    CHINESE.get(english).map_or(english, String::as_str).to_owned()
}

fn rewrite_paragraphs(text: &str, mut rewrite: impl FnMut(&str) -> String) -> String {
    let blocks = text.trim().split("\n\n").map(|block| {
        let items: Option<Vec<&str>> = block.split('\n').map(|line| line.strip_prefix("- ")).collect();
        match items {
            Some(items) => {
                items.into_iter().map(|item| format!("- {}", rewrite(item))).collect::<Vec<_>>().join("\n")
            }
            None => rewrite(&block.replace('\n', " ")),
        }
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// Visits every summary and description except those of errors and close codes, which are generated in the reader's
/// language.
fn each(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::Object(fields) => each_field(fields, visit),
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn each_field(fields: &mut Map<String, Value>, visit: &mut impl FnMut(&mut String)) {
    for (name, field) in fields {
        match (name.as_str(), field) {
            ("summary" | "description", Value::String(text)) => visit(text),
            ("example" | "examples" | "closes", _) => {}
            ("responses", Value::Object(answers)) => {
                let successes = answers.iter_mut().filter(|(status, _)| status.starts_with('2'));
                successes.for_each(|(_, answer)| each(answer, visit));
            }
            (_, other) => each(other, visit),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use app::i18n::Locale;

    use super::*;
    use crate::{
        api::schema::{Documents, sockets::PROTOCOL_CLOSES},
        router,
    };

    #[test]
    fn every_paragraph_has_a_translation_and_none_is_stale() {
        let mut document = Documents::new(&router::calls().into_openapi()).value(Locale::en);
        let mut used: BTreeSet<String> = PROTOCOL_CLOSES.iter().map(|(_, why)| (*why).to_owned()).collect();
        each(&mut document, &mut |text| {
            rewrite_paragraphs(text, |paragraph| {
                used.insert(paragraph.to_owned());
                String::new()
            });
        });
        let known: BTreeSet<String> = CHINESE.keys().cloned().collect();
        let missing: Vec<&String> = used.difference(&known).collect();
        assert!(missing.is_empty(), "add to src/api/schema/zh.json: {missing:#?}");
        let stale: Vec<&String> = known.difference(&used).collect();
        assert!(stale.is_empty(), "take out of src/api/schema/zh.json: {stale:#?}");
    }

    #[test]
    fn paragraphs_and_list_items_are_translated_one_by_one() {
        let text = "One\ntwo.\n\n- a\n- b\n";
        assert_eq!(rewrite_paragraphs(text, |unit| format!("<{unit}>")), "<One two.>\n\n- <a>\n- <b>");
    }
}
