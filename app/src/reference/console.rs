//! The console for testers: forms that `public/console.js` turns into calls and WebSockets. Without that script they
//! are hidden and only the reference is shown.

use leptos::{either::Either, prelude::*};

use super::model::{Field, Operation, Socket};
use crate::{i18n::t, ui::text_area::TextArea};

/// Options of the console.
#[derive(Clone, Debug, Default)]
pub struct Console {
    /// Username and password to prefill, of the demo account.
    pub account: Option<(&'static str, &'static str)>,
}

/// Placeholder that `public/console.js` replaces by a new id each time it sends the text. A fixed `client_id` would
/// store only one message per room.
const NEW_ID: &str = "{{client_id}}";

/// Replaces the example's `client_id` by [`NEW_ID`].
fn with_new_id(example: &str) -> String {
    const BEFORE: &str = "\"client_id\": \"";
    let Some((start, rest)) = example.split_once(BEFORE) else { return example.to_owned() };
    let Some((_, end)) = rest.split_once('"') else { return example.to_owned() };
    format!("{start}{BEFORE}{NEW_ID}\"{end}")
}

/// Explains [`NEW_ID`].
#[component]
fn AboutNewId() -> impl IntoView {
    view! { <p class="try-note">{t!(console.new_id, mark = NEW_ID)}</p> }
}

#[component]
pub(super) fn ConsoleSignIn(console: Console) -> impl IntoView {
    let (username, password) = console.account.unwrap_or_default();
    view! {
        <section class="call console" aria-labelledby="console-title" data-testid="console">
            <h2 id="console-title">{t!(sign_in.title)}</h2>
            <p>{t!(console.lead)}</p>
            <noscript>
                <p class="notice">{t!(console.no_script)}</p>
            </noscript>
            <form class="try" data-sign-in data-testid="sign-in" hidden>
                <div class="try-fields">
                    <label>
                        <span>{t!(account.username)}</span>
                        <input name="username" value=username autocomplete="username" data-testid="sign-in-username"/>
                    </label>
                    <label>
                        <span>{t!(account.password)}</span>
                        <input
                            name="password"
                            type="password"
                            value=password
                            autocomplete="current-password"
                            data-testid="sign-in-password"
                        />
                    </label>
                </div>
                <div class="try-row">
                    <button type="submit" class="button button-small" data-testid="sign-in-submit">
                        {t!(sign_in.submit)}
                    </button>
                    <button type="button" class="button button-line button-small" data-refresh data-testid="refresh">
                        {t!(console.refresh)}
                    </button>
                    <button type="button" class="button button-line button-small" data-forget data-testid="forget">
                        {t!(console.forget)}
                    </button>
                </div>
                // Two people at once: typing, presence and notifications need them.
                <div class="switch" role="group" aria-label=t!(console.users)>
                    {["A", "B"]
                        .map(|user| {
                            view! {
                                <button type="button" data-user=user aria-pressed=(user == "A").to_string()>
                                    {user}
                                </button>
                            }
                        })
                        .collect_view()}
                </div>
                <p role="status" data-testid="who" data-who data-nobody=t!(console.nobody)>
                    {t!(console.nobody)}
                </p>
                <label>
                    <span>{t!(console.token)}</span>
                    <TextArea
                        text=""
                        attr:name="access"
                        attr:rows="3"
                        attr:spellcheck="false"
                        attr:data-access=""
                        attr:data-testid="access"
                    />
                </label>
            </form>
        </section>
    }
    .into_any()
}

