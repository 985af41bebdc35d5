// The API console: sends the requests that its forms describe, and WebSocket frames. It does not know the API; the
// page is rendered from the OpenAPI document.

const page = document.documentElement;
const access = document.querySelector('[data-access]');
let refresh = '';

/** Shows what only works with this script. */
for (const form of document.querySelectorAll('form.try')) form.hidden = false;

// ---- Calls ----

/** Quotes a word for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Placeholder of an id that is new each time the text is sent. */
const NEW_ID = '{{client_id}}';

/** The text as it is sent. */
function filled(text) {
  // `randomUUID` is missing where the page came by plain HTTP from another machine.
  const bytes = () => [...crypto.getRandomValues(new Uint8Array(16))];
  const id = crypto.randomUUID?.() ?? bytes().map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return text.replaceAll(NEW_ID, id);
}

/** The URL that a form describes; values are not validated. */
function addressed(form, origin) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll('[data-in]')) {
    if (field.dataset.in === 'path') path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value !== '') query.append(field.name, field.value);
  }
  const url = new URL(path, origin);
  url.search = query;
  return url;
}

/** The request that a form describes. */
function described(form) {
  const url = addressed(form, location.origin);
  const headers = { 'Accept-Language': page.lang };
  if (form.elements.token.checked && access.value.trim()) headers.Authorization = `Bearer ${access.value.trim()}`;
  const text = form.elements.body?.value;
  const body = text === undefined ? undefined : filled(text);
  if (body !== undefined) headers['Content-Type'] = form.elements.kind.value;
  return { method: form.dataset.method, url, headers, body };
}

const asCurl = ({ method, url, headers, body }) =>
  [
    `curl -i -X ${method} ${quoted(url.href)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-raw ${quoted(body)}`]),
  ].join(' \\\n  ');

