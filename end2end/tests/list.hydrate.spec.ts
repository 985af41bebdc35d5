import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// The list of rooms under the hands of somebody who works with it.

test('reading moves no room, and the open one stays in view', async ({ people }) => {
  test.setTimeout(120_000);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const ids: number[] = [];
  for (let n = 0; n < 30; n += 1) ids.push(await people.together(`房间 ${n}`, lin, mei));
  for (const id of ids) await lin.api.say(id, '一句');
  const page = await people.open(mei);
  const rooms = page.getByTestId('room');
  await expect(rooms.first()).toContainText('房间 29');
  await rooms.nth(3).getByRole('link').click();
  await (new RoomPage(page)).live();
  await expect(rooms.nth(3)).toContainText('房间 26');
  await expect(rooms.nth(3).locator('.badge')).toHaveCount(0);
  // The last one is below the fold.
  await page.goto(`/rooms/${ids[0]}`);
  await expect(rooms.nth(29).getByRole('link')).toBeInViewport();
  await page.goto(`/rooms/${ids[29]}`);
  await (new RoomPage(page)).live();
  await expect(rooms.first().getByRole('link')).toBeInViewport();
});

test('another room is ready to write in, and a draft is seen in the list', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这里', lin, mei), await people.together('那里', lin, mei)];
  await mei.api.say(here, '早');
  await lin.api.say(there, '我说的');
  const page = await people.open(lin);
  const opened = await (await new RoomPage(page).open(here)).live();
  const listed = (name: string) => page.getByTestId('room').filter({ hasText: name });
  await expect(listed('这里')).toContainText(`${mei.username}：早`);
  await expect(listed('那里')).toContainText('我：我说的');
  await opened.composer.fill('还没写完');
  await page.keyboard.press('Alt+ArrowUp');
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await expect(opened.composer).toBeFocused();
  await expect(opened.composer).toHaveValue('');
  await expect(listed('这里')).toContainText('[草稿] 还没写完');
  await page.reload();
  await expect(listed('这里')).toContainText('[草稿] 还没写完');
  await listed('这里').getByRole('link').click();
  await expect(opened.composer).toHaveValue('还没写完');
  await expect(listed('这里')).toContainText('早');
  // A link to a message makes the composer anew; the room is open all the same.
  await opened.message('早').locator('a.message-time').click();
  await expect(page).toHaveURL(/message=/);
  await expect(opened.composer).toHaveValue('还没写完');
  await expect(listed('这里')).not.toContainText('草稿');
  // With arrows through the list.
  await listed('这里').getByRole('link').focus();
  await page.keyboard.press('ArrowUp');
  await expect(listed('那里').getByRole('link')).toBeFocused();
});

test('the list stays live on still pages', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('这里', lin, mei);
  const page = await people.open(lin);
  await page.goto('/settings');
  await mei.api.say(room, '在吗');
  await expect(page.getByTestId('room')).toContainText('在吗');
  await expect(page.getByTestId('room').locator('.badge')).toHaveText('1');
  await expect(page).toHaveTitle(/^\(1\) /);
});

test('a lost network is said at once, and the way back too', async ({ people }) => {
  const lin = await people.create('lin');
  const room = await people.together('这里', lin);
  const page = await people.open(lin);
  const opened = await (await new RoomPage(page).open(room)).live();
  const notice = page.getByText('连接已断开');
  await page.context().setOffline(true);
  await expect(notice).toBeVisible();
  await opened.say('离线写的');
  await page.context().setOffline(false);
  await expect(notice).toHaveCount(0, { timeout: 30_000 });
  await expect(opened.message('离线写的')).toHaveAttribute('data-delivery', 'sent');
});

test('a confirmation can be called off, by its button and by Escape', async ({ people }) => {
  const lin = await people.create('lin');
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '会议室', room_type: 'private' });
  const page = await people.open(lin);
  await page.goto(`/rooms/${id}/settings`);
  const ask = page.locator('summary', { hasText: '删除房间' });
  const sure = page.getByText('确定要删除「会议室」吗');
  await ask.click();
  await expect(sure).toBeVisible();
  await page.getByRole('link', { name: '取消' }).click();
  await expect(sure).toBeHidden();
  await expect(ask).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(sure).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(sure).toBeHidden();
  expect(await lin.api.get(`/api/chat/rooms/${id}/`)).toMatchObject({ is_active: true });
});
