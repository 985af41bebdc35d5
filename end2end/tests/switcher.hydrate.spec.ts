import { expectAccessible } from '../support/accessible';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('Ctrl+K leads to a room by a few letters, by the keyboard alone', async ({ people }) => {
  const lin = await people.create('lin');
  const make = (name: string) =>
    lin.api.post<{ id: number }>('/api/chat/rooms/', { name, room_type: 'private' }).then(({ id }) => id);
  const [here, there] = [await make('Frontend guild'), await make('发布计划')];
  const page = await people.open(lin);
  const room = await (await new RoomPage(page).open(here)).live();
  await room.composer.focus();
  await page.keyboard.press('Control+k');
  const search = page.getByRole('combobox');
  await expect(search).toBeFocused();
  const options = page.getByRole('option');
  await expect(options).toHaveCount(2);
  await page.keyboard.press('Escape');
  await expect(search).toBeHidden();
  await expect(room.composer).toBeFocused();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('fg');
  await expect(options).toHaveText([/Frontend guild/]);
  await search.fill('');
  await expect(options).toHaveCount(2);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(options.nth(1)).toHaveAttribute('aria-selected', 'true');
  await search.fill('计划');
  await expect(options).toHaveText([/发布计划/]);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await expect(page.getByRole('heading', { name: '发布计划' }).first()).toBeVisible();
});

test('somebody is found, and the room that one shares with them', async ({ people }) => {
  const [lin, mei, tom] = [await people.create('lin'), await people.create('mei'), await people.create('tom')];
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '两个人', room_type: 'private' });
  await lin.api.post(`/api/chat/rooms/${id}/members/`, { username: mei.username });
  const page = await people.open(lin);
  await page.goto('/notifications');
  await page.getByRole('button', { name: '快速跳转' }).click();
  const options = page.getByRole('option');
  await page.getByRole('combobox').fill(tom.username);
  await expect(page.getByText('没有结果')).toBeVisible();
  await page.getByRole('combobox').fill(mei.username);
  await expect(options).toHaveText([new RegExp(`${mei.username}.*两个人`)]);
  await options.first().click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${id}$`));
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the open switcher has no barrier, ${colorScheme}`, async ({ people }) => {
    const lin = await people.create('lin');
    await lin.api.post('/api/chat/rooms/', { name: '无障碍', room_type: 'private' });
    const page = await people.open(lin);
    await page.emulateMedia({ colorScheme });
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('option')).toHaveCount(1);
    await expectAccessible(page);
  });
}
