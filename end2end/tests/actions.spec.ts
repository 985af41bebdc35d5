import type { Page } from '@playwright/test';
import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

/** The stored texts of a room, newest first. */
interface Stored {
  messages: { id: number; content: string; reply_to: number | null; is_deleted: boolean; is_edited: boolean }[];
}

/** The page on which the message is the one that is meant. */
async function choose(page: Page, room: number, message: number): Promise<RoomPage> {
  await page.goto(`/rooms/${room}?message=${message}`);
  await expect(page.locator(`#message-${message}`)).toHaveClass(/message-target/);
  return new RoomPage(page);
}

test('a link to a message opens there, among what was said around it', async ({ page, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('链接', lin, mei);
  const ids: number[] = [];
  for (let count = 0; count < 70; count += 1) ids.push(await (count % 2 ? lin : mei).api.say(room, `第 ${count} 句。`));
  await signIn(page, lin);
  const opened = await choose(page, room, ids[20]!);
  await opened.inView('第 20 句。');
  await expect(opened.message('第 19 句。')).toBeAttached();
  await expect(opened.message('第 21 句。')).toBeAttached();
  // As it was sent: a live page goes on to fetch what is near.
  const sent = await page.request.get(page.url()).then((answer) => answer.text());
  expect(sent).toContain(`id="message-${ids[21]}"`);
  expect(sent).not.toContain(`id="message-${ids[69]}"`);
  await page.getByTestId('to-newest').click();
  await opened.inView('第 69 句。');
});

test('one answers, edits and deletes a message', async ({ page, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('回复', lin, mei);
  const [hers, own] = [await mei.api.say(room, '三点开会？'), await lin.api.say(room, '好的 好的')];
  const stored = () => lin.api.get<Stored>(`/api/chat/rooms/${room}/messages/`).then(({ messages }) => messages);
  await signIn(page, lin);

  const opened = await choose(page, room, hers);
  await (await opened.action('三点开会？', 'reply')).click();
  await expect(opened.doing).toContainText('三点开会？');
  await opened.composer.fill('可以');
  await opened.send.click();
  const answer = opened.message('可以');
  await expect(answer.getByTestId('quote')).toContainText('三点开会？');
  await expect.poll(async () => (await stored())[0]).toMatchObject({ content: '可以', reply_to: hers });

  await choose(page, room, own);
  await (await opened.action('好的 好的', 'edit')).click();
  await expect(opened.composer).toHaveValue('好的 好的');
  await opened.composer.fill('好的\n三点见');
  await page.getByRole('button', { name: '保存' }).click();
  await expect(opened.message('三点见')).toContainText('已编辑');
  await expect.poll(async () => (await stored())[1]).toMatchObject({ content: '好的\n三点见', is_edited: true });

  await choose(page, room, own);
  await (await opened.action('三点见', 'delete')).click();
  await expect(opened.doing).toContainText('删除这条消息？');
  expect((await stored())[1]).toMatchObject({ is_deleted: false });
  await opened.doing.getByTestId('confirm-delete').click();
  await expect(page.locator(`#message-${own}`)).toContainText('消息已删除');
  await expect.poll(async () => (await stored())[1]).toMatchObject({ is_deleted: true });
});

test('nothing is offered that one may not do', async ({ page, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('权限', lin, mei);
  const [hers, own] = [await lin.api.say(room, '管理员说'), await mei.api.say(room, '成员说')];
  await signIn(page, mei);
  const opened = await choose(page, room, hers);
  await expect(await opened.action('管理员说', 'reply')).toBeVisible();
  for (const name of ['edit', 'delete'] as const) await expect(await opened.action('管理员说', name)).toHaveCount(0);
  await choose(page, room, own);
  for (const name of ['edit', 'delete'] as const) await expect(await opened.action('成员说', name)).toBeVisible();
  // An address alone gives no right either.
  await page.goto(`/rooms/${room}?message=${hers}&do=delete`);
  await expect(opened.composer).toBeVisible();
  await expect(opened.doing).toHaveCount(0);

  await lin.api.patch(`/api/chat/rooms/${room}/members/${mei.id}/`, { is_muted: true });
  await page.goto(`/rooms/${room}?message=${own}`);
  await expect(page.getByText('你已被禁言')).toBeVisible();
  await expect(opened.composer).toHaveCount(0);
  await expect(await opened.action('成员说', 'delete')).toBeVisible();
  for (const name of ['edit', 'reply'] as const) await expect(await opened.action('成员说', name)).toHaveCount(0);
});

test('one sees who has read a message', async ({ page, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('已读', lin, mei);
  const own = await lin.api.say(room, '请看');
  await signIn(page, lin);
  const opened = await choose(page, room, own);
  await (await opened.action('请看', 'readers')).click();
  await expect(page.getByTestId('reader-names')).toHaveText('还没有人读过');
  await mei.api.post(`/api/chat/messages/${own}/read/`);
  await choose(page, room, own);
  await (await opened.action('请看', 'readers')).click();
  await expect(page.getByTestId('reader-names')).toHaveText(mei.username);
});

test('a line shows where one left off', async ({ page, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('新消息', lin, mei);
  const read = await lin.api.say(room, '读过的');
  await mei.api.post(`/api/chat/messages/${read}/read/`);
  await lin.api.say(room, '没读过的');
  await signIn(page, mei);
  await new RoomPage(page).open(room);
  await expect(page.getByTestId('new-line')).toHaveCount(1);
  const order = await page.locator('.timeline li').allInnerTexts();
  const line = order.findIndex((text) => text.trim() === '新消息');
  expect(order[line - 1]).toContain('读过的');
  expect(order[line + 1]).toContain('没读过的');
});
