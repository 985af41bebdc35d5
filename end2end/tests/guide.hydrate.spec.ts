import type { Page } from '@playwright/test';
import { Api } from '../support/api';
import { type Shown, type Stage, expect, follow, seen, test } from '../support/guide';
import { Site } from '../support/site';
import { Wire } from '../support/wire';

// The JavaScript of docs/chat/CHAT_GUIDE.md and of REACT.md, as a React developer copies it.

/** The newest page of a room's history. */
const HISTORY = '**/messages/?page=1**';
const REFRESH = '**/api/token/refresh/';

/** A promise, and how to keep it. */
function promise() {
  let keep = () => {};
  const kept = new Promise<void>((resolve) => (keep = resolve));
  return { kept, keep };
}

/** Asserts that what the page followed is over: no socket is opened, and nothing is told to it. Time is the page's clock. */
async function expectOver(page: Page, stage: Stage): Promise<void> {
  // What the page has asked for before is answered before this.
  await page.evaluate(() => window.chat.call('/api/me/'));
  const { frames, loads, ended } = await page.evaluate(() => {
    Object.assign(window, { over: window.seen });
    return window.seen;
  });
  const { opened } = await seen(page);
  await page.clock.runFor(120_000);
  expect(await seen(page)).toMatchObject({ opened, open: 0 });
  // One that goes on is there as a fence: what is told to it would have been told to the other.
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await stage.say('这时已经停止');
  await expect.poll(() => seen(page), { timeout: 20_000 }).toMatchObject({ texts: ['这时已经停止'] });
  const told = await page.evaluate(() => (window as unknown as { over: Window['seen'] }).over);
  expect(told).toMatchObject({ frames, loads, ended });
}

test('follow() begins without a hole and goes on after the network was lost', async ({ stage }) => {
  const on = await stage();
  await on.say('之前');
  const wire = await Wire.to(on.app.url);
  const { url } = wire;
  const page = await on.open(url);
  // While the first page is on its way somebody writes: it is in neither.
  let written = false;
  await page.route(HISTORY, async (route) => {
    const answer = await route.fetch();
    if (!written) await on.say('正在加载时');
    written = true;
    await route.fulfill({ response: answer });
  });
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ history: ['之前'], texts: ['正在加载时'], loads: 1 });

  await wire.cut();
  await on.say('断线时');
  const again = await Wire.to(on.app.url, Number(new URL(url).port));
  await expect.poll(() => seen(page), { timeout: 20_000 }).toMatchObject({ texts: ['正在加载时', '断线时'] });
  await on.say('之后');
  await expect.poll(() => seen(page)).toMatchObject({ texts: ['正在加载时', '断线时', '之后'], loads: 1, ended: [], open: 1 });
  await again.cut();
});

test('whatever was missed, edits and deletions too, merge() makes of it what the server has', async ({ stage }) => {
  const on = await stage();
  let wire = await Wire.to(on.app.url);
  const { url } = wire;
  const mei = await on.asMei();
  const change = async (round: number, when: string) => {
    const [edited, deleted] = [await mei.say(on.room, `${round} ${when}，要改`), await mei.say(on.room, `${round} ${when}，要删`)];
    await mei.patch(`/api/chat/messages/${edited}/`, { content: `${round} ${when}，改过` });
    return async () => {
      await mei.patch(`/api/chat/messages/${edited}/`, { content: `${round} ${when}，又改过` });
      await mei.delete(`/api/chat/messages/${deleted}/delete/`);
    };
  };
  const page = await on.open(url);
  // What is in the first page may be newer than the frames that waited for it.
  const loading = await change(0, '加载之前');
  await page.route(HISTORY, async (route) => {
    const during = await change(0, '加载时');
    await during();
    const answer = await route.fetch();
    await loading();
    await route.fulfill({ response: answer });
  });
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  for (let round = 1; round <= 3; round += 1) {
    const online = await change(round, '在线');
    await wire.cut();
    await online();
    await (await change(round, '离线'))();
    const fence = await mei.say(on.room, `${round} 完`);
    wire = await Wire.to(on.app.url, Number(new URL(url).port));
    await expect.poll(async () => (await seen(page)).messages.at(-1)?.id, { timeout: 20_000 }).toBe(fence);
  }
  await expect.poll(() => seen(page).then(({ messages }) => messages)).toEqual(await on.stored());
  expect(await seen(page)).toMatchObject({ loads: 1, ended: [] });
  await wire.cut();
});

