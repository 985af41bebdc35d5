//! Avatars: the first letter of a name on a colour derived from an id. Users have round avatars, rooms square ones.

use leptos::prelude::*;

use super::erased::IntoErased;
use crate::markdown::escaped;

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

impl Shape {
    fn class(self) -> &'static str {
        match self {
            Self::Person => "avatar",
            Self::SmallPerson => "avatar avatar-small",
            Self::Room => "avatar avatar-room",
            Self::LargeRoom => "avatar avatar-room avatar-large",
        }
    }
}

/// The style sheet capitalizes it: in Rust that would add tables of 10 KB.
fn letter(name: &str) -> String {
    name.trim_start().chars().take(1).collect()
}

/// Hidden from screen readers, since the name is next to it.
#[component]
pub fn Avatar(name: String, id: i64, shape: Shape) -> impl IntoView {
    view! {
        <span class=shape.class() data-hue=hue(id).to_string() aria-hidden="true">
            {letter(&name)}
        </span>
    }
    .erased()
}

/// [`Avatar`] as an HTML string.
pub fn avatar_html(name: &str, id: i64, shape: Shape) -> String {
    let (class, hue, letter) = (shape.class(), hue(id), escaped(&letter(name)));
    format!("<span class=\"{class}\" data-hue=\"{hue}\" aria-hidden=\"true\">{letter}</span>")
}
