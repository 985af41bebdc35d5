//! The page for an unknown path.

use chat::model::Code;
use leptos::prelude::*;

use super::{PageTitle, answer_with};
use crate::{i18n::t, ui::logo::Logo};

#[component]
pub fn NotFound() -> impl IntoView {
    answer_with(Code::NotFound);
    view! {
        <PageTitle text=t!(page.missing)/>
        <main id="main" class="blank blank-page">
            <Logo/>
            <h1>{t!(page.missing)}</h1>
            <p>{t!(page.missing_lead)}</p>
            <a class="button button-loud" href="/">
                {t!(page.home)}
            </a>
        </main>
    }
    .into_any()
}