/// The form of an operation.
#[component]
pub(super) fn CallForm(operation: Operation) -> impl IntoView {
    let Operation { id, method, path, needs_token, parameters, kinds, body, summary, .. } = operation;
    let parameters = parameters.into_iter().map(|field| view! { <Parameter field/> }).collect_view();
    let body = with_new_id(&body);
    let about_id = body.contains(NEW_ID).then(|| view! { <AboutNewId/> });
    let has_body = !body.is_empty();
    let body = has_body.then(|| {
        let kinds = kinds.into_iter().map(|kind| view! { <option>{kind}</option> }).collect_view();
        view! {
            <label>
                <span>{t!(reference.body)}</span>
                <TextArea
                    text=body
                    attr:name="body"
                    attr:rows="6"
                    attr:spellcheck="false"
                    attr:data-testid="body"
                />
            </label>
            {about_id}
            <label class="try-short">
                <span>"Content-Type"</span>
                <select name="kind" data-testid="kind">{kinds}</select>
            </label>
        }
    });
    view! {
        <form
            class="try"
            data-call
            data-method=method
            data-path=path
            data-testid=format!("try-{id}")
            aria-label=format!("{}: {summary}", t!(console.try_it))
            novalidate
            hidden
        >
            <div class="try-fields">{parameters}</div>
            {body}
            <div class="try-row">
                <label class="try-check">
                    <input type="checkbox" name="token" checked=needs_token data-testid="with-token"/>
                    <span>{t!(console.with_token)}</span>
                </label>
                <button type="submit" class="button button-small" data-testid="send">{t!(console.send)}</button>
            </div>
            <CallResult/>
        </form>
    }
    .into_any()
}

/// The input of a parameter. Values are not validated, since testers try invalid ones too.
#[component]
fn Parameter(field: Field) -> impl IntoView {
    let place = if field.in_path { "path" } else { "query" };
    let id = format!("param-{}", field.name);
    let input = if field.choices.is_empty() {
        Either::Left(view! {
            <input
                name=field.name.clone()
                value=field.example
                data-in=place
                data-testid=id
                autocomplete="off"
                spellcheck="false"
            />
        })
    } else {
        let choices =
            field.choices.into_iter().map(|choice| view! { <option>{choice}</option> }).collect_view();
        Either::Right(view! {
            <select name=field.name.clone() data-in=place data-testid=id>
                <option></option>
                {choices}
            </select>
        })
    };
    view! {
        <label>
            <span>
                <code>{field.name.clone()}</code>
            </span>
            {input}
        </label>
    }
    .into_any()
}

/// The result of a call, filled in by the script.
#[component]
fn CallResult() -> impl IntoView {
    view! {
        <div class="outcome" data-outcome data-testid="outcome" hidden>
            <p role="status">
                <span class="status" data-testid="status"></span>
                " "
                <span class="number" data-testid="time"></span>
            </p>
            <OutputPart name="answer" label=t!(console.answer)/>
            <OutputPart name="headers" label=t!(console.headers)/>
            <OutputPart name="request" label=t!(console.request)/>
            <OutputPart name="curl" label="curl"/>
            // The same call for other tools, to the clipboard.
            <p class="try-row">
                {["curl", "fetch", "HTTPie"]
                    .map(|tool| {
                        view! {
                            <button
                                type="button"
                                class="button button-line button-small"
                                data-copy=tool
                                data-copied=t!(console.copied)
                            >
                                {t!(console.copy_as, tool = tool)}
                            </button>
                        }
                    })
                    .collect_view()}
            </p>
        </div>
    }
    .into_any()
}

/// A scrollable part of the result.
#[component]
fn OutputPart(name: &'static str, label: &'static str) -> impl IntoView {
    view! { <pre class="example" tabindex="0" role="group" aria-label=label data-testid=name></pre> }
}

