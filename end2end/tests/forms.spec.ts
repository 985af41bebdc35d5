import type { Page } from '@playwright/test';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// What must work with a script and without: each of these runs twice.

const field = (page: Page, name: string) => page.locator(`[name="${name}"]`);
const submit = (page: Page, name: string) =>
  page.locator('form', { has: field(page, name) }).locator('button[type="submit"]').click();

test('somebody signs up, makes a room, writes, and finds it again after a reload', async ({ page }) => {
  const name = `ada_${process.pid}_${Date.now()}`;
  await page.goto('/sign-up');
  await field(page, 'username').fill(name);
  await field(page, 'password').fill('correct-horse-battery-9');
  await submit(page, 'password');
  await expect(page).toHaveURL(/\/rooms/);

  await page.goto('/rooms/new');
  await field(page, 'name').fill('茶水间');
  await submit(page, 'name');
  await expect(page).toHaveURL(/\/rooms\/\d+$/);

  const room = new RoomPage(page);
  await room.composer.fill('大家好 <b>hello</b>');
  await room.send.click();
  await expect(room.message('大家好 <b>hello</b>')).toBeVisible();
  await expect(room.composer).toHaveValue('');
  await page.reload();
  await expect(room.message('大家好 <b>hello</b>')).toHaveCount(1);
});

test('a wrong password is refused in one clear sentence, and the name stays typed', async ({ page, people }) => {
  const { username } = await people.create('bob');
  await page.goto('/sign-in');
  await field(page, 'username').fill(username);
  await field(page, 'password').fill('not the password');
  await submit(page, 'password');
  await expect(page.getByRole('alert')).toContainText('用户名或密码');
  await expect(field(page, 'username')).toHaveValue(username);
  await expect(field(page, 'password')).toHaveValue('');
  await expect(page).toHaveURL(/\/sign-in/);
});

test('whoever signs out is out', async ({ people }) => {
  const page = await people.open(await people.create('eve'));
  await page.getByText('eve_').first().click();
  await page.getByRole('button', { name: '退出登录' }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await page.goto('/rooms');
  await expect(page).toHaveURL(/\/sign-in/);
});

test('the demo account comes in with one click', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByRole('button', { name: '用演示账号进入' }).click();
  await expect(page).toHaveURL(/\/rooms/);
  await expect(page.getByText('developer').first()).toBeVisible();
});

test('a public room is found, joined and read', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const name = `发布 ${lin.username}`;
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name, room_type: 'public' });
  await lin.api.post(`/api/chat/rooms/${id}/messages/`, { content: '三点上线' });
  const page = await people.open(mei);
  await page.getByRole('link', { name: '浏览房间' }).first().click();
  await page.getByRole('searchbox').fill(name);
  await page.getByRole('searchbox').press('Enter');
  await expect(page.getByTestId('public-room')).toHaveCount(1);
  await page.getByRole('link', { name }).click();
  await expect(page.getByText('三点上线')).toHaveCount(0);
  await page.getByRole('button', { name: '加入房间' }).first().click();
  await expect(new RoomPage(page).message('三点上线')).toBeVisible();
});

test('older messages are a link away', async ({ people }) => {
  const lin = await people.create('lin');
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '长谈', room_type: 'private' });
  for (let n = 1; n <= 60; n += 1) await lin.api.say(id, `第 ${n} 句。`);
  const room = await new RoomPage(await people.open(lin)).open(id);
  await expect(room.message('第 60 句。')).toBeVisible();
  await expect(room.message('第 1 句。')).toHaveCount(0);
  const first = room.message('第 1 句。');
  const earlier = room.page.getByRole('link', { name: '更早的消息' });
  await expect(async () => {
    // A live page fetches what is near by itself, and the link is gone when there is no more.
    if ((await first.count()) === 0) await earlier.click({ timeout: 1_000 });
    await expect(first).toHaveCount(1, { timeout: 1_000 });
  }).toPass();
});

test('language and theme are chosen on any page and stay', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.goto('/sign-up');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('an address that is none is a page of our own with status 404', async ({ page, troubles }) => {
  troubles.allow(/404/);
  const answer = await page.goto('/no/such/page');
  expect(answer?.status()).toBe(404);
  await expect(page.getByText('找不到这个页面').first()).toBeVisible();
});

test('a session that was open before the restart goes on after it', async ({ app, people }) => {
  const lin = await people.create('lin');
  const page = await people.open(lin);
  // What the page still loads would break off with the server, and be noted.
  await page.waitForLoadState('networkidle');
  await app.stop();
  await app.start();
  await page.goto('/rooms');
  await expect(page).toHaveURL(/\/rooms$/);
  await expect(page.getByText(lin.username).first()).toBeVisible();
});
