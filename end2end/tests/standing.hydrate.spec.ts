import { expectAccessible } from '../support/accessible';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// One's own place in a room, while others change it.

test('whoever is muted may not write, is told so, and goes on where they were when they may again', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('安静', lin, mei);
  const place = `/api/chat/rooms/${id}/members/${mei.id}/`;
  await mei.api.say(id, '我说过的');
  await lin.api.say(id, '别人说的');
  const room = await (await new RoomPage(await people.open(mei)).open(id)).live();
  await expect(await room.action('我说过的', 'edit')).toBeVisible();
  await room.composer.fill('写到一半');

  await lin.api.patch(place, { is_muted: true });
  await expect(room.page.getByRole('status').filter({ hasText: '你已被禁言' })).toBeVisible();
  await expect(room.composer).toHaveCount(0);
  await expect(await room.action('我说过的', 'edit')).toHaveCount(0);
  await expect(await room.action('我说过的', 'reply')).toHaveCount(0);
  // What one wrote one may still take back.
  await expect(await room.action('我说过的', 'delete')).toBeVisible();
  await expect(await room.action('别人说的', 'delete')).toHaveCount(0);
  await expectAccessible(room.page);

  await lin.api.patch(place, { is_muted: false });
  await expect(room.composer).toHaveValue('写到一半');
  await expect(room.page.getByText('你已被禁言')).toHaveCount(0);
  await room.composer.focus();
  await room.page.keyboard.press('Enter');
  await expect(room.message('写到一半')).toHaveAttribute('data-delivery', 'sent');
  const { messages } = await lin.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${id}/messages/`);
  expect(messages.map(({ content }) => content)).toEqual(['写到一半', '别人说的', '我说过的']);
});

test('who begins to answer and is muted answers no more', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('打断', lin, mei);
  await lin.api.say(id, '问题');
  const room = await (await new RoomPage(await people.open(mei)).open(id)).live();
  await (await room.action('问题', 'reply')).click();
  await expect(room.doing).toBeVisible();
  await lin.api.patch(`/api/chat/rooms/${id}/members/${mei.id}/`, { is_muted: true });
  await expect(room.doing).toHaveCount(0);
});

test('with another role come and go the actions on what others wrote', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('升降', lin, mei);
  const place = `/api/chat/rooms/${id}/members/${mei.id}/`;
  await lin.api.say(id, '第一句');
  await lin.api.say(id, '第二句');
  const lins = await (await new RoomPage(await people.open(lin)).open(id)).live();
  const meis = await (await new RoomPage(await people.open(mei)).open(id)).live();
  const invite = meis.page.getByRole('link', { name: '邀请' });
  await expect(await meis.action('第一句', 'reply')).toBeVisible();
  await expect(await meis.action('第一句', 'delete')).toHaveCount(0);
  await expect(invite).toHaveCount(0);

  await lin.api.patch(place, { role: 'moderator' });
  await expect(await meis.action('第一句', 'delete')).toBeVisible();
  await expect(invite).toBeVisible();
  await (await meis.action('第一句', 'delete')).click();
  await meis.doing.getByTestId('confirm-delete').click();
  await expect(lins.messages.first()).toContainText('消息已删除');

  await (await meis.action('第二句', 'delete')).click();
  await expect(meis.doing).toBeVisible();
  await lin.api.patch(place, { role: 'member' });
  await expect(meis.doing).toHaveCount(0);
  await expect(await meis.action('第二句', 'delete')).toHaveCount(0);
  await expect(invite).toHaveCount(0);
  const { messages } = await lin.api.get<{ messages: { is_deleted: boolean }[] }>(`/api/chat/rooms/${id}/messages/`);
  expect(messages.map(({ is_deleted }) => is_deleted)).toEqual([false, true]);
});

test('what changed while the line was down is known when it stands again', async ({ app, people, troubles }) => {
  troubles.allow(/WebSocket connection|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('断线', lin, mei);
  const room = await (await new RoomPage(await people.open(mei)).open(id)).live();
  await app.stop();
  await expect(room.page.getByText('连接已断开')).toBeVisible();
  await room.page.context().setOffline(true);
  await app.start();
  await lin.api.patch(`/api/chat/rooms/${id}/members/${mei.id}/`, { is_muted: true });
  await room.page.context().setOffline(false);
  await expect(room.page.getByText('你已被禁言')).toBeVisible({ timeout: 20_000 });
  await expect(room.composer).toHaveCount(0);
});
