import { readFile } from 'node:fs/promises';
import type { Browser, Page } from '@playwright/test';
import { type Account, Api } from '../support/api';
import { App } from '../support/app';
import { Site } from '../support/site';
import { expect, test } from '../support/test';
import { Wire } from '../support/wire';

// The JavaScript of docs/chat/CHAT_GUIDE.md, as a React developer copies it, on a page of another site.

const GUIDE = '../docs/chat/CHAT_GUIDE.md';

/** The guide's code as one script for the server at `url`, its functions in the page's global scope. */
async function guide(url: string): Promise<string> {
  const text = await readFile(GUIDE, 'utf8');
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
  expect(blocks.length, 'the guide has code').toBe(3);
  const code = blocks.join('\n').replaceAll(/^export /gm, '').replace('http://localhost:8000', url);
  return `${code}\nObject.assign(window, { signIn, call, send, follow, refreshedTokens: () => tokens });`;
}

/** What a page did with a room: set up by `follow`. */
interface Followed {
  frames: { type: string; message?: { id: number; content: string } }[];
  /** The texts of the newest history, and how often it was given. */
  history: string[];
  loads: number;
  ended: (string | number)[];
  sockets: number;
  stop: () => void;
}

/** A server that a page of `site` may call, and somebody in a room of it. */
class Stage {
  private constructor(
    readonly app: App,
    readonly site: Site,
    readonly lin: Account,
    readonly mei: Api,
    readonly room: number,
  ) {}

  static async set(...settings: string[]): Promise<Stage> {
    const site = await Site.serve(0);
    const app = await App.launch(`--cors-allowed-origins=${site.origin}`, ...settings);
    const [lin, mei] = [await Api.register(app, 'lin', 'correct horse 9'), await Api.register(app, 'mei', 'correct horse 9')];
    const api = await Api.signIn(app, mei);
    const { id } = await api.post<{ id: number }>('/api/chat/rooms/', { name: '茶', room_type: 'public' });
    await (await Api.signIn(app, lin)).post(`/api/chat/rooms/${id}/join/`);
    return new Stage(app, site, lin, api, id);
  }

  /** A page with the guide's code, signed in. Its console may complain: of what the test does to the network. */
  async open(browser: Browser, url = this.app.url, prepare?: (page: Page) => Promise<void>): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    await prepare?.(page);
    await page.goto(this.site.origin);
    // Counts the connections that are not closed.
    await page.evaluate(() => {
      const open = new Set<WebSocket>();
      const Plain = WebSocket;
      window.WebSocket = class extends Plain {
        constructor(url: string | URL) {
          super(url);
          open.add(this);
          this.addEventListener('close', () => open.delete(this));
        }
      };
      Object.assign(window, { open });
    });
    await page.addScriptTag({ content: await guide(url), type: 'module' });
    await page.waitForFunction(() => 'follow' in window);
    await page.evaluate(({ username, password }) => (window as any).signIn(username, password), this.lin);
    return page;
  }

  async close(page: Page): Promise<void> {
    await page.context().close();
    await this.site.close();
    await this.app.remove();
  }
}

/** Follows the room in the page. */
async function follow(page: Page, room: number): Promise<void> {
  await page.evaluate((room) => {
    const seen = { frames: [], history: [], loads: 0, ended: [] } as unknown as Followed;
    const handle = (window as any).follow(room, {
      onHistory: (messages: { content: string }[]) => {
        seen.loads += 1;
        seen.history = messages.map(({ content }) => content);
      },
      onFrame: (frame: Followed['frames'][number]) => seen.frames.push(frame),
      onSignedOut: () => seen.ended.push('signed out'),
      onClosed: (code: number) => seen.ended.push(code),
    });
    Object.assign(window, { seen, handle });
  }, room);
}

