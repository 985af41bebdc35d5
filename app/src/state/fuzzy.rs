//! Fuzzy matching of names.

/// Scores how well `name` matches `typed`, higher is better; `None` unless all letters of `typed` are in `name` in
/// their order. Case and spaces are ignored. An empty text matches everything.
pub fn score(typed: &str, name: &str) -> Option<u32> {
    const START: u32 = 8;
    const WORD: u32 = 5;
    const RUN: u32 = 8;
    let mut wanted =
        typed.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).peekable();
    let mut score = 0;
    let mut before = None;
    let mut is_run = false;
    for (position, letter) in name.chars().flat_map(char::to_lowercase).enumerate() {
        let Some(next) = wanted.peek() else { break };
        if *next == letter {
            score += match before {
                None => START,
                Some(_) if is_run => RUN,
                // Start of a word.
                Some(before) if !char::is_alphanumeric(before) => WORD,
                Some(_) => 1,
            };
            // Matches near the start are preferred.
            score += u32::from(position < 3);
            is_run = true;
            wanted.next();
        } else {
            is_run = false;
        }
        before = Some(letter);
    }
    wanted.peek().is_none().then_some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_match_in_order() {
        for (typed, name, fits) in [
            ("", "发布", true),
            ("发", "发布", true),
            ("fg", "Frontend guild", true),
            ("FRONT guild", "frontend guild", true),
            ("gf", "Frontend guild", false),
            ("发发", "发布", false),
            ("x", "", false),
        ] {
            assert_eq!(score(typed, name).is_some(), fits, "{typed} in {name}");
        }
    }

    #[test]
    fn prefixes_and_runs_score_higher() {
        let best = |typed: &str, names: [&'static str; 3]| {
            let mut names = names;
            names.sort_by_key(|name| std::cmp::Reverse(score(typed, name)));
            names[0]
        };
        assert_eq!(best("设计", ["新设备计划", "设计评审", "交互设计"]), "设计评审");
        assert_eq!(best("gui", ["Design", "Frontend guild", "g u i"]), "Frontend guild");
        assert_eq!(best("fg", ["offering", "Frontend guild", "half gone"]), "Frontend guild");
    }
}
