import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('a large room has pages of members and finds one by name', async ({ people }) => {
  const lin = await people.create('lin');
  const room = { name: '大厅', room_type: 'private', max_members: 100 };
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', room);
  const guests = [];
  for (let n = 0; n < 51; n += 1) guests.push(await people.stranger('guest'));
  for (const { username } of guests) await lin.api.post(`/api/chat/rooms/${id}/members/`, { username });
  const page = await people.open(lin);
  await page.goto(`/rooms/${id}/members`);
  await expect(page.getByTestId('person')).toHaveCount(50);
  await page.getByRole('link', { name: '更多成员' }).click();
  await expect(page.getByTestId('person')).toHaveCount(2);
  await page.getByRole('searchbox').fill(guests[7]!.username);
  await page.getByRole('searchbox').press('Enter');
  await expect(page.getByTestId('person')).toHaveText([new RegExp(guests[7]!.username)]);
});

test('whoever is alone in a room is led to invite others', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await (await new RoomPage(await people.open(lin)).open(await people.together('独自', lin))).live();
  const invite = room.page.getByTestId('invite-first');
  await invite.click();
  await expect(room.page).toHaveURL(/\/members#username$/);
  await room.page.goBack();
  await expect(invite).toBeVisible();
  // A membership that changes before the socket is open is not told of.
  await room.live();
  const [, id] = /rooms\/(\d+)/.exec(room.page.url())!;
  await mei.api.post(`/api/chat/rooms/${id}/join/`);
  await expect(invite).toHaveCount(0);
});
