import type { Page } from '@playwright/test';
import { Api } from '../support/api';
import type { App } from '../support/app';
import { expect, test } from '../support/test';

// One's own account. Plain forms: each of these runs with a script and without.

const NEW_PASSWORD = 'another-horse-battery-7';

const change = async (page: Page, old: string, next: string) => {
  await page.getByLabel('当前密码', { exact: true }).fill(old);
  await page.getByLabel('新密码', { exact: true }).fill(next);
  await page.getByRole('button', { name: '更改密码' }).click();
};

const tokens = async (app: App, path: string, body: unknown) => {
  const headers = { 'Content-Type': 'application/json', 'User-Agent': 'archive-bot/2.1' };
  const answer = await fetch(`${app.url}/api/${path}/`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as { access?: string; refresh?: string } };
};

test('names are changed and shown from then on', async ({ people }) => {
  const lin = await people.create('lin');
  const page = await people.open(lin);
  await page.getByText(lin.username).first().click();
  await page.getByRole('link', { name: '设置' }).click();
  await expect(page).toHaveURL(/\/settings$/);
  await page.getByLabel('姓氏').fill('林');
  await page.getByLabel('名字').fill('晓');
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page.getByRole('status')).toHaveText('姓名已保存。');
  await expect(page.locator('.me')).toContainText('林晓');
  expect(await lin.api.get('/api/me/')).toMatchObject({ first_name: '晓', last_name: '林' });
});

test('a password is changed by whoever knows the old one, and everything else is signed out', async ({ app, people, troubles }) => {
  troubles.allow(/401/);
  const lin = await people.create('lin');
  const [page, other] = [await people.open(lin), await people.open(lin)];
  await page.goto('/settings');
  await change(page, 'not the password', NEW_PASSWORD);
  await expect(page.locator('#old_password-problem')).toHaveText('密码不对。');
  await change(page, lin.password, '12345678');
  await expect(page.locator('#password-problem')).toBeVisible();
  expect((await lin.api.get<{ id: number }>('/api/me/')).id).toBe(lin.id);

  await change(page, lin.password, NEW_PASSWORD);
  await expect(page.getByRole('status')).toHaveText('密码已更改，其他设备都已退出。');
  await expect(lin.api.get('/api/me/')).rejects.toThrow('401');
  await other.goto('/rooms');
  await expect(other).toHaveURL(/\/sign-in/);
  await page.goto('/rooms');
  await expect(page).toHaveURL(/\/rooms$/);
  const again = await Api.signIn(app, { ...lin, password: NEW_PASSWORD });
  expect((await again.get<{ id: number }>('/api/me/')).id).toBe(lin.id);
});

test('what an account is open with is listed, and ended one by one or all at once', async ({ app, people }) => {
  const lin = await people.stranger('lin');
  const [page, other] = [await people.open(lin), await people.open(lin)];
  const [first, second] = [await tokens(app, 'token', lin), await tokens(app, 'token', lin)];
  await page.goto('/settings');
  const [sessions, apps] = [page.getByTestId('session'), page.getByTestId('token')];
  await expect(sessions).toHaveText([/当前设备/, /最近使用/]);
  await expect(apps).toHaveText([/archive-bot\/2\.1/, /archive-bot\/2\.1/]);

  await sessions.last().getByRole('button').click();
  await expect(sessions).toHaveCount(1);
  await other.goto('/rooms');
  await expect(other).toHaveURL(/\/sign-in/);

  await apps.first().getByRole('button').click();
  await expect(apps).toHaveCount(1);
  const refreshed = async ({ body }: typeof first) => (await tokens(app, 'token/refresh', { refresh: body.refresh })).status;
  expect([await refreshed(first), await refreshed(second)].sort()).toEqual([200, 401]);

  await page.getByRole('button', { name: '退出其他所有设备和应用' }).click();
  await expect(apps).toHaveCount(0);
  expect([await refreshed(first), await refreshed(second)]).toEqual([401, 401]);
  expect((await tokens(app, 'token/verify', { token: second.body.access })).status).toBe(401);
});
