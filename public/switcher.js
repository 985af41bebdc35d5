// Ctrl+K: to a room, or to a room with somebody. Fetched when it is first asked for; what matches, and in which order,
// the server says. The words are in the page's template.

let dialog;
let input;
let list;
let none;
let places = [];
let chosen = 0;
let asked;

export function open() {
  if (dialog?.open) return;
  if (!dialog) make();
  input.value = '';
  show([]);
  none.hidden = true;
  // Closing gives the focus back to where it was.
  dialog.showModal();
  find();
}

function make() {
  document.body.append(document.getElementById('switcher').content.cloneNode(true));
  dialog = document.querySelector('dialog.switcher');
  input = dialog.querySelector('input');
  list = dialog.querySelector('[role="listbox"]');
  none = dialog.querySelector('.switcher-none');
  input.addEventListener('input', find);
  input.addEventListener('keydown', pressed);
  list.addEventListener('mousemove', ({ target }) => choose(indexOf(target)));
  list.addEventListener('click', ({ target }) => go(indexOf(target)));
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close();
  });
}

async function find() {
  asked?.abort();
  asked = new AbortController();
  const query = new URLSearchParams({ text: input.value });
  try {
    const answer = await fetch(`/ui/find_places?${query}`, { signal: asked.signal });
    if (answer.ok) show(await answer.json());
  } catch (error) {
    // Asked again meanwhile, or no network: what is shown stays.
    if (error.name !== 'AbortError') none.hidden = places.length > 0;
  }
}

function show(found) {
  places = found;
  list.replaceChildren(...places.map(option));
  none.hidden = places.length > 0;
  choose(0);
}

function option({ title, note, unread, is_person, hue }, index) {
  const face = make_part('span', is_person ? 'avatar avatar-small' : 'avatar avatar-room avatar-small', [...title][0]);
  face.dataset.hue = hue;
  face.setAttribute('aria-hidden', 'true');
  const item = make_part('li', 'switcher-place');
  item.id = `switcher-${index}`;
  item.setAttribute('role', 'option');
  item.append(face, make_part('span', 'switcher-title', title), make_part('span', 'switcher-note', note));
  if (unread > 0) item.append(make_part('span', 'badge', unread > 99 ? '99+' : unread));
  return item;
}

function make_part(tag, name, text = '') {
  const part = document.createElement(tag);
  part.className = name;
  part.textContent = text;
  return part;
}

function pressed(event) {
  // An Enter that confirms an input method's candidate chooses nothing.
  if (event.isComposing || event.keyCode === 229) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && places.length > 0) {
    event.preventDefault();
    choose((chosen + steps[event.key] + places.length) % places.length);
  } else if (event.key === 'Enter') {
    event.preventDefault();
    go(chosen);
  }
}

function choose(index) {
  if (index < 0) return;
  chosen = index;
  for (const [place, item] of [...list.children].entries()) {
    item.setAttribute('aria-selected', String(place === chosen));
    if (place === chosen) item.scrollIntoView({ block: 'nearest' });
  }
  if (places.length > 0) input.setAttribute('aria-activedescendant', `switcher-${chosen}`);
  else input.removeAttribute('aria-activedescendant');
}

function indexOf(target) {
  return [...list.children].indexOf(target.closest('[role="option"]'));
}

function go(index) {
  const place = places[index];
  if (!place) return;
  dialog.close();
  // A link, so that a live page goes there without leaving.
  const link = document.createElement('a');
  link.href = place.path;
  document.body.append(link);
  link.click();
  link.remove();
}