const seen = (page: Page) => page.evaluate(() => {
  const { frames, history, loads, ended } = (window as any).seen as Followed;
  const texts = frames.filter(({ type }) => type === 'chat_message').map(({ message }) => message!.content);
  return { texts, history, loads, ended, sockets: (window as any).open.size as number };
});
const texts = (page: Page) => seen(page).then(({ texts }) => texts);

test('follow() begins without a hole and goes on after the network was lost', async ({ browser }) => {
  const stage = await Stage.set();
  await stage.mei.say(stage.room, '之前');
  const wire = await Wire.to(stage.app.url);
  const { url } = wire;
  const page = await stage.open(browser, url);
  // While the first page is on its way somebody writes: it is in neither.
  let written = false;
  await page.route('**/messages/?page=1**', async (route) => {
    const answer = await route.fetch();
    if (!written) await stage.mei.say(stage.room, '正在加载时');
    written = true;
    await route.fulfill({ response: answer });
  });
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ history: ['之前'], texts: ['正在加载时'], loads: 1 });

  await wire.cut();
  await stage.mei.say(stage.room, '断线时');
  const again = await Wire.to(stage.app.url, Number(new URL(url).port));
  await expect.poll(() => texts(page), { timeout: 20_000 }).toEqual(['正在加载时', '断线时']);
  await stage.mei.say(stage.room, '之后');
  await expect.poll(() => texts(page)).toEqual(['正在加载时', '断线时', '之后']);
  expect(await seen(page)).toMatchObject({ loads: 1, ended: [], sockets: 1 });
  await again.cut();
  await stage.close(page);
});

test('follow() that was stopped while it waited stays stopped', async ({ browser }) => {
  const stage = await Stage.set();
  const page = await stage.open(browser);
  await page.clock.install();
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1, sockets: 1 });
  await stage.app.stop();
  await expect.poll(() => seen(page)).toMatchObject({ sockets: 0 });
  await page.evaluate(() => (window as any).handle.stop());
  await stage.app.start();
  await page.clock.runFor(120_000);
  expect(await seen(page)).toMatchObject({ texts: [], ended: [], sockets: 0 });
  // One that goes on is there as a fence: what is told to it would have been told to the other.
  await page.evaluate(() => Object.assign(window, { stopped: (window as any).seen }));
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await stage.mei.say(stage.room, '停止之后');
  await expect.poll(() => texts(page)).toEqual(['停止之后']);
  expect(await page.evaluate(() => (window as any).stopped.frames.length)).toBe(0);
  await stage.close(page);
});

test('follow() outlives its access token, and a refresh that fails once', async ({ browser }) => {
  const stage = await Stage.set('--access-token-lifetime=3s');
  const page = await stage.open(browser);
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  let failed = 0;
  await page.route('**/api/token/refresh/', (route) => (failed++ === 0 ? route.abort('failed') : route.continue()));
  const access = () => page.evaluate(() => (window as any).refreshedTokens().access as string);
  const first = await access();
  // Longer than the token's life, whose end is told in whole seconds; then the server is new and asks for it.
  await page.waitForTimeout(4_100);
  await stage.app.stop();
  await stage.app.start();
  await expect.poll(access, { timeout: 20_000 }).not.toBe(first);
  expect(failed).toBeGreaterThan(1);
  const mei = await Api.signIn(stage.app, { id: 0, username: 'mei', password: 'correct horse 9' });
  await mei.say(stage.room, '令牌过期之后');
  await expect.poll(() => texts(page), { timeout: 20_000 }).toContain('令牌过期之后');
  expect(await seen(page)).toMatchObject({ ended: [] });
  await stage.close(page);
});

test('follow() says that one is signed out, and ends', async ({ browser }) => {
  const stage = await Stage.set('--access-token-lifetime=3s', '--refresh-token-lifetime=4s');
  const page = await stage.open(browser);
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await page.waitForTimeout(5_100);
  await stage.app.stop();
  await stage.app.start();
  await expect.poll(() => seen(page), { timeout: 20_000 }).toMatchObject({ ended: ['signed out'], sockets: 0 });
  await stage.close(page);
});

