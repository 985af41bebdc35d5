// The card of a person, opened at a name. The server says what there is to say; the texts are in the page's template.

let card;
let request;

/** Opens the card of the user with this username, beside `anchor`. */
export async function open(username, anchor) {
  card ??= build();
  request?.abort();
  request = new AbortController();
  const room = /^\/rooms\/(\d+)/.exec(location.pathname)?.[1];
  const query = new URLSearchParams({ room, username });
  let person;
  try {
    const answer = await fetch(`/ui/person?${query}`, { signal: request.signal });
    if (!answer.ok) return;
    person = await answer.json();
  } catch {
    // Another card was asked for, or there is no network.
    return;
  }
  // Another room was opened meanwhile.
  if (!anchor.isConnected) return;
  show(person ?? { name: username, username, hue: 1, notes: [] }, person !== null);
  card.showPopover();
  place(anchor);
  card.querySelector('button:not([hidden])')?.focus();
}

function build() {
  document.body.append(document.getElementById('person').content.cloneNode(true));
  const built = document.querySelector('.person-card');
  built.querySelector('button').addEventListener('click', () => {
    built.hidePopover();
    mention(built.dataset.username);
  });
  return built;
}

function show({ name, username, hue, notes }, isMember) {
  card.dataset.username = username;
  const avatar = card.querySelector('.avatar');
  avatar.dataset.hue = hue;
  avatar.textContent = [...name][0];
  card.querySelector('h2').textContent = name;
  card.querySelector('.person-card-username').textContent = `@${username}`;
  card.querySelector('.person-card-notes').textContent = notes.join(' · ');
  card.querySelector('.person-card-gone').hidden = isMember;
  card.querySelector('button').hidden = !isMember || !document.getElementById('composer');
}

/** Below the anchor, or above it where there is no room. On phones the style sheet has it at the foot of the page. */
function place(anchor) {
  const at = anchor.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const below = at.bottom + 4;
  card.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  card.style.top = `${below + height > innerHeight - 8 ? Math.max(8, at.top - height - 4) : below}px`;
}

/** Puts the mention where the caret is. */
function mention(username) {
  const composer = document.getElementById('composer');
  const { value, selectionStart, selectionEnd } = composer;
  const space = selectionStart > 0 && !/\s$/.test(value.slice(0, selectionStart)) ? ' ' : '';
  composer.focus();
  composer.setRangeText(`${space}@${username} `, selectionStart, selectionEnd, 'end');
  composer.dispatchEvent(new InputEvent('input', { bubbles: true }));
}
