//! `/sign-in`. A plain form that is answered with a new page: browsers then offer to save the password, and no state
//! of the previous user remains.

use chat::model::limits::USERNAME_MAX;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{PageTitle, auth_layout::AuthLayout, load_error::LoadError, redirect::Redirect};
use crate::{
    i18n::t,
    server::{
        forms::{Form, take_form_error},
        session::{AuthPageData, SignIn, SignInDemo, auth_page_data, is_own_path},
    },
    ui::field::{FormFailure, PasswordField, TextField, field_error},
};

#[component]
pub fn SignInPage() -> impl IntoView {
    view! {
        <PageTitle text=t!(sign_in.title)/>
        <AuthLayout>
            <Suspense>
                {move || Suspend::new(async move {
                    match auth_page_data().await {
                        Ok(data) if data.is_signed_in => view! { <Redirect path="/rooms"/> }.into_any(),
                        Ok(data) => view! { <Card data/> }.into_any(),
                        Err(error) => view! { <LoadError failure=error.0/> }.into_any(),
                    }
                })}
            </Suspense>
        </AuthLayout>
    }
    .into_any()
}

#[component]
fn Card(data: AuthPageData) -> impl IntoView {
    let query = use_query_map();
    let next = query.read_untracked().get("next").filter(|next| is_own_path(next)).unwrap_or_default();
    let form_error = take_form_error().filter(|form_error| form_error.form == Form::SignIn);
    let typed = form_error
        .as_ref()
        .and_then(|form_error| form_error.typed.get("username").cloned())
        .unwrap_or_default();
    let failure = form_error.map(|form_error| form_error.failure);
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
                error=field_error(failure.as_ref(), "username")
                autocomplete="username"
                max=USERNAME_MAX
                required=true
                verbatim=true
                autofocus=true
            />
            <PasswordField error=field_error(failure.as_ref(), "password") autocomplete="current-password"/>
            <button type="submit" class="button button-loud button-wide">
                {t!(sign_in.submit)}
            </button>
        </form>
        {data
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
        {data
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