test('follow() gives a silent connection up, waits where it is told to, and ends where going on is no use', async ({ browser }) => {
  const stage = await Stage.set();
  let opened = 0;
  // The first connection says nothing after its first frame, nor does it answer; the others are closed at once.
  const codes = [4408, 4429, 1009];
  const page = await stage.open(browser, stage.app.url, (page) =>
    page.routeWebSocket(/\/ws\/chat\//, (socket) => {
      opened += 1;
      if (opened > 1) return void socket.close({ code: codes[opened - 2] });
      socket.connectToServer().onMessage((frame) => {
        if (String(frame).includes('connection_established')) socket.send(frame);
      });
      socket.onMessage(() => {});
    }),
  );
  await page.clock.install();
  await follow(page, stage.room);
  await expect.poll(() => seen(page)).toMatchObject({ loads: 1 });
  await page.clock.runFor(24_000);
  expect(opened).toBe(1);
  await page.clock.runFor(13_000);
  await expect.poll(() => opened, 'silence').toBe(2);
  await page.clock.runFor(1_000);
  await expect.poll(() => opened, '4408: at once').toBe(3);
  await page.clock.runFor(4_000);
  expect(opened, '4429: not yet').toBe(3);
  await page.clock.runFor(2_000);
  await expect.poll(() => opened, '4429: later').toBe(4);
  await expect.poll(() => seen(page)).toMatchObject({ ended: [1009], sockets: 0 });
  await page.clock.runFor(120_000);
  expect(opened, '1009: no more').toBe(4);
  await stage.close(page);
});

test('call() asks for a new token where that helps, once for many, and send() waits as it is told', async ({ browser }) => {
  const stage = await Stage.set('--access-token-lifetime=3s');
  const page = await stage.open(browser);
  let refreshes = 0;
  page.on('request', (request) => (refreshes += Number(request.method() === 'POST' && request.url().endsWith('/api/token/refresh/'))));
  await page.waitForTimeout(4_100);
  const me = await page.evaluate(() => Promise.all([1, 2, 3].map(() => (window as any).call('/api/me/'))));
  expect(me.map(({ username }) => username)).toEqual(['lin', 'lin', 'lin']);
  expect(refreshes).toBe(1);

  let tries = 0;
  await page.route('**/messages/', async (route) => {
    tries += 1;
    const cors = { 'Access-Control-Allow-Origin': stage.site.origin, 'Access-Control-Expose-Headers': 'Retry-After' };
    if (tries === 1) return route.abort('failed');
    if (tries === 2) return route.fulfill({ status: 429, headers: { ...cors, 'Retry-After': '3' }, json: { error: '太快了', code: 'throttled' } });
    return route.continue();
  });
  const took = await page.evaluate(async (room) => {
    const start = performance.now();
    const { content } = await (window as any).send(room, '一次');
    return { content, ms: performance.now() - start };
  }, stage.room);
  expect(took.content).toBe('一次');
  expect(took.ms).toBeGreaterThan(3_000);
  // The first token of hers has ended too.
  const mei = await Api.signIn(stage.app, { id: 0, username: 'mei', password: 'correct horse 9' });
  const { total } = await mei.get<{ total: number }>(`/api/chat/rooms/${stage.room}/messages/`);
  expect(total).toBe(1);

  await page.route('**/api/me/', (route) => route.fulfill({
    status: 401,
    headers: { 'Access-Control-Allow-Origin': stage.site.origin },
    json: { error: 'User is inactive', code: 'user_inactive' },
  }));
  const before = refreshes;
  const refused = await page.evaluate(() => (window as any).call('/api/me/').catch(({ code, status }: any) => [status, code]));
  expect(refused).toEqual([401, 'user_inactive']);
  expect(refreshes).toBe(before);
  await stage.close(page);
});
