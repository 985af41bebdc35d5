// Enhancements of all pages; no page needs them. Texts are in the page.

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

// The button that requests permission for desktop notifications, shown only until the browser was asked.
const mayAsk = () => 'Notification' in window && Notification.permission === 'default';
const showAsking = () => {
  for (const button of document.querySelectorAll('[data-ask-alerts]')) button.hidden = !mayAsk();
};
document.addEventListener('click', async (event) => {
  if (!event.target.closest('[data-ask-alerts]')) return;
  await Notification.requestPermission();
  showAsking();
});
// Hydration may replace the button; the menu that has it is opened later.
document.addEventListener('toggle', showAsking, true);
showAsking();

// Signing out deletes what the user wrote and did not send, but nothing of other users of this browser.
document.addEventListener('submit', (event) => {
  const { forgets, sure } = event.target.dataset;
  if (!forgets) return;
  const prefixes = forgets.split(' ');
  const names = Object.keys(localStorage).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  if (names.length > 0 && !confirm(sure)) event.preventDefault();
  else for (const name of names) localStorage.removeItem(name);
});

/** Minimum time between two loads, in milliseconds: each renders the page, and rooms may be busy. */
const REFRESH_EVERY = 2_000;
let refreshedAt = 0;

// Live regions of static pages: loaded again when a notification frame arrives. Live pages have a socket of their own.
if (document.querySelector('[data-region]') && !document.querySelector('link[rel="modulepreload"]')) {
  follow();
  // The socket sends new messages and changes of the newest one. Changes of older ones are found by this.
  const refreshIfVisible = () => document.visibilityState === 'visible' && refresh();
  document.addEventListener('visibilitychange', refreshIfVisible);
  setInterval(refreshIfVisible, 60_000);
}

async function follow() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  let failures = 0;
  for (;;) {
    const socket = new WebSocket(`${scheme}://${location.host}/ws/notifications/`);
    let due;
    socket.addEventListener('message', ({ data }) => {
      const first = JSON.parse(data).type === 'connection_established';
      // The page is newer than the first connection.
      if (first && failures === 0) return;
      failures = 0;
      due ??= setTimeout(() => {
        due = undefined;
        refresh();
      }, Math.max(150, refreshedAt + REFRESH_EVERY - Date.now()));
    });
    const { code } = await new Promise((closed) => socket.addEventListener('close', closed));
    if (code === 4401) return;
    failures += 1;
    await new Promise((done) => setTimeout(done, Math.min(500 * 2 ** failures, 20_000) * (0.5 + Math.random() / 2)));
  }
}

async function refresh() {
  refreshedAt = Date.now();
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.title = next.title;
  for (const part of document.querySelectorAll('[data-region]')) {
    const other = next.querySelector(`[data-region="${part.dataset.region}"]`);
    if (!other || other.innerHTML === part.innerHTML) continue;
    const focused = part.contains(document.activeElement) && document.activeElement.getAttribute('href');
    part.replaceWith(other);
    if (focused) other.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
}

/** How long what was done can be undone, in milliseconds. */
const UNDO_FOR = 6_000;

/** Storage key of what takes effect when the page is left: browsers do not send every request of a page that goes. */
const LEFT = 'liao-left';
/** The signed-in user, as the page's menu tells them apart. */
const whose = () => document.querySelector('[data-forgets]')?.dataset.forgets;

const left = JSON.parse(sessionStorage.getItem(LEFT) ?? 'null');
sessionStorage.removeItem(LEFT);
// Only by the page that follows at once: what comes later was not meant.
if (left && left.user === whose() && Date.now() - left.at < 3_000) fetch(left.action, { method: 'POST', body: new URLSearchParams(left.body) }).then(refresh);

// What can be undone takes effect when it was not, or when the page is left.
document.addEventListener('submit', (event) => {
  const { undo, done } = event.target.dataset;
  if (!undo) return;
  event.preventDefault();
  const { action } = event.target;
  const body = new URLSearchParams(new FormData(event.target));
  const region = event.target.closest('[data-region]');
  const toast = Object.assign(document.createElement('div'), { className: 'toast', role: 'status' });
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: undo });
  toast.append(done, button);
  document.body.append(toast);
  region?.classList.add('is-done');
  button.focus();
  const end = (sends) => {
    if (!toast.isConnected) return;
    toast.remove();
    if (sends) fetch(action, { method: 'POST', body }).then(refresh, () => location.reload());
    else document.querySelector(`[data-region="${region?.dataset.region}"]`)?.classList.remove('is-done');
  };
  button.addEventListener('click', () => end(false));
  addEventListener('pagehide', () => {
    if (!toast.isConnected) return;
    navigator.sendBeacon(action, body);
    sessionStorage.setItem(LEFT, JSON.stringify({ user: whose(), action, body: body.toString(), at: Date.now() }));
    // The page may be shown again as it is.
    toast.remove();
  }, { once: true });
  setTimeout(() => end(true), UNDO_FOR);
});

// A confirmation is closed by its link, and by Escape. Without scripts the link loads the page again.
const closeConfirmation = () => {
  const confirmation = document.querySelector('details.confirm[open]');
  if (!confirmation) return;
  confirmation.open = false;
  confirmation.querySelector('summary').focus();
};
document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-dismiss]')) return;
  event.preventDefault();
  closeConfirmation();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') closeConfirmation();
});

// Suggestions of users to invite. The browser handles selection and keys of the datalist.
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

// The whole date of a time, in the reader's zone, under the pointer.
document.addEventListener('mouseover', ({ target }) => {
  const time = target.closest?.('time[datetime]');
  if (!time || time.title) return;
  const format = { dateStyle: 'full', timeStyle: 'short' };
  time.title = new Date(time.dateTime).toLocaleString(document.documentElement.lang, format);
});

// What did not load for want of a network is loaded when it is back.
window.addEventListener('online', () => document.querySelector('[data-retry]')?.click());

// Keys of the list of rooms: the arrows move within it, Alt with an arrow opens the next room from anywhere.
document.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const inList = event.target.closest?.('.room-link');
  if (!step || event.defaultPrevented || event.ctrlKey || event.metaKey || !(event.altKey || inList)) return;
  const links = [...document.querySelectorAll('.room-link')];
  const from = links.indexOf(event.altKey ? document.querySelector('.room-link[aria-current]') : inList);
  const next = links[from + step];
  if (!next) return;
  event.preventDefault();
  if (event.altKey) next.click();
  else next.focus();
});

// `?` opens the list of keys, unless somebody writes.
document.addEventListener('keydown', (event) => {
  if (event.key !== '?' || event.defaultPrevented || event.target.closest?.('input, textarea, select')) return;
  document.getElementById('shortcuts-button')?.click();
});

// Ctrl+K, or its button, opens the quick switcher, which is loaded on first use.
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

// The card of a person: at their name, their avatar beside a message, or a mention.
document.addEventListener('click', (event) => {
  const { target } = event;
  const named = target.closest('[data-person]') ?? (target.closest('.message > .avatar') && target.closest('.message').querySelector('[data-person]'));
  const username = named?.dataset.person ?? target.closest('.mention')?.textContent.replace(/^@/, '');
  if (!username || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  import('/person.js').then(({ open }) => open(username, target));
});

// The service worker has the version of the page, taken from the style sheet's URL.
const version = /^\/pkg\/([^/]+)\//.exec(new URL(document.querySelector('link[rel="stylesheet"]').href).pathname)?.[1];
if (version) navigator.serviceWorker?.register(`/sw.js?${version}`);
