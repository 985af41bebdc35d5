import { execFileSync } from 'node:child_process';
import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { expect, test } from '../support/test';

/** Opens the test page and signs in as the account that it is filled in with. */
async function signedIn(page: Page): Promise<void> {
  await page.goto('/api/chat/test/');
  await page.getByTestId('sign-in-submit').click();
  await expect(page.getByTestId('who')).toHaveText('developer');
  await expect(page.getByTestId('access')).toHaveValue(/^ey/);
}

/** Makes the call of this form and says what came. */
async function send(form: Locator): Promise<{ status: number; answer: unknown }> {
  await form.getByTestId('send').click();
  await expect(form.getByTestId('status')).toHaveText(/^\d{3}$/);
  await expect(form.getByTestId('time')).toHaveText(/ ms$/);
  const text = (await form.getByTestId('answer').textContent()) ?? '';
  return { status: Number(await form.getByTestId('status').textContent()), answer: text ? JSON.parse(text) : null };
}

/** A room that the page's account has made on the page, and its id. */
async function room(page: Page): Promise<number> {
  const { status, answer } = await send(page.getByTestId('try-create_room'));
  expect(status).toBe(201);
  return (answer as { id: number }).id;
}

test('a tester makes calls, good and bad, and gets them as curl', async ({ page, troubles }) => {
  troubles.allow(/40[0-9]/);
  await signedIn(page);
  const id = await room(page);

  const say = page.getByTestId('try-send_message');
  await say.getByTestId('param-id').fill(String(id));
  await say.getByTestId('body').fill('{"content": "它\'s \\"here\\""}');
  const said = await send(say);
  expect(said).toMatchObject({ status: 201, answer: { content: '它\'s "here"', room: { id } } });
  await expect(say.getByTestId('request')).toContainText(`POST /api/chat/rooms/${id}/messages/`);
  await expect(say.getByTestId('headers')).toContainText('x-request-id');

  // The command does what the page did: a shell reads it and another message is there.
  const curl = (await say.getByTestId('curl').textContent()) ?? '';
  expect(execFileSync('sh', ['-c', `${curl} --silent`], { encoding: 'utf8' })).toContain('201 Created');

  const list = page.getByTestId('try-list_messages');
  await list.getByTestId('param-id').fill(String(id));
  expect(await send(list)).toMatchObject({ status: 200, answer: { total: 2 } });
  await list.getByTestId('param-page').fill('0');
  expect(await send(list)).toMatchObject({ status: 400, answer: { code: 'invalid', fields: { page: [expect.any(String)] } } });

  await say.getByTestId('body').fill('{"content": ');
  expect(await send(say)).toMatchObject({ status: 400, answer: { code: 'parse_error' } });
  await say.getByTestId('with-token').uncheck();
  expect(await send(say)).toMatchObject({ status: 401, answer: { code: 'not_authenticated' } });
  await page.getByTestId('forget').click();
  await expect(page.getByTestId('access')).toHaveValue('');
  expect(await send(list)).toMatchObject({ status: 401 });
});

test('a wrong password is told, and a token is renewed', async ({ page, troubles }) => {
  troubles.allow(/401/);
  await page.goto('/api/chat/test/');
  await page.getByTestId('sign-in-username').fill('nobody-at-all');
  await page.getByTestId('sign-in-submit').click();
  await expect(page.getByTestId('who')).toHaveText('用户名或密码错误。');
  await signedIn(page);
  await page.getByTestId('access').fill('spoilt');
  await page.getByTestId('refresh').click();
  await expect(page.getByTestId('access')).toHaveValue(/^ey/);
});

test('a tester speaks to a room, breaks it, leaves and resumes', async ({ page }) => {
  // Six connections, one after another.
  test.slow();
  await signedIn(page);
  const id = await room(page);
  const socket = page.getByTestId('socket-/ws/chat/{room_id}/');
  const log = socket.getByTestId('log');
  await socket.getByTestId('param-room_id').fill(String(id));
  for (const how of ['protocol', 'frame', 'query']) {
    await socket.getByTestId('clear').click();
    await socket.getByTestId('credentials').selectOption(how);
    await socket.getByTestId('open').click();
    await expect(log).toContainText('connection_established');
    await socket.getByTestId('preset-ping').click();
    await socket.getByTestId('send').click();
    await expect(log).toContainText('"pong"');
    if (how !== 'query') {
      await socket.getByTestId('close').click();
      await expect(socket.getByTestId('state')).toHaveText('已关闭 1000');
    }
  }
  await socket.getByTestId('preset-chat_message').click();
  await socket.getByTestId('send').click();
  await expect(log.locator('[data-direction="<"]', { hasText: 'chat_message' })).toHaveCount(1);
  for (const bad of ['not-json', 'unknown-type', 'no-content', 'wrong-type']) {
    await socket.getByTestId(`bad-${bad}`).click();
    await socket.getByTestId('send').click();
  }
  await socket.getByTestId('bad-binary').click();
  await expect(log.locator('[data-direction="<"]', { hasText: '"error"' })).toHaveCount(5);
  await socket.getByTestId('bad-huge').click();
  await expect(socket.getByTestId('state')).toHaveText('已关闭 1009');
  await expect(log.locator('[data-direction="<"]', { hasText: '"too_large"' })).toHaveCount(1);

  const say = page.getByTestId('try-send_message');
  await say.getByTestId('param-id').fill(String(id));
  await say.getByTestId('body').fill('{"content": "说于离线时"}');
  expect((await send(say)).status).toBe(201);
  await socket.getByTestId('resume').click();
  await expect(socket.getByTestId('param-after_rev')).toHaveValue('1');
  await socket.getByTestId('open').click();
  await expect(log).toContainText('说于离线时');
  await socket.getByTestId('close').click();

  await socket.getByTestId('param-room_id').fill('9007199254740991');
  await socket.getByTestId('open').click();
  await expect(socket.getByTestId('state')).toHaveText('已关闭 4404');
});

