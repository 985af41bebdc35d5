import type { Page, WebSocketRoute } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { signIn, type Person } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// What somebody wrote is kept until the server has it, and is stored once.

const open = async (page: Page, room: number) => (await new RoomPage(page).open(room)).live();
const listed = (page: Page, name: string) => page.getByTestId('room').filter({ hasText: name });

/** What is stored in the room, oldest first. */
const stored = async (person: Person, room: number): Promise<string[]> => {
  const { messages } = await person.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${room}/messages/`);
  return messages.map(({ content }) => content).reverse();
};

/** Number of unsent messages in the browser's storage. */
const kept = (page: Page) => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('liao-unsent-')).length);

/** From the next connection on no message of the page reaches the server, until the returned function is called. */
const holdBack = async (page: Page): Promise<() => void> => {
  let isHeld = true;
  await page.routeWebSocket(/\/ws\/$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      if (!isHeld || !String(frame).includes('"type":"chat_message"')) server.send(frame);
    });
  });
  return () => (isHeld = false);
};

test('what was written without a network goes out when it is back, whatever room is open then', async ({ people, troubles }) => {
  troubles.allow(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这边', lin, mei), await people.together('那边', lin, mei)];
  const page = await people.open(lin);
  await open(page, there);
  const room = await open(page, here);
  const meis = await open(await people.open(mei), here);
  // Both rooms have been seen, so that one can go from one to the other without a network.
  await listed(page, '那边').getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await room.live();
  await listed(page, '这边').getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${here}$`));

  await page.context().setOffline(true);
  await room.say('第一句');
  await room.say('第二句');
  await expect(room.message('第二句')).toHaveAttribute('data-delivery', 'sending');
  await listed(page, '那边').getByRole('link').click();
  await expect(room.message('第二句')).toHaveCount(0);
  await room.say('在那边说的');
  expect(await kept(page)).toBe(3);
  await page.context().setOffline(false);
  await meis.inView('第二句');
  await expect(room.message('在那边说的')).toHaveAttribute('data-delivery', 'sent', { timeout: 20_000 });
  await expect.poll(() => kept(page)).toBe(0);
  await listed(page, '这边').getByRole('link').click();
  await expect(room.message('第二句')).toHaveAttribute('data-delivery', 'sent');
  await expect(room.message('第二句')).toHaveCount(1);
  expect(await stored(mei, here)).toEqual(['第一句', '第二句']);
  expect(await stored(mei, there)).toEqual(['在那边说的']);
});

test('what was not sent before the page was loaded again is sent then, by whichever tab', async ({ people }) => {
  const lin = await people.create('lin');
  const id = await people.together('重新载入', lin);
  const page = await people.open(lin);
  const release = await holdBack(page);
  const room = await open(page, id);
  await room.say('卡住的一句');
  await expect(room.message('卡住的一句')).toHaveAttribute('data-delivery', 'sending');
  await page.reload();
  await room.live();
  await expect(room.message('卡住的一句')).toHaveAttribute('data-delivery', 'sending');
  // Another tab has the same storage and no such trouble.
  const other = await page.context().newPage();
  const there = await open(other, id);
  await expect(there.message('卡住的一句')).toHaveAttribute('data-delivery', 'sent');
  // The first tab learns of it by the room's frame.
  await expect(room.message('卡住的一句')).toHaveAttribute('data-delivery', 'sent');
  await expect(room.message('卡住的一句')).toHaveCount(1);
  await expect.poll(() => kept(page)).toBe(0);
  release();
  await page.reload();
  await room.live();
  await room.say('完了');
  await expect(room.message('完了')).toHaveAttribute('data-delivery', 'sent');
  expect(await stored(lin, id)).toEqual(['卡住的一句', '完了']);
});

