import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import type { Person } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// Put out of a room while one looks at it, and while one looks elsewhere.

const listed = (page: Page, name: string) => page.getByTestId('room').filter({ hasText: name });

const hidden = async (name: string, maker: Person, ...guests: Person[]): Promise<number> => {
  const { id } = await maker.api.post<{ id: number }>('/api/chat/rooms/', { name, room_type: 'private' });
  for (const { username } of guests) await maker.api.post(`/api/chat/rooms/${id}/members/`, { username });
  return id;
};

test('a room that one is put out of elsewhere is gone from the list at once', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [removed, banned, deleted, left, stays] = [
    await hidden('移出', lin, mei),
    await people.together('封禁', lin, mei),
    await people.together('删除', lin, mei),
    await people.together('离开', lin, mei),
    await people.together('留下', lin, mei),
  ];
  // With something unread and without: the count says nothing of one's place.
  await lin.api.say(banned, `@${mei.username} 看这里`);
  const message = await lin.api.say(stays, '只是读过');
  const page = await people.open(mei);
  await expect(page.getByTestId('room')).toHaveCount(5);
  await expect(listed(page, '留下').locator('.badge')).toHaveText('1');

  await lin.api.delete(`/api/chat/rooms/${removed}/members/${mei.id}/`);
  await expect(listed(page, '移出')).toHaveCount(0);
  await lin.api.patch(`/api/chat/rooms/${banned}/members/${mei.id}/`, { is_banned: true });
  await expect(listed(page, '封禁')).toHaveCount(0);
  await lin.api.delete(`/api/chat/rooms/${deleted}/`);
  await expect(listed(page, '删除')).toHaveCount(0);
  await mei.api.post(`/api/chat/rooms/${left}/leave/`);
  await expect(listed(page, '离开')).toHaveCount(0);
  await mei.api.post(`/api/chat/messages/${message}/read/`);
  await expect(listed(page, '留下').locator('.badge')).toHaveCount(0);
  await expect(listed(page, '留下')).toBeVisible();
  const rooms = await mei.api.get<{ id: number }[]>('/api/chat/rooms/?mine=true');
  expect(rooms.map(({ id }) => id)).toEqual([stays]);
});

test('whoever looks at the room is told that they are out, and how it goes on', async ({ people, troubles }) => {
  // The page asks for the room's members when it connects; whoever is put out in that moment gets a refusal.
  troubles.allow(/40[34].*\/ui\/roster/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const open = await people.together('公开', lin, mei);
  const secret = await hidden('私下', lin, mei);
  const closed = await people.together('关闭', lin, mei);
  await lin.api.say(closed, '还能读到');
  const page = await people.open(mei);
  const room = await (await new RoomPage(page).open(open)).live();
  const alert = page.getByRole('alert');

  await lin.api.delete(`/api/chat/rooms/${open}/members/${mei.id}/`);
  await expect(alert).toHaveText('你已不是这个房间的成员。');
  await expect(room.composer).toHaveCount(0);
  await expect(listed(page, '公开')).toHaveCount(0);
  await expectAccessible(page);
  // Into a public room one may come back.
  await page.getByRole('button', { name: '加入房间' }).focus();
  await page.keyboard.press('Enter');
  await expect(room.composer).toBeVisible();
  await room.live();
  await lin.api.patch(`/api/chat/rooms/${open}/members/${mei.id}/`, { is_banned: true });
  await expect(alert).toHaveText('你已被禁止进入该房间。');
  await expect(room.composer).toHaveCount(0);

  // The word belongs to the room that it is about.
  await listed(page, '私下').getByRole('link').click();
  await expect(room.composer).toBeVisible();
  await expect(alert).toHaveCount(0);
  await room.live();
  await page.locator('summary', { hasText: '退出房间' }).click();
  await expectAccessible(page);
  await lin.api.delete(`/api/chat/rooms/${secret}/members/${mei.id}/`);
  await expect(alert).toHaveText('你已不是这个房间的成员。');
  await expect(room.messages).toHaveCount(0);
  await expect(page.getByRole('button', { name: '加入房间' })).toHaveCount(0);
  await expectAccessible(page);

  await page.getByRole('link', { name: '返回房间列表' }).last().click();
  await listed(page, '关闭').getByRole('link').click();
  await expect(room.composer).toBeVisible();
  await room.live();
  await lin.api.delete(`/api/chat/rooms/${closed}/`);
  await expect(alert).toHaveText('房间已关闭，或你已无权访问。');
  await expect(room.message('还能读到')).toBeVisible();
  await expect(room.composer).toHaveCount(0);
  await expect(listed(page, '关闭')).toHaveCount(0);
  await expectAccessible(page);
});
