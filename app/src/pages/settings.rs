//! `/settings`: the user's names, password, language and theme, sessions and tokens.

use chat::{model::User, service::accounts::IssuedToken};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{PageTitle, load_error::LoadError, person_names::PersonNames};
use crate::{
    error::form_error_message,
    i18n::{t, td_string},
    preferences::{CTRL_ENTER, locale, preferences},
    server::{
        account::{
            Account, ChangePassword, EndSession, EndToken, OpenSession, Rename, SignOutElsewhere, account,
        },
        forms::{Form, FormError, take_form_error},
        preferences::SetSendKey,
    },
    state::user_agent,
    ui::{
        field::{FormFailure, PasswordField, field_error},
        page::Page,
        switches::Switches,
        time_format::BriefTime,
    },
};

#[component]
pub fn SettingsPage() -> impl IntoView {
    let done = use_query_map().get_untracked().get("done");
    let form_error = take_form_error();
    view! {
        <PageTitle text=t!(settings.title)/>
        <Page title=t!(settings.title) back="/rooms" back_on_phone=true>
            <Suspense>
                {move || {
                    let (done, form_error) = (done.clone(), form_error.clone());
                    Suspend::new(async move {
                        match account().await {
                            Ok(account) => view! { <Settings account done form_error/> }.into_any(),
                            Err(error) => view! { <LoadError failure=error.0/> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </Page>
    }
    .into_any()
}

#[component]
fn Settings(account: Account, done: Option<String>, form_error: Option<FormError>) -> impl IntoView {
    let Account { me, sessions, tokens } = account;
    let done = form_error.is_none().then_some(done).flatten();
    let text = match done.as_deref() {
        Some("names") => Some(t!(settings.names_done)),
        Some("password") => Some(t!(settings.password_done)),
        Some("ended") => Some(t!(settings.ended_done)),
        _ => None,
    };
    let of = |form: Form| form_error.clone().filter(|form_error| form_error.form == form);
    let (names, password, access) = (of(Form::Profile), of(Form::Password), of(Form::Access));
    view! {
        {text.map(|text| view! { <p class="notice notice-done" role="status">{text}</p> })}
        {access
            .map(|form_error| {
                view! {
                    <p class="notice notice-alert" role="alert">
                        {form_error_message(locale(), &form_error.failure)}
                    </p>
                }
            })}
        <Names me form_error=names/>
        <section class="block">
            <h2>{t!(settings.look)}</h2>
            <p>{t!(settings.look_lead)}</p>
            <Switches/>
            <SendKey/>
        </section>
        <Password form_error=password/>
        <Access sessions tokens/>
    }
    .into_any()
}

/// Which key sends a message.
#[component]
fn SendKey() -> impl IntoView {
    let by_ctrl = preferences().sends_by_ctrl;
    let choice = |value: &'static str, text: &'static str, chosen: bool| {
        view! {
            <button type="submit" name="key" value=value aria-pressed=chosen.to_string()>
                {text}
            </button>
        }
    };
    view! {
        <form class="settings-key" method="post" action=SetSendKey::url()>
            <p>{t!(settings.send_key)}</p>
            <div class="switch" role="group" aria-label=t!(settings.send_key)>
                {choice("enter", t!(settings.by_enter), !by_ctrl)}
                {choice(CTRL_ENTER, t!(settings.by_ctrl_enter), by_ctrl)}
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Names(me: User, form_error: Option<FormError>) -> impl IntoView {
    let typed = |field: &str, stored: &str| {
        let typed = form_error.as_ref().and_then(|form_error| form_error.typed.get(field).cloned());
        typed.unwrap_or_else(|| stored.to_owned())
    };
    let (first_name, last_name) = (typed("first_name", &me.first_name), typed("last_name", &me.last_name));
    let failure = form_error.map(|form_error| form_error.failure);
    view! {
        <section class="block">
            <h2>{t!(settings.profile)}</h2>
            <p>{t!(settings.profile_lead, username = me.username)}</p>
            <FormFailure failure=failure.clone()/>
            <form method="post" action=Rename::url()>
                <PersonNames last_name first_name failure/>
                <button type="submit" class="button">
                    {t!(page.save)}
                </button>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Password(form_error: Option<FormError>) -> impl IntoView {
    let failure = form_error.map(|form_error| form_error.failure);
    let [old_error, new_error] =
        ["old_password", "password"].map(|field| field_error(failure.as_ref(), field));
    view! {
        <section class="block">
            <h2>{t!(account.password)}</h2>
            <p>{t!(settings.password_lead)}</p>
            <FormFailure failure/>
            <form method="post" action=ChangePassword::url()>
                <PasswordField
                    name="old_password"
                    label=t!(settings.old_password)
                    error=old_error
                    autocomplete="current-password"
                />
                <PasswordField
                    label=t!(settings.new_password)
                    error=new_error
                    hint=t!(sign_up.password_hint)
                    autocomplete="new-password"
                />
                <button type="submit" class="button">
                    {t!(settings.change_password)}
                </button>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Access(sessions: Vec<OpenSession>, tokens: Vec<IssuedToken>) -> impl IntoView {
    let has_others = sessions.len() > 1 || !tokens.is_empty();
    let has_tokens = !tokens.is_empty();
    view! {
        <section class="block">
            <h2>{t!(settings.sessions)}</h2>
            <p>{t!(settings.sessions_lead)}</p>
            <ul class="devices">
                {sessions.into_iter().map(|session| view! { <Session session/> }).collect_view()}
            </ul>
            {has_tokens
                .then(|| {
                    view! {
                        <h3>{t!(settings.tokens)}</h3>
                        <ul class="devices">
                            {tokens.into_iter().map(|token| view! { <Token token/> }).collect_view()}
                        </ul>
                    }
                })}
            {has_others
                .then(|| {
                    view! {
                        <form method="post" action=SignOutElsewhere::url()>
                            <button type="submit" class="button button-line">
                                {t!(settings.end_others)}
                            </button>
                        </form>
                    }
                })}
        </section>
    }
    .into_any()
}

#[component]
fn Session(session: OpenSession) -> impl IntoView {
    let OpenSession { handle, agent, seen_at, is_this, .. } = session;
    let name = user_agent::name(&agent).unwrap_or_else(|| t!(settings.unknown).to_owned());
    let label = td_string!(locale(), settings.end_one, name = name.clone());
    view! {
        <li class="device" data-testid="session">
            <div>
                <p class="device-name">{name}</p>
                <p class="device-note">
                    {if is_this {
                        Either::Left(t!(settings.this_one))
                    } else {
                        Either::Right(seen_at.map(|at| view! { {t!(settings.seen)} " " <BriefTime class="" at/> }))
                    }}
                </p>
            </div>
            {handle
                .filter(|_| !is_this)
                .map(|handle| {
                    view! {
                        <form method="post" action=EndSession::url()>
                            <input type="hidden" name="session" value=handle/>
                            <button type="submit" class="button button-small button-line" aria-label=label>
                                {t!(account.sign_out)}
                            </button>
                        </form>
                    }
                })}
        </li>
    }
    .into_any()
}

#[component]
fn Token(token: IssuedToken) -> impl IntoView {
    let name = user_agent::name(&token.agent).unwrap_or_else(|| t!(settings.unknown).to_owned());
    let label = td_string!(locale(), settings.end_one, name = name.clone());
    view! {
        <li class="device" data-testid="token">
            <div>
                <p class="device-name">{name}</p>
                <p class="device-note">{t!(settings.since)} " " <BriefTime class="" at=token.created_at/></p>
            </div>
            <form method="post" action=EndToken::url()>
                <input type="hidden" name="token" value=token.jti/>
                <button type="submit" class="button button-small button-line" aria-label=label>
                    {t!(settings.end_token)}
                </button>
            </form>
        </li>
    }
    .into_any()
}
