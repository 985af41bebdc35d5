//! Display names.

use chat::model::User;

/// First and last name in the order of their script (`林晓`, `Ana Ferreira`), else the username.
pub fn display_name(user: &User) -> String {
    let (first, last) = (user.first_name.trim(), user.last_name.trim());
    match (first.is_empty(), last.is_empty()) {
        (true, true) => user.username.clone(),
        (false, true) => first.to_owned(),
        (true, false) => last.to_owned(),
        (false, false) if is_chinese(first) && is_chinese(last) => format!("{last}{first}"),
        (false, false) => format!("{first} {last}"),
    }
}

fn is_chinese(name: &str) -> bool {
    name.chars().all(|letter| ('\u{2e80}'..='\u{9fff}').contains(&letter) || letter >= '\u{20000}')
}

#[cfg(test)]
mod tests {
    use chat::model::UserId;

    use super::*;

    #[test]
    fn display_name_follows_the_order_of_its_script() {
        for (first, last, expected) in [
            ("", "", "linxiao"),
            ("晓", "林", "林晓"),
            ("Ana", "Ferreira", "Ana Ferreira"),
            ("Ana", " ", "Ana"),
        ] {
            let user = User {
                id: UserId(1),
                username: "linxiao".into(),
                first_name: first.into(),
                last_name: last.into(),
            };
            assert_eq!(display_name(&user), expected);
        }
    }
}