#[component]
pub(super) fn SocketConsole(
    socket: Socket,
    /// The id of the section.
    id: String,
) -> impl IntoView {
    let Socket { path, summary, parameters, send, .. } = socket;
    let ids = parameters.iter().filter(|field| field.in_path).cloned();
    let ids = ids.map(|field| view! { <Parameter field/> }).collect_view();
    let resumes = parameters.into_iter().filter(|field| field.name.starts_with("after_"));
    let resumes = resumes.map(|field| view! { <Parameter field/> }).collect_view();
    let good: Vec<(String, String)> =
        send.into_iter().map(|frame| (frame.name, with_new_id(&frame.example))).collect();
    // The same message twice, as after a lost response.
    let again = good.iter().find(|(_, text)| text.contains(NEW_ID)).map(|(_, text)| {
        let (name, text) = (t!(console.same_id).to_owned(), text.clone());
        view! { <Preset name text testid="preset-same-id".to_owned() is_fixed=true/> }
    });
    let about_id = again.is_some().then(|| view! { <AboutNewId/> });
    let good = good
        .into_iter()
        .map(|(name, text)| {
            let testid = format!("preset-{name}");
            view! { <Preset name text testid/> }
        })
        .collect_view();
    view! {
        <form
            class="try"
            data-socket
            data-path=path
            data-opened=t!(console.opened)
            data-closed=t!(console.closed)
            data-testid=format!("try-{id}")
            aria-label=format!("{}: {summary}", t!(console.try_it))
            novalidate
            hidden
        >
            <div class="try-fields">
                {ids}
                <label>
                    <span>{t!(console.credentials)}</span>
                    <select name="credentials" data-testid="credentials">
                        <option value="query">"?token="</option>
                        <option value="protocol">"Sec-WebSocket-Protocol"</option>
                        <option value="frame">"authenticate"</option>
                        <option value="none">{t!(console.no_credentials)}</option>
                    </select>
                </label>
                {resumes}
            </div>
            <div class="try-row">
                <button type="button" class="button button-small" data-open data-testid="open">{t!(console.open)}</button>
                <button type="button" class="button button-line button-small" data-close data-testid="close" disabled>
                    {t!(console.close)}
                </button>
                <button type="button" class="button button-line button-small" data-resume data-testid="resume">
                    {t!(console.resume)}
                </button>
                <span role="status" data-state data-testid="state"></span>
            </div>
            <fieldset class="presets">
                <legend>{t!(console.presets)}</legend>
                {good}
                {again}
            </fieldset>
            <fieldset class="presets">
                <legend>{t!(console.bad_frames)}</legend>
                <BadFrames/>
                <button type="button" class="button button-line button-small" data-binary data-testid="bad-binary" disabled>
                    {t!(console.binary)}
                </button>
                <button type="button" class="button button-line button-small" data-huge data-testid="bad-huge" disabled>
                    {t!(console.huge)}
                </button>
            </fieldset>
            <label>
                <span>{t!(console.frame)}</span>
                <TextArea
                    text=""
                    attr:name="frame"
                    attr:rows="5"
                    attr:spellcheck="false"
                    attr:data-testid="frame"
                />
            </label>
            {about_id}
            <div class="try-row">
                <button type="submit" class="button button-small" data-testid="send" disabled>{t!(console.send)}</button>
                <button type="button" class="button button-line button-small" data-clear data-testid="clear">
                    {t!(console.clear)}
                </button>
            </div>
            <div class="wire-log" role="log" tabindex="0" aria-label=t!(console.log) data-log data-testid="log"></div>
        </form>
    }
    .into_any()
}

/// Buttons for frames that the server rejects.
#[component]
fn BadFrames() -> impl IntoView {
    [
        ("not-json", t!(console.not_json), "{\"type\": "),
        ("unknown-type", t!(console.unknown_type), "{\"type\": \"dance\"}"),
        (
            "no-content",
            t!(console.no_content),
            "{\"type\": \"chat_message\", \"client_id\": \"{{client_id}}\"}",
        ),
        ("wrong-type", t!(console.wrong_type), "{\"type\": \"typing\", \"is_typing\": \"yes\"}"),
    ]
    .into_iter()
    .map(|(word, name, text)| {
        view! { <Preset name=name.to_owned() text=text.to_owned() testid=format!("bad-{word}")/> }
    })
    .collect_view()
}

/// A button that copies a frame into the editor.
#[component]
fn Preset(
    name: String,
    text: String,
    testid: String,
    /// Whether the id is generated once, when the button is pressed, so that the frame can be sent again unchanged.
    #[prop(optional)]
    is_fixed: bool,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="button button-line button-small"
            data-frame=text
            data-fixed=is_fixed.then_some("")
            data-testid=testid
        >
            {name}
        </button>
    }
    .into_any()
}
