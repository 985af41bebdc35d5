//! Line icons on a 20-unit grid. They are hidden from screen readers; the element around an icon needs a label.

use leptos::prelude::*;

use super::erased::IntoErased;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Back,
    Bell,
    Bin,
    Check,
    Cross,
    Down,
    Eye,
    File,
    Image,
    Link,
    Lock,
    Moon,
    Out,
    More,
    Pen,
    People,
    Plus,
    Reply,
    Search,
    Send,
    Settings,
    Sun,
    System,
    Up,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Back => "M12.5 4.5 7 10l5.5 5.5",
            Self::Bell => {
                "M10 2.8a4.7 4.7 0 0 0-4.7 4.7c0 4.2-1.8 5.7-1.8 5.7h13s-1.8-1.5-1.8-5.7A4.7 4.7 0 0 0 10 \
                 2.8M8.3 16.2a1.8 1.8 0 0 0 3.4 0"
            }
            Self::Bin => "M3.5 5.5h13M8 5.5v-2h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5",
            Self::Check => "M4 10.5 8.2 15 16 6",
            Self::Cross => "M5 5l10 10M15 5 5 15",
            Self::Down => "M10 4v12M5 11l5 5 5-5",
            Self::Eye => {
                "M1.8 10S4.8 4.5 10 4.5 18.2 10 18.2 10 15.2 15.5 10 15.5 1.8 10 1.8 10M10 7.5a2.5 \
                 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5"
            }
            Self::File => "M5 2.8h6.5L15.5 7v10.2H5zM11.2 3v4.3h4.1M7.8 11h4.7M7.8 14h4.7",
            Self::Image => "M3 4h14v12H3zM3.3 14 8 9.5l3.5 3.3 2-1.8 3.2 3M12.5 7.5h1",
            Self::Link => {
                "M8.5 11.5a3 3 0 0 0 4.2 0l3-3a3 3 0 0 0-4.2-4.2l-1 1M11.5 8.5a3 3 0 0 0-4.2 0l-3 3a3 3 0 0 0 \
                 4.2 4.2l1-1"
            }
            Self::Lock => "M4.5 9h11v7.5h-11zM7 9V6.5a3 3 0 0 1 6 0V9",
            Self::Moon => "M16.5 11.8A6.8 6.8 0 0 1 8.2 3.5a6.8 6.8 0 1 0 8.3 8.3",
            Self::More => {
                "M4 10a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0M9.4 10a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0M14.8 10a.6.6 0 1 0 1.2 \
 0 .6.6 0 1 0-1.2 0"
            }
            Self::Out => "M8 3.5H4v13h4M12.5 6.5 16 10l-3.5 3.5M16 10H7.5",
            Self::Pen => "M4 16l.8-3.6L13.5 3.7l2.8 2.8-8.7 8.7zM11.5 5.7l2.8 2.8",
            Self::People => {
                "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 16.5c0-3 2.5-4.8 5.5-4.8s5.5 1.8 5.5 4.8M13 \
                 3.8a3 3 0 0 1 0 5.5M15 12.2c1.8.7 3 2.2 3 4.3"
            }
            Self::Plus => "M10 4v12M4 10h12",
            Self::Reply => "M8 4.5 3.5 9 8 13.5M3.5 9H11c3.3 0 5.5 2.2 5.5 6.5",
            Self::Search => "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M13 13l4 4",
            Self::Send => "M3.5 10 16.5 4l-4 12.5-3-5.3zM9.5 11.2 16.5 4",
            Self::Settings => {
                "M3 6h7.5M14.5 6H17M3 14h2.5M9.5 14H17M12.5 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4M7.5 12a2 2 0 1 0 0 4 2 2 \
                 0 0 0 0-4"
            }
            Self::Sun => {
                "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 1.8v1.7M10 16.5v1.7M1.8 10h1.7M16.5 \
                 10h1.7M4.2 4.2l1.2 1.2M14.6 14.6l1.2 1.2M4.2 15.8l1.2-1.2M14.6 5.4l1.2-1.2"
            }
            Self::System => "M3 4h14v9.5H3zM7.5 17h5M10 13.5V17",
            Self::Up => "M5.5 12 10 7.5l4.5 4.5",
        }
    }
}

impl Icon {
    /// The icon as an HTML string.
    pub fn html(self) -> String {
        let path = self.path();
        format!(
            "<svg class=\"icon\" viewBox=\"0 0 20 20\" aria-hidden=\"true\"><path d=\"{path}\"></path></svg>"
        )
    }
}

#[component]
pub fn IconSvg(icon: Icon, #[prop(optional)] small: bool) -> impl IntoView {
    let class = if small { "icon icon-small" } else { "icon" };
    view! {
        <svg class=class viewBox="0 0 20 20" aria-hidden="true">
            <path d=icon.path()></path>
        </svg>
    }
    .erased()
}
