// The quick switcher (Ctrl+K): to a room, or to a room with a contact. The server searches and sorts; the texts are
// in the page's template.

let dialog;
let input;
let list;
let none;
let targets = [];
let selected = 0;
let request;

export function open() {
  if (dialog?.open) return;
  if (!dialog) build();
  input.value = '';
  show([]);
  none.hidden = true;
  // Closing the dialog restores the focus.
  dialog.showModal();
  find();
}

function build() {
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
  request?.abort();
  request = new AbortController();
  const query = new URLSearchParams({ text: input.value });
  try {
    const response = await fetch(`/ui/find_places?${query}`, { signal: request.signal });
    if (response.ok) show(await response.json());
  } catch (error) {
    // Aborted by a newer request, or no network: keep the results.
    if (error.name !== 'AbortError') none.hidden = targets.length > 0;
  }
}

function show(found) {
  targets = found;
  list.replaceChildren(...targets.map(option));
  none.hidden = targets.length > 0;
  choose(0);
}

function option({ title, note, unread, is_person, hue }, index) {
  const face = makePart('span', is_person ? 'avatar avatar-small' : 'avatar avatar-room avatar-small', [...title][0]);
  face.dataset.hue = hue;
  face.setAttribute('aria-hidden', 'true');
  const item = makePart('li', 'switcher-place');
  item.id = `switcher-${index}`;
  item.setAttribute('role', 'option');
  item.append(face, makePart('span', 'switcher-title', title), makePart('span', 'switcher-note', note));
  if (unread > 0) item.append(makePart('span', 'badge', unread > 99 ? '99+' : unread));
  return item;
}

function makePart(tag, name, text = '') {
  const part = document.createElement(tag);
  part.className = name;
  part.textContent = text;
  return part;
}

function pressed(event) {
  // An Enter that confirms a candidate of an input method does not choose a result.
  if (event.isComposing || event.keyCode === 229) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && targets.length > 0) {
    event.preventDefault();
    choose((selected + steps[event.key] + targets.length) % targets.length);
  } else if (event.key === 'Enter') {
    event.preventDefault();
    go(selected);
  }
}

function choose(index) {
  if (index < 0) return;
  selected = index;
  for (const [at, item] of [...list.children].entries()) {
    item.setAttribute('aria-selected', String(at === selected));
    if (at === selected) item.scrollIntoView({ block: 'nearest' });
  }
  if (targets.length > 0) input.setAttribute('aria-activedescendant', `switcher-${selected}`);
  else input.removeAttribute('aria-activedescendant');
}

function indexOf(target) {
  return [...list.children].indexOf(target.closest('[role="option"]'));
}

function go(index) {
  const target = targets[index];
  if (!target) return;
  dialog.close();
  // Clicks a link, so that a live page navigates on the client.
  const link = document.createElement('a');
  link.href = target.path;
  document.body.append(link);
  link.click();
  link.remove();
}