test('follow() that missed too much starts anew with the newest page', async ({ stage }) => {
  const on = await stage();
  await on.say('早先');
  const wire = await Wire.to(on.app.url);
  const { url } = wire;
  const page = await on.open(url);
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ history: ['早先'], loads: 1 });
  await wire.cut();
  const mei = await on.asMei();
  // More than 1 MiB of text.
  const long = '聊'.repeat(9_990);
  for (let number = 1; number <= 40; number += 1) await mei.say(on.room, `${number}${long}`);
  const again = await Wire.to(on.app.url, Number(new URL(url).port));
  await expect.poll(() => seen(page).then(({ loads }) => loads), { timeout: 20_000 }).toBe(2);
  await on.say('之后');
  await expect.poll(() => seen(page).then(({ messages }) => messages.at(-1)?.content)).toBe('之后');
  const { messages, texts } = await seen(page);
  expect(messages).toEqual(await on.stored());
  expect(texts, 'what is in the page is not pushed too').toEqual(['之后']);
  await again.cut();
});

test('stop() holds while follow() waits for its next try', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1, open: 1 });
  await on.app.stop();
  await expect.poll(() => seen(page)).toMatchObject({ open: 0 });
  await page.evaluate(() => window.handle.stop());
  await on.app.start();
  await expectOver(page, on);
});

test('stop() holds while follow() loads the history', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  const [asked, released] = [promise(), promise()];
  await page.route(HISTORY, async (route) => {
    asked.keep();
    await released.kept;
    await route.continue();
  }, { times: 1 });
  await follow(page, on.room);
  await asked.kept;
  await page.evaluate(() => window.handle.stop());
  const answered = page.waitForResponse(HISTORY);
  released.keep();
  await (await answered).finished();
  await expect.poll(() => seen(page)).toMatchObject({ loads: 0, open: 0 });
  await expectOver(page, on);
});

test('stop() holds while follow() renews its token', async ({ stage }) => {
  const on = await stage('--access-token-lifetime=3s');
  const page = await on.open();
  await page.clock.install();
  const [asked, released] = [promise(), promise()];
  await page.route(REFRESH, async (route) => {
    asked.keep();
    await released.kept;
    await route.continue();
  }, { times: 1 });
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  // The server closes the socket when its token has ended.
  await asked.kept;
  await page.evaluate(() => window.handle.stop());
  const answered = page.waitForResponse(REFRESH);
  released.keep();
  await (await answered).finished();
  await expectOver(page, on);
});

test('follow() outlives its access token, and a refresh that fails once', async ({ stage }) => {
  const on = await stage('--access-token-lifetime=3s');
  const page = await on.open();
  const access = () => page.evaluate(() => window.chat.signedInAs().access as string);
  const first = await access();
  let refreshes = 0;
  await page.route(REFRESH, (route) => (refreshes++ === 0 ? route.abort('failed') : route.continue()));
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await expect.poll(access, { timeout: 20_000 }).not.toBe(first);
  expect(refreshes).toBeGreaterThan(1);
  await on.say('令牌过期之后');
  await expect.poll(() => seen(page), { timeout: 20_000 }).toMatchObject({ texts: ['令牌过期之后'], loads: 1, ended: [] });
});

test('follow() says that one is signed out, and ends', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1, opened: 1 });
  const refresh = await page.evaluate(() => window.chat.signedInAs().refresh as string);
  // From another device, as it were: the page learns of it from the server alone.
  await (await on.asMei()).post('/api/token/blacklist/', { refresh });
  await expect.poll(() => seen(page)).toMatchObject({ ended: ['signed out'], errors: ['token_not_valid'], open: 0 });
  await page.clock.runFor(120_000);
  expect(await seen(page)).toMatchObject({ ended: ['signed out'], opened: 1 });
});

test('signOut() ends the sockets and the tokens', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1, opened: 1 });
  const { access, refresh } = await page.evaluate(() => window.chat.signedInAs());
  await page.evaluate(() => window.chat.signOut());
  await expect.poll(() => seen(page)).toMatchObject({ ended: ['signed out'], open: 0 });
  const code = await page.evaluate(() => window.chat.call('/api/me/').catch(({ code }: { code: string }) => code));
  expect(code).toBe('not_authenticated');
  for (const token of [access, refresh]) {
    const answer = await fetch(`${on.app.url}/api/token/verify/`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    expect(answer.status).toBe(401);
  }
  await page.clock.runFor(120_000);
  expect(await seen(page)).toMatchObject({ opened: 1 });
});

