// What plain pages gain by a script, and no page needs. It has no words of its own: those are in the page.

// The button that shows the password.
for (const button of document.querySelectorAll('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
  });
}

// The button that asks the browser for leave to show alerts: there only while the browser was not asked.
const mayAsk = () => 'Notification' in window && Notification.permission === 'default';
const showAsking = () => {
  for (const button of document.querySelectorAll('[data-ask-alerts]')) button.hidden = !mayAsk();
};
document.addEventListener('click', async (event) => {
  if (!event.target.closest('[data-ask-alerts]')) return;
  await Notification.requestPermission();
  showAsking();
});
// Where a page is made live, its parts are there for good only afterwards; a menu is opened later still.
document.addEventListener('toggle', showAsking, true);
showAsking();

// Signing out takes along what one has begun to write, and only that: others' drafts in this browser stay theirs.
document.addEventListener('submit', ({ target }) => {
  const { forgets } = target.dataset;
  if (!forgets) return;
  for (const name of Object.keys(localStorage)) if (name.startsWith(forgets)) localStorage.removeItem(name);
});

// Parts of a page that is not live, which the server is asked for anew when something happens.
const fresh = document.querySelector('[data-fresh="notifications"]');
if (fresh) {
  follow();
  // The socket tells of new messages and of changes of the newest. Words that were taken back further up go by this.
  const look = () => document.visibilityState === 'visible' && refresh();
  document.addEventListener('visibilitychange', look);
  setInterval(look, 60_000);
}

async function follow() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  let failures = 0;
  for (;;) {
    const socket = new WebSocket(`${scheme}://${location.host}/ws/notifications/`);
    let due;
    socket.addEventListener('message', ({ data }) => {
      const first = JSON.parse(data).type === 'connection_established';
      // The page as it came is newer than the first line.
      if (first && failures === 0) return;
      failures = 0;
      clearTimeout(due);
      due = setTimeout(refresh, 150);
    });
    const { code } = await new Promise((closed) => socket.addEventListener('close', closed));
    if (code === 4401) return;
    failures += 1;
    await new Promise((done) => setTimeout(done, Math.min(500 * 2 ** failures, 20_000) * (0.5 + Math.random() / 2)));
  }
}

async function refresh() {
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.title = next.title;
  for (const part of document.querySelectorAll('[data-fresh]')) {
    const other = next.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (!other || other.innerHTML === part.innerHTML) continue;
    const focused = part.contains(document.activeElement) && document.activeElement.getAttribute('href');
    part.replaceWith(other);
    if (focused) other.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
}

// Whom one could invite, as one types. Choosing and keys are the browser's own.
for (const input of document.querySelectorAll('[data-candidates]')) {
  let asked;
  input.addEventListener('input', async () => {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams({ room: input.dataset.candidates, text: input.value.replace(/^@/, '') });
    const answer = await fetch(`/ui/candidates?${query}`, { signal: asked.signal }).catch(() => undefined);
    if (!answer?.ok) return;
    const people = await answer.json();
    input.list.replaceChildren(
      ...people.map(({ username, first_name, last_name }) => new Option(`${last_name} ${first_name}`.trim(), username)),
    );
  });
}

// Ctrl+K, or the button that says so: to another room. What it needs is fetched when it is first wanted.
const opensSwitcher = document.querySelector('.shell') !== null;
const openSwitcher = () => import('/switcher.js').then(({ open }) => open());
if (opensSwitcher) {
  document.addEventListener('keydown', (event) => {
    const isMeant = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!isMeant || event.key.toLowerCase() !== 'k') return;
    event.preventDefault();
    openSwitcher();
  });
  document.addEventListener('click', ({ target }) => {
    if (target.closest('[data-switcher]')) openSwitcher();
  });
}

// The service worker is of the same version as the page: the one that its style sheet names.
const version = /^\/pkg\/([^/]+)\//.exec(new URL(document.querySelector('link[rel="stylesheet"]').href).pathname)?.[1];
if (version) navigator.serviceWorker?.register(`/sw.js?${version}`);
