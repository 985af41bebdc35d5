//! Compares the acknowledged, stored and received messages.

use std::collections::HashMap;

use serde_json::Value;

/// The texts of a sender's acknowledged messages, in the order of sending.
pub(super) type Acknowledged = Vec<String>;

/// A message as a client received or read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) id: i64,
    pub(super) content: String,
}

impl Received {
    pub(super) fn of(message: &Value) -> Self {
        Self {
            id: message["id"].as_i64().unwrap_or_default(),
            content: message["content"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// The errors in the stored messages, given the acknowledged ones.
pub(super) fn compare(acknowledged: &[Acknowledged], stored: &[Received]) -> Vec<String> {
    let mut faults = Vec::new();
    if stored.windows(2).any(|pair| pair[0].id >= pair[1].id) {
        faults.push("ids do not rise".to_owned());
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, message) in stored.iter().enumerate() {
        if places.insert(&message.content, place).is_some() {
            faults.push(format!("{} is stored twice", message.content));
        }
    }
    for sent in acknowledged {
        let mut last = None;
        for text in sent {
            let place = places.get(text.as_str()).copied();
            if place.is_none() {
                faults.push(format!("{text} was acknowledged and is lost"));
            } else if place < last {
                faults.push(format!("{text} is out of order"));
            }
            last = place.or(last);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(texts: &[&str]) -> Vec<Received> {
        let heard = |(id, text): (i64, &&str)| Received { id, content: (*text).to_owned() };
        (1..).zip(texts).map(heard).collect()
    }

    #[test]
    fn lost_duplicated_and_reordered_messages_are_found() {
        let acknowledged = [vec!["a-0".to_owned(), "a-1".to_owned()], vec!["b-0".to_owned()]];
        let faults = |texts: &[&str]| compare(&acknowledged, &stored(texts));
        assert!(faults(&["a-0", "b-0", "a-1"]).is_empty());
        assert!(faults(&["a-0", "b-0", "a-1", "unanswered"]).is_empty());
        assert!(faults(&["a-0", "a-1"])[0].contains("b-0 was acknowledged and is lost"));
        assert!(faults(&["a-0", "b-0", "a-1", "b-0"])[0].contains("twice"));
        assert!(
            faults(&["a-1", "a-0", "b-0"])[0].contains("a-1")
                || faults(&["a-1", "a-0", "b-0"])[0].contains("out of order")
        );
    }
}