test('follow() gives a silent connection up, and waits as long as the close code asks for', async ({ stage }) => {
  const on = await stage();
  let opened = 0;
  // The first connection says nothing after its first frame, nor does it answer; the others are closed at once.
  const codes = [4408, 4429, 4404];
  const page = await on.open(on.app.url, {
    prepare: async (page) => {
      await page.routeWebSocket(/\/ws\/chat\//, (socket) => {
        opened += 1;
        if (opened > 1) return void socket.close({ code: codes[opened - 2] });
        socket.connectToServer().onMessage((frame) => {
          if (String(frame).includes('connection_established')) socket.send(frame);
        });
        socket.onMessage(() => {});
      });
    },
  });
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await page.clock.runFor(24_000);
  expect(opened).toBe(1);
  await page.clock.runFor(13_000);
  await expect.poll(() => opened, 'silence').toBeGreaterThanOrEqual(2);
  await page.clock.runFor(1_000);
  await expect.poll(() => opened, '4408: at once').toBe(3);
  await page.clock.runFor(8_000);
  expect(opened, '4429: not yet').toBe(3);
  await page.clock.runFor(3_000);
  await expect.poll(() => opened, '4429: later').toBe(4);
  await expect.poll(() => seen(page)).toMatchObject({ ended: [4404], open: 0 });
  await page.clock.runFor(120_000);
  expect(opened, '4404: no more').toBe(4);
});

test('follow() stays with a connection that answers its pings', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  let pongs = 0;
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => (pongs += Number(payload === '{"type":"pong"}'))));
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1, opened: 1 });
  for (let round = 1; round <= 3; round += 1) {
    await page.clock.runFor(26_000);
    await expect.poll(() => pongs).toBe(round);
  }
  await on.say('还在');
  await expect.poll(() => seen(page)).toMatchObject({ texts: ['还在'], opened: 1, open: 1 });
});

test('follow() waits as long as a refused history asks for', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  const cors = { 'Access-Control-Allow-Origin': on.site.origin, 'Access-Control-Expose-Headers': 'Retry-After' };
  const busy = { status: 503, headers: { ...cors, 'Retry-After': '7' }, json: { code: 'unavailable' } };
  await page.route(HISTORY, (route) => route.fulfill(busy), { times: 1 });
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ opened: 1, open: 0 });
  await page.clock.runFor(5_000);
  expect(await seen(page), 'not yet').toMatchObject({ opened: 1 });
  await page.clock.runFor(3_000);
  await expect.poll(() => seen(page)).toMatchObject({ opened: 2, open: 1, loads: 1, ended: [] });
});

test('what is too long is not sent, and a frame that is too large is given up', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  const refused = await page.evaluate(async (room) => {
    const long = '茶'.repeat(10_001);
    const name = (error: Error) => error.name;
    const bySocket = await Promise.resolve().then(() => window.handle.send({ type: 'chat_message', content: long })).catch(name);
    return [await window.chat.send(room, long).catch(name), bySocket];
  }, on.room);
  expect(refused).toEqual(['RangeError', 'RangeError']);
  // As many characters as there may be, each of four bytes.
  const content = '🍵'.repeat(10_000);
  await page.evaluate((content) => window.handle.send({ type: 'chat_message', content }), content);
  await expect.poll(() => seen(page).then(({ texts }) => texts.length)).toBe(1);
  await page.evaluate((content) => window.handle.send({ type: 'chat_message', content, file_name: content }), content);
  await expect.poll(() => seen(page)).toMatchObject({ ended: [1009], errors: ['too_large'], open: 0 });
  await page.clock.runFor(120_000);
  expect(await seen(page)).toMatchObject({ ended: [1009], opened: 1 });
  expect((await on.stored()).map((message) => message.content)).toEqual([content]);
});

test('follow() ends where one is put out of the room, or where there is none', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await page.clock.install();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await (await on.asMei()).delete(`/api/chat/rooms/${on.room}/members/${on.lin.id}/`);
  await expect.poll(() => seen(page)).toMatchObject({ ended: [4403], errors: ['not_a_member'], open: 0 });
  await page.clock.runFor(120_000);
  await follow(page, 987_654_321);
  await expect.poll(() => seen(page)).toMatchObject({ ended: [4404], errors: ['not_found'], opened: 2, open: 0 });
});

