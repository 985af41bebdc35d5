//! `/sign-up`. A plain form, as signing in is.

use chat::model::limits::USERNAME_MAX;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{PageTitle, entry::Entry, failed::Failed, onward::Onward, person_names::PersonNames};
use crate::{
    i18n::t,
    server::{
        forms::{Form, Refusal, take_refusal},
        session::{SignUp, read_door},
    },
    ui::field::{FormFailure, PasswordField, TextField, problem_of},
};

/// See the module.
#[component]
pub fn SignUpPage() -> impl IntoView {
    view! {
        <PageTitle text=t!(sign_up.title)/>
        <Entry>
            <Suspense>
                {move || Suspend::new(async move {
                    match read_door().await {
                        Ok(door) if door.is_signed_in => view! { <Onward path="/rooms"/> }.into_any(),
                        Ok(door) => {
                            let refusal = take_refusal().filter(|refusal| refusal.form == Form::SignUp);
                            view! { <Card is_open=door.signup_open refusal/> }.into_any()
                        }
                        Err(error) => view! { <Failed failure=error.0/> }.into_any(),
                    }
                })}
            </Suspense>
        </Entry>
    }
    .into_any()
}

#[component]
fn Card(is_open: bool, refusal: Option<Refusal>) -> impl IntoView {
    view! {
        <h1>{t!(sign_up.welcome)}</h1>
        {if is_open {
            Either::Left(view! { <AccountForm refusal/> })
        } else {
            Either::Right(view! { <p class="notice">{t!(sign_up.closed)}</p> })
        }}
        <p class="entry-other">
            {t!(sign_up.have_account)} " " <a href="/sign-in" rel="external">{t!(sign_up.to_sign_in)}</a>
        </p>
    }
    .into_any()
}

#[component]
fn AccountForm(refusal: Option<Refusal>) -> impl IntoView {
    let typed = |field: &str| {
        refusal.as_ref().and_then(|refusal| refusal.typed.get(field).cloned()).unwrap_or_default()
    };
    let (username, first_name, last_name) = (typed("username"), typed("first_name"), typed("last_name"));
    let failure = refusal.map(|refusal| refusal.failure);
    let problem = |field| problem_of(failure.as_ref(), field);
    view! {
        <p class="lead">{t!(sign_up.lead)}</p>
        <FormFailure failure=failure.clone()/>
        <form method="post" action=SignUp::url()>
            <TextField
                name="username"
                label=t!(account.username)
                value=username
                problem=problem("username")
                hint=t!(sign_up.username_hint)
                autocomplete="username"
                max=USERNAME_MAX
                required=true
                verbatim=true
                autofocus=true
            />
            <PasswordField
                problem=problem("password")
                hint=t!(sign_up.password_hint)
                autocomplete="new-password"
            />
            <PersonNames last_name first_name failure=failure.clone()/>
            <button type="submit" class="button button-loud button-wide">
                {t!(sign_up.submit)}
            </button>
        </form>
    }
    .into_any()
}
