//! The right pane: what the room is, who is in it, and the way out.

use chat::model::{Role, Room};
use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    i18n::say,
    server::rooms::{LeaveRoom, Seat, room_path},
    ui::{
        avatar::{Avatar, Shape},
        icon::{Draw, Icon},
        person::display_name,
    },
};

/// See the module.
#[component]
pub fn Details(
    /// The room.
    room: Room,
    /// Its first members.
    seats: Vec<Seat>,
) -> impl IntoView {
    let more = room.member_count - i64::try_from(seats.len()).unwrap_or(i64::MAX);
    view! {
        <aside class="pane pane-details details" aria-label=say!(room.details)>
            <div class="bar">
                <a class="button button-icon narrow-only" href=room_path(room.id) aria-label=say!(room.close_details)>
                    <Draw icon=Icon::Back/>
                </a>
                <div class="bar-title">
                    <h1 class="unseen narrow-only">{room.name.clone()}</h1>
                    <h2>{say!(room.details)}</h2>
                </div>
            </div>
            <div class="details-scroll">
                <div class="details-about">
                    <Avatar name=room.name.clone() id=room.id.0 shape=Shape::LargeRoom/>
                    <h3>{room.name}</h3>
                    {(!room.description.is_empty()).then(|| view! { <p>{room.description}</p> })}
                </div>
                <h3 class="details-heading">
                    {say!(room.members)} <span class="number">{room.member_count}</span>
                </h3>
                <ul>{seats.into_iter().map(|seat| view! { <Member seat/> }).collect_view()}</ul>
                {(more > 0).then(|| view! { <p class="details-more">{say!(room.more_members, count = more)}</p> })}
                {room
                    .is_member
                    .then(|| {
                        view! {
                            <form class="details-leave" method="post" action=LeaveRoom::url()>
                                <input type="hidden" name="room" value=room.id.to_string()/>
                                <button type="submit" class="button button-small button-line">
                                    {say!(room.leave)}
                                </button>
                            </form>
                        }
                    })}
            </div>
        </aside>
    }
    .into_any()
}

#[component]
fn Member(seat: Seat) -> impl IntoView {
    let name = display_name(&seat.user);
    let title = format!("@{}", seat.user.username);
    view! {
        <li class="member" title=title>
            <Avatar name=name.clone() id=seat.user.id.0 shape=Shape::SmallPerson/>
            <span class="member-name">{name}</span>
            {match seat.role {
                Role::Admin => Some(view! { <span class="tag">{say!(room.role_admin)}</span> }.into_any()),
                Role::Moderator => Some(view! { <span class="tag">{say!(room.role_moderator)}</span> }.into_any()),
                Role::Member => None,
            }}
        </li>
    }
    .into_any()
}
