import { Api } from '../support/api';
import { type Shown, expect, follow, seen, test } from '../support/guide';

// The hook of docs/chat/REACT.md, as a React developer copies it.

/** A promise, and how to keep it. */
function promise() {
  let keep = () => {};
  const kept = new Promise<void>((resolve) => (keep = resolve));
  return { kept, keep };
}

interface Hook {
  messages: Shown[];
  more: boolean;
  typists: { username: string }[];
}

test('useRoom() shows a room, its past, who types and what one says', async ({ stage }) => {
  const on = await stage();
  const mei = await on.asMei();
  const ids: number[] = [];
  for (let number = 1; number <= 55; number += 1) ids.push(await mei.say(on.room, `第 ${number} 句`));
  const { id: second } = await mei.post<{ id: number }>('/api/chat/rooms/', { name: '另一个', room_type: 'public' });
  await (await Api.signIn(on.app, on.lin)).post(`/api/chat/rooms/${second}/join/`);
  const page = await on.open();
  await page.clock.install();
  const typed: string[] = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => {
    if (String(payload).includes('"typing"')) typed.push(String(payload));
  }));
  const hook = () => page.evaluate(() => {
    const { messages, more, typists } = window.handle as unknown as Hook;
    return { texts: messages.map(({ content }) => content), more, typists: typists.map(({ username }) => username) };
  });
  const shows = (expected: Record<string, unknown>) => expect.poll(hook).toMatchObject(expected);
  await page.evaluate((room) => {
    const ended: unknown[] = [];
    const component = (room: number) => {
      const value = window.chat.useRoom(room, { onSignedOut: () => ended.push('signed out'), onClosed: (code: number) => ended.push(code) });
      Object.assign(window, { handle: value, ended });
      return value;
    };
    Object.assign(window, { root: window.mount(component, room) });
  }, on.room);
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `第 ${from + at} 句`);
  await shows({ texts: numbers(6, 55), more: true });
  const sockets = () => page.evaluate(() => ({ opened: window.sockets.opened, open: window.sockets.open.size }));
  await expect.poll(sockets, 'it was mounted twice').toEqual({ opened: 2, open: 1 });

  // While an older page is on its way, one of its messages is edited.
  await page.route('**/messages/?before_id=**', async (route) => {
    const answer = await route.fetch();
    await mei.patch(`/api/chat/messages/${ids[1]}/`, { content: '第 2 句，改过' });
    await mei.say(on.room, '在这之后');
    await shows({ texts: [...numbers(6, 55), '在这之后'] });
    await route.fulfill({ response: answer });
  });
  // What is called twice at once loads once.
  await page.evaluate(() => Promise.all([1, 2].map(() => (window.handle as any).loadOlder())));
  const all = ['第 1 句', '第 2 句，改过', ...numbers(3, 55), '在这之后'];
  await shows({ texts: all, more: false });

  // The answer to what one says comes after the push, and after an edit by another device.
  const lin = await Api.signIn(on.app, on.lin);
  await page.route('**/messages/', async (route) => {
    const answer = await route.fetch();
    const { id } = (await answer.json()) as { id: number };
    await lin.patch(`/api/chat/messages/${id}/`, { content: '我说的，改过' });
    await shows({ texts: [...all, '我说的，改过'] });
    await route.fulfill({ response: answer });
  }, { times: 1 });
  const said = await page.evaluate(() => (window.handle as any).say('我说的'));
  expect(said.content).toBe('我说的');
  const fence = await mei.say(on.room, '又一句');
  await shows({ texts: [...all, '我说的，改过', '又一句'] });
  await page.evaluate((id) => (window.handle as any).markRead(id), fence);
  const readers = () => mei.get<{ user: { username: string } }[]>(`/api/chat/messages/${fence}/reads/`);
  await expect.poll(readers).toMatchObject([{ user: { username: 'lin' } }]);

  // Mei types, and goes without a word.
  const other = await on.open();
  await other.evaluate(({ username, password }) => window.chat.signIn(username, password), on.mei);
  await follow(other, on.room);
  await expect.poll(() => seen(other)).toMatchObject({ loads: 1 });
  await other.evaluate(() => window.handle.send({ type: 'typing', is_typing: true }));
  await shows({ typists: ['mei'] });
  await page.clock.runFor(4_000);
  await shows({ typists: ['mei'] });
  await page.clock.runFor(3_000);
  await shows({ typists: [] });

  // Lin types, and it is not told at each key.
  await page.evaluate(() => {
    const { setTyping } = window.handle as any;
    for (const isTyping of [true, true, true, false, false]) setTyping(isTyping);
  });
  await page.evaluate(() => (window.handle as any).say('打完了'));
  const typing = () => other.evaluate(() => window.seen.frames.filter(({ type }) => type === 'typing').map((frame: any) => frame.is_typing));
  await expect.poll(typing).toEqual([true, false]);
  expect(typed).toHaveLength(2);

  // Another room: nothing of the first one is left, before its history is there too.
  const [asked, released] = [promise(), promise()];
  await page.route(`**/rooms/${second}/messages/?page=1**`, async (route) => {
    asked.keep();
    await released.kept;
    await route.continue();
  });
  await page.evaluate((room) => (window as any).root.change(room), second);
  await asked.kept;
  await shows({ texts: [], more: false, typists: [] });
  released.keep();
  await mei.say(second, '在另一个房间');
  await shows({ texts: ['在另一个房间'] });
  await expect.poll(sockets).toEqual({ opened: 3, open: 1 });
  await page.evaluate(() => (window as any).root.unmount());
  await expect.poll(sockets).toEqual({ opened: 3, open: 0 });
  await page.clock.runFor(120_000);
  expect(await sockets()).toEqual({ opened: 3, open: 0 });
  expect(await page.evaluate(() => (window as any).ended)).toEqual([]);
});
