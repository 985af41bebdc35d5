import type { Page } from '@playwright/test';
import type { Person } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// The list of rooms while one is elsewhere: what happens in other rooms is seen at once.

const room = (person: Person, name: string, room_type = 'public') =>
  person.api.post<{ id: number }>('/api/chat/rooms/', { name, room_type }).then(({ id }) => id);
const say = (person: Person, id: number, content: string) =>
  person.api.post<{ id: number }>(`/api/chat/rooms/${id}/messages/`, { content });
const listed = (page: Page, name: string) => page.getByTestId('room').filter({ hasText: name });
const icon = (page: Page) => page.locator('link[rel="icon"]').getAttribute('href');

test('what is written elsewhere moves its room up, counts, and is gone when read', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await room(lin, '这里'), await room(lin, '那里')];
  for (const id of [here, there]) await mei.api.post(`/api/chat/rooms/${id}/join/`);
  await say(lin, here, '最近的一句');
  const page = await people.open(lin);
  await (await new RoomPage(page).open(here)).live();
  await expect(page).toHaveTitle(/^这里/);
  await expect(page.getByTestId('room').first()).toContainText('这里');

  await say(mei, there, '在吗');
  await expect(page.getByTestId('room').first()).toContainText('那里');
  await expect(listed(page, '那里')).toContainText('在吗');
  await expect(listed(page, '那里').locator('.badge')).toHaveText('1');
  await expect(page).toHaveTitle(/^\(1\) 这里/);
  await expect.poll(() => icon(page)).toBe('/favicon-unread.svg');

  await say(mei, there, `@${lin.username} 看一下`);
  await expect(listed(page, '那里').locator('.badge')).toHaveText(['@', '2']);

  await listed(page, '那里').getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await expect(listed(page, '那里').locator('.badge')).toHaveCount(0);
  await expect(page).toHaveTitle(/^那里/);
  await expect.poll(() => icon(page)).toBe('/favicon.svg');
});

test('a room that is renamed has its new name in the title, the header and the details', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await room(mei, '旧名');
  await lin.api.post(`/api/chat/rooms/${id}/join/`);
  const page = await people.open(lin);
  await (await new RoomPage(page).open(id)).live();
  await expect(page).toHaveTitle('旧名 · 聊 Liao');
  await mei.api.patch(`/api/chat/rooms/${id}/`, { name: '新名' });
  await expect(page).toHaveTitle('新名 · 聊 Liao');
  await expect(page.locator('.conversation h1')).toHaveText('新名');
  await expect(page.locator('.details-about h3')).toHaveText('新名');
});

test('a room that one is brought into is in the list at once', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const mine = await room(lin, '我的');
  const page = await people.open(lin);
  await (await new RoomPage(page).open(mine)).live();
  await expect(page.getByTestId('room')).toHaveCount(1);
  const hidden = await room(mei, '密室', 'private');
  await mei.api.post(`/api/chat/rooms/${hidden}/members/`, { username: lin.username });
  await expect(listed(page, '密室')).toBeVisible();
  await expect(page.getByTestId('bell').locator('.badge')).toHaveText('1');
});

test('what is read in one tab is read in the other', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await room(lin, '这里'), await room(lin, '那里')];
  await mei.api.post(`/api/chat/rooms/${there}/join/`);
  const page = await people.open(lin);
  await (await new RoomPage(page).open(here)).live();
  const { id } = await say(mei, there, '一句');
  await expect(listed(page, '那里').locator('.badge')).toHaveText('1');
  await lin.api.post(`/api/chat/messages/${id}/read/`);
  await expect(listed(page, '那里').locator('.badge')).toHaveCount(0);
});

test('a hidden tab tells of what happens, where that was allowed, and a click leads there', async ({ people, app }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await room(lin, '这里'), await room(lin, '那里')];
  await mei.api.post(`/api/chat/rooms/${there}/join/`);
  const page = await people.open(lin);
  await page.context().grantPermissions(['notifications'], { origin: app.url });
  // What the desk would show is the browser's; here it is only noted.
  await page.addInitScript(() => {
    const shown: unknown[] = [];
    class Told extends EventTarget {
      static permission = 'granted';
      static requestPermission = async () => 'granted';
      onclick: (() => void) | null = null;
      constructor(title: string, options: NotificationOptions) {
        super();
        shown.push({ title, body: options.body, click: () => this.onclick?.() });
      }
      close() {}
    }
    Object.assign(window, { Notification: Told, shown });
  });
  await (await new RoomPage(page).open(here)).live();
  await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true }));
  await say(mei, there, '醒醒');
  const shown = () => page.evaluate(() => (window as unknown as { shown: { title: string; body: string }[] }).shown.map(({ title, body }) => [title, body]));
  await expect.poll(shown).toEqual([['那里', `${mei.username}: 醒醒`]]);
  await page.evaluate(() => (window as unknown as { shown: { click: () => void }[] }).shown[0]!.click());
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
});

test('on a phone one pane has the stage, and there is a way back from each', async ({ people }) => {
  const lin = await people.create('lin');
  const id = await room(lin, '口袋');
  const page = await people.open(lin);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('/rooms');
  await listed(page, '口袋').getByRole('link').click();
  const opened = new RoomPage(page);
  await expect(opened.composer).toBeVisible();
  await expect(page.getByTestId('room').first()).toBeHidden();
  await page.getByRole('link', { name: '详情' }).click();
  await expect(page.getByTestId('members')).toBeVisible();
  await expect(opened.composer).toBeHidden();
  await page.getByRole('link', { name: '返回对话' }).click();
  await expect(opened.composer).toBeVisible();
  await page.getByRole('link', { name: '返回房间列表' }).first().click();
  await expect(listed(page, '口袋')).toBeVisible();
  await expect(page).toHaveURL(/\/rooms$/);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.goto(`/rooms/${id}/members`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});