test('call() renews the token where that helps, once for many calls', async ({ stage }) => {
  const on = await stage('--access-token-lifetime=3s');
  const page = await on.open();
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/api/token/refresh/')) asked.push(request.url());
  });
  // A socket tells when the token has ended.
  const code = await page.evaluate((url) => new Promise((ended) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/notifications/`, ['bearer', window.chat.signedInAs().access]);
    socket.onclose = ({ code }) => ended(code);
  }), on.app.url);
  expect(code).toBe(4401);
  const me = await page.evaluate(() => Promise.all([1, 2, 3].map(() => window.chat.call('/api/me/'))));
  expect(me.map(({ username }: { username: string }) => username)).toEqual(['lin', 'lin', 'lin']);
  expect(asked).toHaveLength(1);

  await page.route('**/api/me/', (route) => route.fulfill({
    status: 401,
    headers: { 'Access-Control-Allow-Origin': on.site.origin },
    json: { error: 'User is inactive', code: 'user_inactive' },
  }));
  const refused = await page.evaluate(() => window.chat.call('/api/me/').catch(({ code, status }: any) => [status, code]));
  expect(refused).toEqual([401, 'user_inactive']);
  expect(asked).toHaveLength(1);
});

test('send() tries again as long as that helps, and what is sent twice is stored once', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  let tries = 0;
  await page.route('**/messages/', async (route) => {
    tries += 1;
    const cors = { 'Access-Control-Allow-Origin': on.site.origin, 'Access-Control-Expose-Headers': 'Retry-After' };
    if (tries === 1) return route.fulfill({ status: 429, headers: { ...cors, 'Retry-After': '2' }, json: { code: 'throttled' } });
    if (tries > 2) return route.continue();
    // It is stored, and the answer is lost.
    await route.fetch();
    await route.abort('failed');
  });
  const sent = await page.evaluate(async (room) => {
    const start = performance.now();
    const { id, client_id } = await window.chat.send(room, '一次', { clientId: 'one' });
    return { id, client_id, ms: performance.now() - start };
  }, on.room);
  expect(tries).toBe(3);
  expect(sent.ms).toBeGreaterThan(2_000);
  expect(sent.client_id).toBe('one');
  await page.unroute('**/messages/');

  // Once more by REST, and by the socket.
  const again = await page.evaluate(async (room) => (await window.chat.send(room, '两次', { clientId: 'one' })).id, on.room);
  expect(again).toBe(sent.id);
  await page.evaluate(() => window.handle.send({ type: 'chat_message', content: '三次', client_id: 'one' }));
  await expect.poll(() => seen(page)).toMatchObject({ texts: ['一次', '一次'] });
  const reply = await page.evaluate((sent) => window.chat.send(sent.room, '另一条', { replyTo: sent.id }), { room: on.room, id: sent.id });
  expect(reply.reply_to).toBe(sent.id);
  await expect.poll(() => seen(page)).toMatchObject({ texts: ['一次', '一次', '另一条'] });
  expect((await on.stored()).map(({ content }) => content)).toEqual(['一次', '另一条']);
  expect((await seen(page)).messages).toEqual(await on.stored());

  // What does not help is not tried again.
  const refused = await page.evaluate(async () => {
    const stopped = AbortSignal.abort();
    const code = ({ code, name }: any) => code ?? name;
    return [
      await window.chat.send(987_654_321, '没有这个房间').catch(code),
      await window.chat.send(1, '不发了', { signal: stopped }).catch(({ name }: Error) => name),
    ];
  });
  expect(refused).toEqual(['not_found', 'AbortError']);
});

test('newId() is a new one each time, where randomUUID() is missing too', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  const ids: string[] = await page.evaluate(() => {
    const some = () => Array.from({ length: 100 }, () => window.chat.newId());
    const usual = some();
    Object.defineProperty(crypto, 'randomUUID', { value: undefined });
    return [...usual, ...some()];
  });
  expect(new Set(ids).size).toBe(200);
  expect(ids.every((id) => id.length >= 32 && id.length <= 64)).toBe(true);
});

test('a page of the same origin needs no permission, as behind a proxy that leaves the host alone', async ({ stage }) => {
  const on = await stage();
  const wire = await Wire.to(on.app.url);
  // No origin of a development server, and not listed.
  const origin = wire.url.replace('127.0.0.1', 'app.localhost');
  // Its pages would refuse the guide's script, this text does not.
  const page = await on.open(origin, { at: `${origin}/healthz` });
  await follow(page, on.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1, open: 1 });
  await on.say('同源');
  await expect.poll(() => seen(page)).toMatchObject({ texts: ['同源'] });
  await wire.cut();
});

test('where the origin is not allowed the page learns nothing but that', async ({ stage }) => {
  const on = await stage();
  const page = await on.open();
  const foreign = await Site.serve(0, 'stranger.localhost');
  await page.goto(foreign.origin);
  const told = await page.evaluate(async (url) => {
    const rest = await fetch(`${url}/api/me/`).catch((error: Error) => `${error.name}: ${error.message}`);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/notifications/`);
    let opened = false;
    socket.onopen = () => (opened = true);
    const code = await new Promise((closed) => (socket.onclose = ({ code }) => closed(code)));
    return { rest, opened, code };
  }, on.app.url);
  expect(told).toEqual({ rest: 'TypeError: Failed to fetch', opened: false, code: 1006 });
  await page.goto('about:blank');
  await foreign.close();
});

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
