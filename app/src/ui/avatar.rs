//! The first letter of a name, on a colour that goes with an id. People are round, rooms are square.

use leptos::prelude::*;

use super::erased::IntoErased;

/// What the avatar stands for, and how large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A person beside their words.
    Person,
    /// A person in a list.
    SmallPerson,
    /// A room in a list.
    Room,
    /// A room at the head of its details.
    LargeRoom,
}

/// How many quiet colours `avatar.css` has.
const HUES: i64 = 8;

/// The colour of this id's face.
pub fn hue(id: i64) -> i64 {
    id.rem_euclid(HUES) + 1
}

/// See the module. The name stands beside it, so it is not read aloud.
#[component]
pub fn Avatar(
    /// Whose first letter.
    name: String,
    /// Whose colour.
    id: i64,
    /// What it is.
    shape: Shape,
) -> impl IntoView {
    let class = match shape {
        Shape::Person => "avatar",
        Shape::SmallPerson => "avatar avatar-small",
        Shape::Room => "avatar avatar-room",
        Shape::LargeRoom => "avatar avatar-room avatar-large",
    };
    // Made a capital by the style sheet: here it would take tables of 10 KB.
    let letter: String = name.trim_start().chars().take(1).collect();
    view! {
        <span class=class data-hue=hue(id).to_string() aria-hidden="true">
            {letter}
        </span>
    }
    .erased()
}
