//! Layout of the sign-in and sign-up pages: brand, switches, and a card in the middle.

use leptos::prelude::*;

use crate::{
    i18n::t,
    ui::{
        logo::{Glyph, Logo},
        switches::Switches,
    },
};

#[component]
pub fn AuthLayout(children: Children) -> impl IntoView {
    view! {
        <div class="entry">
            <aside class="entry-side" aria-label=t!(brand)>
                <Glyph class="entry-glyph"/>
                <p class="entry-motto">
                    {t!(motto)}
                    <small>{t!(motto_more)}</small>
                </p>
            </aside>
            <div class="entry-main">
                <header>
                    <a class="brand" href="/" rel="external">
                        <Logo/>
                        <span>{t!(brand)}</span>
                    </a>
                </header>
                <main id="main" class="entry-card">
                    {children()}
                </main>
                <footer>
                    <Switches/>
                </footer>
            </div>
        </div>
    }
    .into_any()
}
