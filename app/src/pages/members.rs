//! `/rooms/:id/members`: search, invite and moderate the members of a room, as far as the current user may.

use chat::{
    model::{Role, RoomId, UserId, limits::USERNAME_MAX},
    service::roster::{RosterEntry, RosterPage},
};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{PageTitle, load_error::LoadError};
use crate::{
    error::form_error_message,
    i18n::t,
    preferences::locale,
    server::{
        escaped,
        forms::{Form, FormError, take_form_error},
        members::{ChangeMember, InviteMember, MemberAction, members_path, page},
        rooms::room_path,
    },
    ui::{
        avatar::{Avatar, Shape},
        field::{FormFailure, field_error, field_error_text},
        icon::{Icon, IconSvg},
        page::Page,
        person::display_name,
        search::SearchForm,
    },
};

#[component]
pub fn MembersPage() -> impl IntoView {
    let (params, query) = (use_params_map().get_untracked(), use_query_map().get_untracked());
    let id = params.get("id").and_then(|id| id.parse().ok()).and_then(RoomId::checked).unwrap_or_default();
    let search =
        query.get("search").map(|search| search.trim().to_owned()).filter(|search| !search.is_empty());
    let after = query.get("after").and_then(|after| after.parse().ok()).and_then(UserId::checked);
    let done = query.get("done");
    let who = query.get("who").and_then(|who| who.parse().ok()).and_then(UserId::checked);
    let form_error =
        take_form_error().filter(|form_error| matches!(form_error.form, Form::Invitation | Form::Member));
    view! {
        <Suspense>
            {move || {
                let (search, form_error, done) = (search.clone(), form_error.clone(), done.clone());
                Suspend::new(async move {
                    match page(id, search.clone(), after).await {
                        Ok(roster) => view! { <Members roster search form_error done who/> }.into_any(),
                        Err(error) => {
                            view! {
                                <PageTitle text=t!(room.members)/>
                                <main id="main" class="pane pane-main">
                                    <LoadError failure=error.0/>
                                </main>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Members(
    roster: RosterPage,
    search: Option<String>,
    form_error: Option<FormError>,
    /// What was done on this page before.
    done: Option<String>,
    /// To whom.
    who: Option<UserId>,
) -> impl IntoView {
    let RosterPage { room, powers, entries, next, .. } = roster;
    let path = members_path(room.id);
    let title = format!("{} · {}", t!(room.members), room.name);
    let (invitation, member_error) = match form_error {
        Some(form_error) if form_error.form == Form::Invitation => (Some(form_error), None),
        form_error => (None, form_error),
    };
    let search_words = search.clone().unwrap_or_default();
    let next_page = next.map(|next| format!("{path}?search={}&after={next}", escaped(&search_words)));
    let is_empty = entries.is_empty();
    let id = room.id;
    let done = done.filter(|_| member_error.is_none() && invitation.is_none());
    let name = entries.iter().find(|entry| Some(entry.member.user.id) == who);
    let name = name.map(|entry| display_name(&entry.member.user));
    let done = done.and_then(|done| done_notice(id, &done, who, name));
    view! {
        <PageTitle text=title/>
        <Page title=t!(room.members) over=room.name.clone() back=room_path(id)>
            {member_error
                .map(|form_error| {
                    view! {
                        <p class="notice notice-alert" role="alert">
                            {form_error_message(locale(), &form_error.failure)}
                        </p>
                    }
                })}
            {done}
            {powers.invite.then(|| view! { <Invite room=id form_error=invitation/> })}
            <SearchForm action=path value=search_words label=t!(members.search) max=USERNAME_MAX/>
            {is_empty.then(|| view! { <p class="page-none">{t!(members.none)}</p> })}
            <ul class="people">
                {entries.into_iter().map(|entry| view! { <Person room=id entry/> }).collect_view()}
            </ul>
            {next_page
                .map(|next_page| {
                    view! {
                        <p class="page-turn">
                            <a class="button button-small" rel="next" href=next_page>
                                {t!(members.more)}
                            </a>
                        </p>
                    }
                })}
        </Page>
    }
    .into_any()
}

/// Tells what was done, with a way back where there is one.
fn done_notice(
    room: RoomId,
    done: &str,
    who: Option<UserId>,
    name: Option<String>,
) -> Option<impl IntoView + use<>> {
    let action = MemberAction::ALL.into_iter().find(|action| action.as_str() == done);
    let text = match action {
        Some(MemberAction::Admin) => t!(members.made_admin),
        Some(MemberAction::Moderator) => t!(members.made_moderator),
        Some(MemberAction::Member) => t!(members.made_member),
        Some(MemberAction::Mute) => t!(members.is_muted),
        Some(MemberAction::Unmute) => t!(members.unmuted),
        Some(MemberAction::Ban) => t!(members.is_banned),
        Some(MemberAction::Unban) => t!(members.unbanned),
        Some(MemberAction::Remove) => t!(members.removed),
        None if done == "invite" => t!(members.invited),
        None => return None,
    };
    let text = name.map_or_else(|| text.to_owned(), |name| [name.as_str(), t!(rooms.colon), text].concat());
    let undo = action.and_then(MemberAction::reverse).zip(who).map(|(reverse, who)| {
        view! {
            <form method="post" action=ChangeMember::url()>
                <input type="hidden" name="room" value=room.to_string()/>
                <input type="hidden" name="user" value=who.to_string()/>
                <button type="submit" class="button-text" name="act" value=reverse.as_str()>
                    {t!(page.undo)}
                </button>
            </form>
        }
    });
    Some(view! {
        <div class="notice notice-done notice-undo" role="status">
            <span>{text}</span>
            {undo}
        </div>
    })
}

#[component]
fn Invite(room: RoomId, form_error: Option<FormError>) -> impl IntoView {
    let typed = form_error
        .as_ref()
        .and_then(|form_error| form_error.typed.get("username").cloned())
        .unwrap_or_default();
    let failure = form_error.map(|form_error| form_error.failure);
    let error = field_error(failure.as_ref(), "username");
    view! {
        <FormFailure failure/>
        <form class="invite" method="post" action=InviteMember::url()>
            <input type="hidden" name="room" value=room.to_string()/>
            <label for="username">{t!(members.invite_label)}</label>
            <div class="invite-line">
                // `public/page.js` loads the suggestions.
                <input
                    class="input"
                    type="text"
                    id="username"
                    name="username"
                    value=typed
                    placeholder=t!(members.invite_hint)
                    list="candidates"
                    data-candidates=room.to_string()
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength=USERNAME_MAX.to_string()
                    required=true
                    aria-invalid=error.is_some().then_some("true")
                    aria-describedby=error.is_some().then_some("username-problem")
                />
                <datalist id="candidates"></datalist>
                <button type="submit" class="button button-loud">
                    {t!(members.invite)}
                </button>
            </div>
            {error
                .map(|error| {
                    view! {
                        <p class="field-problem" id="username-problem">
                            {field_error_text(&error)}
                        </p>
                    }
                })}
        </form>
    }
    .into_any()
}

#[component]
fn Person(room: RoomId, entry: RosterEntry) -> impl IntoView {
    let actions = actions(&entry);
    let RosterEntry { member, is_here, .. } = entry;
    let name = display_name(&member.user);
    let role = match member.role {
        Role::Admin => Some(t!(room.role_admin)),
        Role::Moderator => Some(t!(room.role_moderator)),
        Role::Member => None,
    };
    let menu = if actions.is_empty() {
        Either::Left(())
    } else {
        Either::Right(view! { <Menu room user=member.user.id name=name.clone() actions/> })
    };
    view! {
        <li class="person" data-testid="person" data-here=is_here.to_string()>
            <Avatar name=name.clone() id=member.user.id.0 shape=Shape::Person/>
            <div class="person-words">
                <p>
                    <strong>{name}</strong>
                    {is_here.then(|| view! { <span class="unseen">{t!(room.is_here)}</span> })}
                </p>
                <p class="person-note">"@"{member.user.username}</p>
            </div>
            <p class="person-tags">
                {role.map(|role| view! { <span class="tag">{role}</span> })}
                {member.is_muted.then(|| view! { <span class="tag tag-caution">{t!(members.is_muted)}</span> })}
                {member.is_banned.then(|| view! { <span class="tag tag-alert">{t!(members.is_banned)}</span> })}
            </p>
            {menu}
        </li>
    }
    .into_any()
}

/// What the current user may do with a member, in the order of the menu.
fn actions(entry: &RosterEntry) -> Vec<MemberAction> {
    let member = &entry.member;
    let roles = [
        (MemberAction::Admin, Role::Admin),
        (MemberAction::Moderator, Role::Moderator),
        (MemberAction::Member, Role::Member),
    ];
    let mut actions: Vec<MemberAction> = Vec::new();
    if entry.may_set_role {
        actions.extend(roles.into_iter().filter(|(_, role)| *role != member.role).map(|(action, _)| action));
    }
    if entry.may_moderate {
        actions.push(if member.is_muted { MemberAction::Unmute } else { MemberAction::Mute });
        actions.push(if member.is_banned { MemberAction::Unban } else { MemberAction::Ban });
        if !member.is_banned {
            actions.push(MemberAction::Remove);
        }
    }
    actions
}

#[component]
fn Menu(room: RoomId, user: UserId, name: String, actions: Vec<MemberAction>) -> impl IntoView {
    let button = |action: MemberAction| {
        let text = match action {
            MemberAction::Admin => t!(members.make_admin),
            MemberAction::Moderator => t!(members.make_moderator),
            MemberAction::Member => t!(members.make_member),
            MemberAction::Mute => t!(members.mute),
            MemberAction::Unmute => t!(members.unmute),
            MemberAction::Ban => t!(members.ban),
            MemberAction::Unban => t!(members.unban),
            MemberAction::Remove => t!(members.remove),
        };
        let class = if matches!(action, MemberAction::Ban | MemberAction::Remove) {
            "menu-item menu-item-alert"
        } else {
            "menu-item"
        };
        view! {
            <button type="submit" class=class name="act" value=action.as_str()>
                {text}
            </button>
        }
    };
    view! {
        <details class="menu menu-down" name="member">
            <summary class="button button-icon" aria-label=t!(members.act_on, name = name)>
                <IconSvg icon=Icon::More/>
            </summary>
            <form class="menu-panel menu-list" method="post" action=ChangeMember::url()>
                <input type="hidden" name="room" value=room.to_string()/>
                <input type="hidden" name="user" value=user.to_string()/>
                {actions.into_iter().map(button).collect_view()}
            </form>
        </details>
    }
    .into_any()
}
