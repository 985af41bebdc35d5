import { expect, follow, seen, test } from '../support/guide';
import { Site } from '../support/site';
import { Wire } from '../support/wire';

// The calls of docs/chat/CHAT_GUIDE.md, as a React developer copies them.

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
