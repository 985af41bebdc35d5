//! Avatars: the first letter of a name on a colour derived from an id. Users have round avatars, rooms square ones.

use leptos::prelude::*;

use super::erased::IntoErased;

/// Kind and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Person,
    SmallPerson,
    Room,
    /// A room, in its details.
    LargeRoom,
}

/// Number of colours in `avatar.css`.
const HUES: i64 = 8;

/// The colour of this id.
pub fn hue(id: i64) -> i64 {
    id.rem_euclid(HUES) + 1
}

/// Hidden from screen readers, since the name is next to it.
#[component]
pub fn Avatar(name: String, id: i64, shape: Shape) -> impl IntoView {
    let class = match shape {
        Shape::Person => "avatar",
        Shape::SmallPerson => "avatar avatar-small",
        Shape::Room => "avatar avatar-room",
        Shape::LargeRoom => "avatar avatar-room avatar-large",
    };
    // The style sheet capitalizes it: in Rust that would add tables of 10 KB.
    let letter: String = name.trim_start().chars().take(1).collect();
    view! {
        <span class=class data-hue=hue(id).to_string() aria-hidden="true">
            {letter}
        </span>
    }
    .erased()
}
