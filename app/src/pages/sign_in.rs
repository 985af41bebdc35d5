//! `/sign-in`. A plain form, answered with a new page: passwords are kept by browsers that see one, and everything
//! after it starts afresh.

use chat::model::limits::USERNAME_MAX;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{PageTitle, entry::Entry, failed::Failed, onward::Onward};
use crate::{
    i18n::t,
    server::{
        forms::{Form, take_refusal},
        session::{Door, SignIn, SignInDemo, is_own_path, read_door},
    },
    ui::field::{FormFailure, PasswordField, TextField, problem_of},
};

/// See the module.
#[component]
pub fn SignInPage() -> impl IntoView {
    view! {
        <PageTitle text=t!(sign_in.title)/>
        <Entry>
            <Suspense>
                {move || Suspend::new(async move {
                    match read_door().await {
                        Ok(door) if door.is_signed_in => view! { <Onward path="/rooms"/> }.into_any(),
                        Ok(door) => view! { <Card door/> }.into_any(),
                        Err(error) => view! { <Failed failure=error.0/> }.into_any(),
                    }
                })}
            </Suspense>
        </Entry>
    }
    .into_any()
}

#[component]
fn Card(door: Door) -> impl IntoView {
    let query = use_query_map();
    let next = query.read_untracked().get("next").filter(|next| is_own_path(next)).unwrap_or_default();
    let refusal = take_refusal().filter(|refusal| refusal.form == Form::SignIn);
    let typed =
        refusal.as_ref().and_then(|refusal| refusal.typed.get("username").cloned()).unwrap_or_default();
    let failure = refusal.map(|refusal| refusal.failure);
    view! {
        <h1>{t!(sign_in.welcome)}</h1>
        <p class="lead">{t!(sign_in.lead)}</p>
        <FormFailure failure=failure.clone()/>
        <form method="post" action=SignIn::url()>
            <input type="hidden" name="next" value=next.clone()/>
            <TextField
                name="username"
                label=t!(account.username)
                value=typed
                problem=problem_of(failure.as_ref(), "username")
                autocomplete="username"
                max=USERNAME_MAX
                required=true
                verbatim=true
                autofocus=true
            />
            <PasswordField problem=problem_of(failure.as_ref(), "password") autocomplete="current-password"/>
            <button type="submit" class="button button-loud button-wide">
                {t!(sign_in.submit)}
            </button>
        </form>
        {door
            .demo
            .then(|| {
                view! {
                    <p class="entry-or">{t!(sign_in.or)}</p>
                    <form method="post" action=SignInDemo::url()>
                        <input type="hidden" name="next" value=next/>
                        <button type="submit" class="button button-line button-wide">
                            {t!(sign_in.demo)}
                        </button>
                    </form>
                }
            })}
        {door
            .signup_open
            .then(|| {
                view! {
                    <p class="entry-other">
                        {t!(sign_in.no_account)} " " <a href="/sign-up" rel="external">{t!(sign_in.to_sign_up)}</a>
                    </p>
                }
            })}
    }
    .into_any()
}
