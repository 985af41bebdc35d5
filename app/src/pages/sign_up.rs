//! `/sign-up`. A plain form, for the same reasons as [`super::sign_in`].

use chat::model::limits::USERNAME_MAX;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{
    PageTitle, auth_layout::AuthLayout, load_error::LoadError, person_names::PersonNames, redirect::Redirect,
};
use crate::{
    i18n::t,
    server::{
        forms::{Form, FormError, take_form_error},
        session::{SignUp, auth_page_data},
    },
    ui::field::{FormFailure, PasswordField, TextField, field_error},
};

#[component]
pub fn SignUpPage() -> impl IntoView {
    view! {
        <PageTitle text=t!(sign_up.title)/>
        <AuthLayout>
            <Suspense>
                {move || Suspend::new(async move {
                    match auth_page_data().await {
                        Ok(data) if data.is_signed_in => view! { <Redirect path="/rooms"/> }.into_any(),
                        Ok(data) => {
                            let form_error = take_form_error().filter(|form_error| form_error.form == Form::SignUp);
                            view! { <Card is_open=data.signup_open form_error/> }.into_any()
                        }
                        Err(error) => view! { <LoadError failure=error.0/> }.into_any(),
                    }
                })}
            </Suspense>
        </AuthLayout>
    }
    .into_any()
}

#[component]
fn Card(is_open: bool, form_error: Option<FormError>) -> impl IntoView {
    view! {
        <h1>{t!(sign_up.welcome)}</h1>
        {if is_open {
            Either::Left(view! { <AccountForm form_error/> })
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
fn AccountForm(form_error: Option<FormError>) -> impl IntoView {
    let typed = |field: &str| {
        form_error.as_ref().and_then(|form_error| form_error.typed.get(field).cloned()).unwrap_or_default()
    };
    let (username, first_name, last_name) = (typed("username"), typed("first_name"), typed("last_name"));
    let failure = form_error.map(|form_error| form_error.failure);
    let error = |field| field_error(failure.as_ref(), field);
    view! {
        <p class="lead">{t!(sign_up.lead)}</p>
        <FormFailure failure=failure.clone()/>
        <form method="post" action=SignUp::url()>
            <TextField
                name="username"
                label=t!(account.username)
                value=username
                error=error("username")
                hint=t!(sign_up.username_hint)
                autocomplete="username"
                max=USERNAME_MAX
                required=true
                verbatim=true
                autofocus=true
            />
            <PasswordField
                error=error("password")
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
