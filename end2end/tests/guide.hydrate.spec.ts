import type { Page } from '@playwright/test';
import { type Stage, expect, follow, seen, test } from '../support/guide';
import { Wire } from '../support/wire';

// The sockets of docs/chat/CHAT_GUIDE.md, as a React developer copies them.

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
