//! `/rooms/:id/members`: everyone in a room, to be found, invited and moderated, as far as the reader may.

use chat::{
    model::{Role, RoomId, UserId, limits::USERNAME_MAX},
    service::roster::{RosterEntry, RosterPage},
};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{PageTitle, failed::Failed};
use crate::{
    error::notice,
    i18n::say,
    preferences::locale,
    server::{
        escaped,
        forms::{Form, Refusal, take_refusal},
        members::{Act, ChangeMember, InviteMember, members_path, page},
        rooms::room_path,
    },
    ui::{
        avatar::{Avatar, Shape},
        field::{FormFailure, problem_of, problem_text},
        icon::{Draw, Icon},
        page::Page,
        person::display_name,
        search::SearchForm,
    },
};

/// See the module.
#[component]
pub fn MembersPage() -> impl IntoView {
    let (params, query) = (use_params_map().get_untracked(), use_query_map().get_untracked());
    let id = params.get("id").and_then(|id| id.parse().ok()).and_then(RoomId::checked).unwrap_or_default();
    let search =
        query.get("search").map(|search| search.trim().to_owned()).filter(|search| !search.is_empty());
    let after = query.get("after").and_then(|after| after.parse().ok()).and_then(UserId::checked);
    let refusal = take_refusal().filter(|refusal| matches!(refusal.form, Form::Invitation | Form::Member));
    view! {
        <Suspense>
            {move || {
                let (search, refusal) = (search.clone(), refusal.clone());
                Suspend::new(async move {
                    match page(id, search.clone(), after).await {
                        Ok(roster) => view! { <Members roster search refusal/> }.into_any(),
                        Err(error) => {
                            view! {
                                <PageTitle text=say!(room.members)/>
                                <main id="main" class="pane pane-main">
                                    <Failed failure=error.0/>
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
fn Members(roster: RosterPage, search: Option<String>, refusal: Option<Refusal>) -> impl IntoView {
    let RosterPage { room, powers, entries, next, .. } = roster;
    let path = members_path(room.id);
    let title = format!("{} · {}", say!(room.members), room.name);
    let (invitation, act) = match refusal {
        Some(refusal) if refusal.form == Form::Invitation => (Some(refusal), None),
        refusal => (None, refusal),
    };
    let search_words = search.clone().unwrap_or_default();
    let onward = next.map(|next| format!("{path}?search={}&after={next}", escaped(&search_words)));
    let is_empty = entries.is_empty();
    let id = room.id;
    view! {
        <PageTitle text=title/>
        <Page title=say!(room.members) over=room.name.clone() back=room_path(id)>
            {act
                .map(|refusal| {
                    view! {
                        <p class="notice notice-alert" role="alert">
                            {notice(locale(), &refusal.failure)}
                        </p>
                    }
                })}
            {powers.invite.then(|| view! { <Invite room=id refusal=invitation/> })}
            <SearchForm action=path value=search_words label=say!(members.search) max=USERNAME_MAX/>
            {is_empty.then(|| view! { <p class="page-none">{say!(members.none)}</p> })}
            <ul class="people">
                {entries.into_iter().map(|entry| view! { <Person room=id entry/> }).collect_view()}
            </ul>
            {onward
                .map(|onward| {
                    view! {
                        <p class="page-turn">
                            <a class="button button-small" rel="next" href=onward>
                                {say!(members.more)}
                            </a>
                        </p>
                    }
                })}
        </Page>
    }
    .into_any()
}

#[component]
fn Invite(room: RoomId, refusal: Option<Refusal>) -> impl IntoView {
    let typed =
        refusal.as_ref().and_then(|refusal| refusal.typed.get("username").cloned()).unwrap_or_default();
    let failure = refusal.map(|refusal| refusal.failure);
    let problem = problem_of(failure.as_ref(), "username");
    view! {
        <FormFailure failure/>
        <form class="invite" method="post" action=InviteMember::url()>
            <input type="hidden" name="room" value=room.to_string()/>
            <label for="username">{say!(members.invite_label)}</label>
            <div class="invite-line">
                // The people to choose from are brought by `public/page.js`.
                <input
                    class="input"
                    type="text"
                    id="username"
                    name="username"
                    value=typed
                    placeholder=say!(members.invite_hint)
                    list="candidates"
                    data-candidates=room.to_string()
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength=USERNAME_MAX.to_string()
                    required=true
                    aria-invalid=problem.is_some().then_some("true")
                    aria-describedby=problem.is_some().then_some("username-problem")
                />
                <datalist id="candidates"></datalist>
                <button type="submit" class="button button-loud">
                    {say!(members.invite)}
                </button>
            </div>
            {problem
                .map(|problem| {
                    view! {
                        <p class="field-problem" id="username-problem">
                            {problem_text(&problem)}
                        </p>
                    }
                })}
        </form>
    }
    .into_any()
}

#[component]
fn Person(room: RoomId, entry: RosterEntry) -> impl IntoView {
    let acts = acts(&entry);
    let RosterEntry { member, is_here, .. } = entry;
    let name = display_name(&member.user);
    let role = match member.role {
        Role::Admin => Some(say!(room.role_admin)),
        Role::Moderator => Some(say!(room.role_moderator)),
        Role::Member => None,
    };
    let menu = if acts.is_empty() {
        Either::Left(())
    } else {
        Either::Right(view! { <Menu room user=member.user.id name=name.clone() acts/> })
    };
    view! {
        <li class="person" data-testid="person" data-here=is_here.to_string()>
            <Avatar name=name.clone() id=member.user.id.0 shape=Shape::Person/>
            <div class="person-words">
                <p>
                    <strong>{name}</strong>
                    {is_here.then(|| view! { <span class="unseen">{say!(room.is_here)}</span> })}
                </p>
                <p class="person-note">"@"{member.user.username}</p>
            </div>
            <p class="person-tags">
                {role.map(|role| view! { <span class="tag">{role}</span> })}
                {member.is_muted.then(|| view! { <span class="tag tag-caution">{say!(members.is_muted)}</span> })}
                {member.is_banned.then(|| view! { <span class="tag tag-alert">{say!(members.is_banned)}</span> })}
            </p>
            {menu}
        </li>
    }
    .into_any()
}

/// What the reader may do about somebody, in the order of the menu.
fn acts(entry: &RosterEntry) -> Vec<Act> {
    let member = &entry.member;
    let roles = [(Act::Admin, Role::Admin), (Act::Moderator, Role::Moderator), (Act::Plain, Role::Member)];
    let mut acts: Vec<Act> = Vec::new();
    if entry.may_set_role {
        acts.extend(roles.into_iter().filter(|(_, role)| *role != member.role).map(|(act, _)| act));
    }
    if entry.may_moderate {
        acts.push(if member.is_muted { Act::Unmute } else { Act::Mute });
        acts.push(if member.is_banned { Act::Unban } else { Act::Ban });
        if !member.is_banned {
            acts.push(Act::Remove);
        }
    }
    acts
}

#[component]
fn Menu(room: RoomId, user: UserId, name: String, acts: Vec<Act>) -> impl IntoView {
    let button = |act: Act| {
        let words = match act {
            Act::Admin => say!(members.make_admin),
            Act::Moderator => say!(members.make_moderator),
            Act::Plain => say!(members.make_member),
            Act::Mute => say!(members.mute),
            Act::Unmute => say!(members.unmute),
            Act::Ban => say!(members.ban),
            Act::Unban => say!(members.unban),
            Act::Remove => say!(members.remove),
        };
        let class =
            if matches!(act, Act::Ban | Act::Remove) { "menu-item menu-item-alert" } else { "menu-item" };
        view! {
            <button type="submit" class=class name="act" value=act.word()>
                {words}
            </button>
        }
    };
    view! {
        <details class="menu menu-down" name="member">
            <summary class="button button-icon" aria-label=say!(members.act_on, name = name)>
                <Draw icon=Icon::More/>
            </summary>
            <form class="menu-panel menu-list" method="post" action=ChangeMember::url()>
                <input type="hidden" name="room" value=room.to_string()/>
                <input type="hidden" name="user" value=user.to_string()/>
                {acts.into_iter().map(button).collect_view()}
            </form>
        </details>
    }
    .into_any()
}