const asHttp = ({ method, url, headers, body }) =>
  [
    `${method} ${url.pathname}${url.search}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : ['', body]),
  ].join('\n');

const asFetch = ({ method, url, headers, body }) =>
  `await fetch(${JSON.stringify(url.href)}, ${JSON.stringify({ method, headers, body }, null, 2)});`;

const asHttpie = ({ method, url, headers, body }) =>
  [
    `http -v${body === undefined ? '' : ` --raw ${quoted(body)}`} ${method} ${quoted(url.href)}`,
    ...Object.entries(headers).map(([name, value]) => quoted(`${name}:${value}`)),
  ].join(' \\\n  ');

const TOOLS = { curl: asCurl, fetch: asFetch, HTTPie: asHttpie };

// ---- Ids carried from one answer to the next call ----

/** What a path is about at its end, and what its `{id}` is of: `rooms`, `messages`, `notifications`. */
const ID_OF = /\/(\w+)\/\{(?:id|room_id)\}\//;

/** Puts the id of what came into every field that wants one of its kind, unless somebody wrote there. */
function carry(form, answer) {
  const found = Array.isArray(answer) ? answer[0] : (answer?.messages?.[0] ?? answer);
  const kind = /\/(rooms|messages|notifications)\/(?:\{id\}\/)?$/.exec(form.dataset.path)?.[1];
  if (!kind || !Number.isInteger(found?.id)) return;
  for (const other of document.querySelectorAll('form[data-call], form[data-socket]')) {
    const of = /\/ws\/chat\//.test(other.dataset.path) ? 'rooms' : ID_OF.exec(other.dataset.path)?.[1];
    if (of !== kind) continue;
    const field = other.querySelector('[data-in="path"]');
    if (field && !field.dataset.typed) field.value = found.id;
  }
}
document.addEventListener('input', ({ target }) => {
  if (target.matches('[data-in="path"]')) target.dataset.typed = 'true';
});

/** JSON with line breaks; anything else as it came. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function call(form) {
  const request = described(form);
  const outcome = form.querySelector('[data-outcome]');
  const show = (name, text) => {
    outcome.querySelector(`[data-testid="${name}"]`).textContent = text;
  };
  show('request', asHttp(request));
  show('curl', asCurl(request));
  outcome.querySelectorAll('[data-copy]').forEach((button) => {
    button.onclick = async () => {
      await navigator.clipboard.writeText(TOOLS[button.dataset.copy](request));
      const { textContent } = button;
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = textContent), 1_500);
    };
  });
  for (const name of ['status', 'time', 'headers', 'answer']) show(name, '');
  outcome.hidden = false;
  const start = performance.now();
  try {
    const { url, method, headers, body } = request;
    const response = await fetch(url, { method, headers, body, credentials: 'omit', cache: 'no-store' });
    const text = await response.text();
    show('time', `${(performance.now() - start).toFixed(1)} ms`);
    show('status', String(response.status));
    outcome.querySelector('[data-testid="status"]').dataset.refusal = String(!response.ok);
    show('headers', [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n'));
    show('answer', readable(text));
    if (response.ok && readable(text) !== text) carry(form, JSON.parse(text));
  } catch (error) {
    // No response: show the browser's error.
    show('answer', String(error));
  }
}

for (const form of document.querySelectorAll('form[data-call]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    call(form);
  });
}

// ---- Credentials ----

const signIn = document.querySelector('form[data-sign-in]');

/** The tokens of the user that is not chosen, and what is said of them. */
const others = { A: undefined, B: { access: '', refresh: '', who: undefined } };
for (const button of signIn?.querySelectorAll('[data-user]') ?? []) {
  button.addEventListener('click', () => {
    const next = others[button.dataset.user];
    if (!next) return;
    const status = signIn.querySelector('[data-who]');
    const chosen = signIn.querySelector('[data-user][aria-pressed="true"]');
    others[chosen.dataset.user] = { access: access.value, refresh, who: status.textContent };
    others[button.dataset.user] = undefined;
    chosen.setAttribute('aria-pressed', 'false');
    button.setAttribute('aria-pressed', 'true');
    access.value = next.access;
    refresh = next.refresh;
    status.textContent = next.who ?? status.dataset.nobody;
  });
}

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json', 'Accept-Language': page.lang };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), credentials: 'omit' });
  return { ok: response.ok, answer: await response.json() };
}

/** Stores the tokens of a response, or shows its error. */
function take({ ok, answer }, who) {
  const status = signIn.querySelector('[data-who]');
  if (!ok) {
    status.textContent = answer.error;
    return;
  }
  access.value = answer.access;
  refresh = answer.refresh ?? refresh;
  status.textContent = who ?? status.textContent;
}

signIn?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { username, password } = signIn.elements;
  take(await post('/api/token/', { username: username.value, password: password.value }), username.value);
});

signIn?.querySelector('[data-refresh]').addEventListener('click', async () => {
  take(await post('/api/token/refresh/', { refresh }));
});

signIn?.querySelector('[data-forget]').addEventListener('click', () => {
  access.value = '';
  refresh = '';
  const status = signIn.querySelector('[data-who]');
  status.textContent = status.dataset.nobody;
});

// ---- The list of calls ----

const filter = document.querySelector('[data-filter]');
if (filter) {
  filter.hidden = false;
  filter.addEventListener('input', () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const article of document.querySelectorAll('article.call')) {
      const words = `${article.id} ${article.textContent}`.toLowerCase();
      article.hidden = !words.includes(wanted);
      const line = document.querySelector(`.contents a[href="#${CSS.escape(article.id)}"]`);
      if (line) line.parentElement.hidden = article.hidden;
    }
  });
}

// ---- Sockets ----

/** Maximum number of lines in a log. */
const LINES = 500;
/** More bytes than a frame may have. */
const HUGE = 70_000;

function speak(form) {
  const find = (name) => form.querySelector(`[data-${name}]`);
  const field = (name) => form.querySelector(`[name="${name}"]`);
  const whileOpen = [find('close'), find('binary'), find('huge'), form.querySelector('[type="submit"]')];
  const seen = {};
  let socket;
  /** Whether the socket was opened from a position. */
  let isResumed = false;

  /** `direction` is `>` for sent, `<` for received, `*` for events. */
  function note(direction, text) {
    const line = document.createElement('div');
    line.dataset.direction = direction;
    line.textContent = `${new Date().toISOString().slice(11, 23)} ${direction} ${text}`;
    const log = find('log');
    log.append(line);
    while (log.children.length > LINES) log.firstChild.remove();
    log.scrollTop = log.scrollHeight;
  }

  function set(isOpen, text) {
    for (const button of whileOpen) button.disabled = !isOpen;
    find('open').disabled = isOpen;
    find('state').textContent = text;
  }

  function send(data, shown = data) {
    socket.send(data);
    note('>', shown);
  }

  /** Stores the position to resume from. */
  function remember(text) {
    try {
      const { type, rev, message, last_message_id: last } = JSON.parse(text);
      // After a resume the first frame has the newest position, and what was missed follows it.
      if (type === 'connection_established' && isResumed) return;
      if (Number.isInteger(rev)) seen.after_rev = rev;
      const id = message?.id ?? last;
      if (Number.isInteger(id)) seen.after_id = Math.max(id, seen.after_id ?? 0);
    } catch {
      // Not JSON: no position.
    }
  }

  function open() {
    const url = addressed(form, location.origin.replace(/^http/, 'ws'));
    const how = field('credentials').value;
    const token = access.value.trim();
    if (how === 'query') url.searchParams.append('token', token);
    socket = how === 'protocol' && token ? new WebSocket(url, ['bearer', token]) : new WebSocket(url);
    note('*', url.href);
    isResumed = url.searchParams.has('after_rev') || url.searchParams.has('after_id');
    find('open').disabled = true;
    socket.addEventListener('open', () => {
      set(true, form.dataset.opened);
      if (how === 'frame') send(JSON.stringify({ type: 'authenticate', token }));
    });
    socket.addEventListener('message', ({ data }) => {
      remember(data);
      note('<', data);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      set(false, `${form.dataset.closed} ${code}`);
      note('*', `close ${code} ${reason}`.trim());
    });
  }

  find('open').addEventListener('click', open);
  find('close').addEventListener('click', () => socket.close(1000));
  find('clear').addEventListener('click', () => find('log').replaceChildren());
  find('binary').addEventListener('click', () => send(new Uint8Array([1, 2, 3]), '01 02 03'));
  find('huge').addEventListener('click', () => {
    const content = 'x'.repeat(HUGE);
    send(JSON.stringify({ type: 'chat_message', content }), `chat_message, ${HUGE} B`);
  });
  find('resume').addEventListener('click', () => {
    for (const [name, value] of Object.entries(seen)) {
      const input = field(name);
      // `after_rev` includes messages: one of the two is enough.
      if (input) input.value = name === 'after_id' && 'after_rev' in seen ? '' : value;
    }
  });
  for (const preset of form.querySelectorAll('[data-frame]')) {
    preset.addEventListener('click', () => {
      const { frame, fixed } = preset.dataset;
      field('frame').value = fixed === undefined ? frame : filled(frame);
    });
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(filled(field('frame').value));
  });
}

for (const form of document.querySelectorAll('form[data-socket]')) speak(form);