test('nothing to begin with has a fixed id, so that each sending stores a message', async ({ page }) => {
  await signedIn(page);
  const id = await room(page);
  const fixed = await page.evaluate(() => {
    const bodies = [...document.querySelectorAll<HTMLTextAreaElement>('form.try textarea[name="body"]')].map(({ value }) => value);
    const frames = [...document.querySelectorAll<HTMLElement>('[data-frame]')].map(({ dataset }) => dataset.frame!);
    const ids = [...bodies, ...frames].flatMap((text) => [...text.matchAll(/"client_id":\s*"([^"]*)"/g)].map(([, id]) => id));
    return { ids: ids.length, fixed: ids.filter((id) => id !== '{{client_id}}') };
  });
  expect(fixed.fixed).toEqual([]);
  expect(fixed.ids).toBeGreaterThan(2);

  const say = page.getByTestId('try-send_message');
  await say.getByTestId('param-id').fill(String(id));
  const [first, second] = [await send(say), await send(say)];
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(await say.getByTestId('curl').textContent()).not.toContain('{{client_id}}');

  const socket = page.getByTestId('socket-/ws/chat/{room_id}/');
  const echoes = socket.getByTestId('log').locator('[data-direction="<"]', { hasText: '"chat_message"' });
  await socket.getByTestId('param-room_id').fill(String(id));
  await socket.getByTestId('open').click();
  await expect(socket.getByTestId('log')).toContainText('connection_established');
  await socket.getByTestId('preset-chat_message').click();
  for (const count of [1, 2]) {
    await socket.getByTestId('send').click();
    await expect(echoes).toHaveCount(count);
  }
  // And the case that ids are for.
  await socket.getByTestId('preset-same-id').click();
  for (const count of [3, 4]) {
    await socket.getByTestId('send').click();
    await expect(echoes).toHaveCount(count);
  }
  const ids = (await echoes.allTextContents()).map((line) => JSON.parse(line.slice(line.indexOf('{'))).message.id);
  expect(new Set(ids).size).toBe(3);
  expect(ids[3]).toBe(ids[2]);
  const list = page.getByTestId('try-list_messages');
  await list.getByTestId('param-id').fill(String(id));
  expect(await send(list)).toMatchObject({ answer: { total: 5 } });
});

test('the socket for notifications answers there too', async ({ page }) => {
  await signedIn(page);
  const socket = page.getByTestId('socket-/ws/notifications/');
  await socket.getByTestId('open').click();
  await expect(socket.getByTestId('log')).toContainText('connection_established');
  await socket.getByTestId('preset-ping').click();
  await socket.getByTestId('send').click();
  await expect(socket.getByTestId('log')).toContainText('"pong"');
  await socket.getByTestId('close').click();
  await expect(socket.getByTestId('state')).toHaveText('已关闭 1000');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the test page, and with it the reference, has no barrier and fits a phone, ${colorScheme}`, async ({ page }) => {
    // The longest page there is.
    test.slow();
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await signedIn(page);
    await room(page);
    await expectAccessible(page);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, 'nothing is wider than the phone').toBeLessThanOrEqual(360);
  });
}

test('ids are carried to the next calls, calls are copied for other tools, and two people take turns', async ({ page, people, troubles }) => {
  troubles.allow(/40[0-9]/);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await signedIn(page);
  const id = await room(page);
  const say = page.getByTestId('try-send_message');
  await expect(say.getByTestId('param-id')).toHaveValue(String(id));
  const said = (await send(say)) as { status: number; answer: { id: number } };
  expect(said.status).toBe(201);
  const edit = page.getByTestId('try-edit_message');
  await expect(edit.getByTestId('param-id')).toHaveValue(String(said.answer.id));
  // What a tester wrote stays.
  const list = page.getByTestId('try-list_messages');
  await list.getByTestId('param-id').fill('7');
  await room(page);
  await expect(list.getByTestId('param-id')).toHaveValue('7');

  await say.getByRole('button', { name: '复制为 fetch' }).click();
  await expect(say.getByRole('button', { name: '已复制' })).toBeVisible();
  const script = (await page.evaluate(() => navigator.clipboard.readText())).replace('await ', 'return ').replace(/;$/, '');
  // Not on the page, whose policy runs no text.
  const fetched = await (new Function(script) as () => Promise<Response>)();
  // The same client_id: stored once.
  expect(fetched.status).toBe(200);
  await say.getByRole('button', { name: '复制为 HTTPie' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("POST 'http://");

  // Somebody else, and back.
  const mei = await people.stranger('mei');
  await page.getByRole('button', { name: 'B', exact: true }).click();
  await expect(page.getByTestId('access')).toHaveValue('');
  await page.getByTestId('sign-in-username').fill(mei.username);
  await page.getByTestId('sign-in-password').fill(mei.password);
  await page.getByTestId('sign-in-submit').click();
  await expect(page.getByTestId('who')).toHaveText(mei.username);
  const me = page.getByTestId('try-me');
  expect(await send(me)).toMatchObject({ answer: { username: mei.username } });
  await page.getByRole('button', { name: 'A', exact: true }).click();
  await expect(page.getByTestId('who')).toHaveText('developer');
  expect(await send(me)).toMatchObject({ answer: { username: 'developer' } });

  await page.getByRole('searchbox').fill('notifications/read_all');
  await expect(page.locator('article.call:visible')).toHaveCount(1);
  await expectAccessible(page);
});