test('what the server refuses is kept, to be copied, sent again or given up', async ({ people, troubles }) => {
  troubles.allow(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [id, other] = [await people.together('安静', lin, mei), await people.together('别处', mei)];
  const place = `/api/chat/rooms/${id}/members/${mei.id}/`;
  const page = await people.open(mei);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const room = await open(page, id);
  await page.context().setOffline(true);
  await room.say('值得留下的话');
  await room.say('可以不要的话');
  await lin.api.patch(place, { is_muted: true });
  await page.context().setOffline(false);
  const failed = room.message('值得留下的话');
  await expect(failed).toHaveAttribute('data-delivery', 'failed', { timeout: 20_000 });
  await expect(failed.getByRole('alert')).toContainText('禁言');
  await expect(room.message('可以不要的话')).toHaveAttribute('data-delivery', 'failed');
  await expectAccessible(page);

  // It survives another room and another load of the page, and the list tells of it.
  await page.goto(`/rooms/${other}`);
  await room.live();
  await expect(listed(page, '安静')).toContainText('[未发送] 可以不要的话');
  await listed(page, '安静').getByRole('link').click();
  await expect(failed).toHaveAttribute('data-delivery', 'failed');
  await failed.getByRole('button', { name: '复制文字' }).click();
  await expect(page.getByRole('status').filter({ hasText: '已复制' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('值得留下的话');
  await expect(failed.getByRole('button', { name: '重试' })).toHaveCount(0);
  await room.message('可以不要的话').getByRole('button', { name: '删除' }).click();
  await expect(room.message('可以不要的话')).toHaveCount(0);
  await lin.api.patch(place, { is_muted: false });
  await failed.getByRole('button', { name: '重试' }).click();
  await expect(failed).toHaveAttribute('data-delivery', 'sent');
  await expect(listed(page, '安静')).not.toContainText('未发送');
  expect(await kept(page)).toBe(0);
  expect(await stored(mei, id)).toEqual(['值得留下的话']);
});

test('who was signed out elsewhere is told over the page, and finds everything again', async ({ people, troubles }) => {
  troubles.allow(/401|WebSocket connection/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [id, other] = [await people.together('会话', lin, mei), await people.together('另一间', lin)];
  const page = await people.open(lin);
  const release = await holdBack(page);
  const room = await open(page, id);
  await room.say('还没到的话');
  await room.composer.fill('写到一半');
  const elsewhere = await people.open(lin);
  await elsewhere.goto('/settings');
  await elsewhere.getByRole('button', { name: '退出其他所有设备和应用' }).click();

  const dialog = page.getByTestId('session-ended');
  await expect(dialog).toBeVisible();
  await expect(dialog.getByRole('link', { name: '重新登录' })).toBeFocused();
  await expect(room.message('还没到的话')).toBeVisible();
  await expectAccessible(page);
  release();
  await dialog.getByRole('link', { name: '重新登录' }).click();
  await page.locator('input[name="username"]').fill(lin.username);
  await page.locator('input[name="password"]').fill(lin.password);
  await page.locator('input[name="password"]').press('Enter');
  await page.waitForURL(`**/rooms/${id}`);
  await room.live();
  await expect(room.composer).toHaveValue('写到一半');
  await expect(room.message('还没到的话')).toHaveAttribute('data-delivery', 'sent');
  expect(await stored(mei, id)).toEqual(['还没到的话']);

  // A request may learn of it before the socket does.
  await elsewhere.goto('/rooms');
  await page.routeWebSocket(/\/ws\/$/, () => {});
  await page.goto(`/rooms/${id}`);
  await page.context().clearCookies();
  await page.locator(`.room-link[href="/rooms/${other}"]`).click();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sign-in/);
  await signIn(page, lin);
});

test('a reply and an edit are found again after another room', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [id, other] = [await people.together('回复', lin, mei), await people.together('别处', lin)];
  await mei.api.say(id, '要不要一起吃饭');
  await lin.api.say(id, '原来的话');
  const page = await people.open(lin);
  const room = await open(page, id);
  const leaveAndReturn = async () => {
    await listed(page, '别处').getByRole('link').click();
    await expect(page).toHaveURL(new RegExp(`/rooms/${other}$`));
    await expect(room.composer).toHaveValue('');
    await expect(room.doing).toHaveCount(0);
    await listed(page, '回复').getByRole('link').click();
    await expect(page).toHaveURL(new RegExp(`/rooms/${id}$`));
  };
  await (await room.action('要不要一起吃饭', 'reply')).click();
  await room.composer.fill('好啊');
  await leaveAndReturn();
  await expect(room.composer).toHaveValue('好啊');
  await expect(room.doing).toContainText('要不要一起吃饭');
  await (await room.action('原来的话', 'edit')).click();
  await room.composer.fill('改过的话');
  await leaveAndReturn();
  await expect(room.composer).toHaveValue('改过的话');
  await page.reload();
  await room.live();
  await expect(room.composer).toHaveValue('改过的话');
  await room.composer.press('Enter');
  await expect(room.message('改过的话')).toBeVisible();
  // The reply that was begun before is still there.
  await expect(room.composer).toHaveValue('好啊');
  await leaveAndReturn();
  await expect(room.composer).toHaveValue('好啊');
});

test('nothing is sent in the name of whoever signs in after', async ({ people, troubles }) => {
  troubles.allow(/401|403|WebSocket connection/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('同一个浏览器', lin, mei);
  const page = await people.open(lin);
  let isHeld = true;
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/ws\/$/, (socket) => {
    sockets.push(socket);
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      if (!isHeld || !String(frame).includes('"type":"chat_message"')) server.send(frame);
    });
  });
  const room = await open(page, id);
  await room.say('这是 lin 的话');
  await expect(room.message('这是 lin 的话')).toHaveAttribute('data-delivery', 'sending');
  // Somebody else signs in in another tab, and the first one connects again.
  await page.context().clearCookies();
  const other = await page.context().newPage();
  await signIn(other, mei);
  isHeld = false;
  await sockets.at(-1)!.close({ code: 1001 });
  await expect(page.getByTestId('session-ended')).toBeVisible();
  const theirs = await open(other, id);
  await theirs.say('这是 mei 的话');
  await expect(theirs.message('这是 mei 的话')).toHaveAttribute('data-delivery', 'sent');
  await expect(theirs.message('这是 lin 的话')).toHaveCount(0);
  expect(await stored(mei, id)).toEqual(['这是 mei 的话']);
  // It is still there for its author.
  await page.context().clearCookies();
  await signIn(other, lin);
  const again = await open(other, id);
  await expect(again.message('这是 lin 的话')).toHaveAttribute('data-delivery', 'sent');
  const { messages } = await lin.api.get<{ messages: { content: string; sender: { id: number } }[] }>(`/api/chat/rooms/${id}/messages/`);
  expect(messages.map(({ content, sender }) => [content, sender.id])).toEqual([['这是 lin 的话', lin.id], ['这是 mei 的话', mei.id]]);
});

test('many unsent messages go out in their order, and one that is too long stops none', async ({ people }) => {
  test.setTimeout(90_000);
  const lin = await people.create('lin');
  const id = await people.together('很多', lin);
  const page = await people.open(lin);
  await page.evaluate(
    ([user, room]) => {
      const keep = (client_id: string, content: string, at: number) => {
        const written_at = new Date(1_790_000_000_000 + at).toISOString();
        localStorage.setItem(`liao-unsent-${user}-${client_id}`, JSON.stringify({ client_id, room, content, reply_to: null, written_at }));
      };
      keep('too-long', '长'.repeat(100_000), 0);
      for (let count = 1; count <= 90; count += 1) keep(`many-${count}`, `第 ${count} 句`, count);
      localStorage.setItem(`liao-unsent-${user}-broken`, '{"content":');
    },
    [lin.id, id] as const,
  );
  const room = await open(page, id);
  await expect(room.message('第 90 句')).toHaveAttribute('data-delivery', 'sent', { timeout: 60_000 });
  // The long one is told, and can be given up.
  await expect(page.locator('[data-delivery="failed"]')).toHaveCount(1);
  await page.locator('[data-delivery="failed"]').getByRole('button', { name: '删除' }).click();
  await expect.poll(() => kept(page)).toBe(1);
  const { messages } = await lin.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${id}/messages/?page_size=100`);
  expect(messages.map(({ content }) => content).reverse()).toEqual(Array.from({ length: 90 }, (_, at) => `第 ${at + 1} 句`));
});

test('an edit whose message is far away, and a draft behind a link to answer, are kept', async ({ people }) => {
  const lin = await people.create('lin');
  const [id, other] = [await people.together('远处', lin), await people.together('别处', lin)];
  const far = await lin.api.say(id, '很早的话');
  for (let count = 0; count < 60; count += 1) await lin.api.say(id, `第 ${count} 句`);
  const page = await people.open(lin);
  const room = new RoomPage(page);
  await page.goto(`/rooms/${id}?message=${far}&do=edit`);
  await room.live();
  await room.composer.fill('改了一半');
  await page.locator(`.room-link[href="/rooms/${other}"]`).click();
  await expect(page).toHaveTitle(/别处/);
  await room.live();
  await page.locator(`.room-link[href="/rooms/${id}"]`).click();
  await expect(page).toHaveTitle(/远处/);
  await expect(room.composer).toHaveValue('改了一半');
  await room.composer.pressSequentially('，再写');
  await page.goto(`/rooms/${id}?message=${far}&do=reply`);
  await room.live();
  await expect(room.doing).toContainText('很早的话');
  await expect(room.composer).toHaveValue('改了一半，再写');
});
