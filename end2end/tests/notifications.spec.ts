import { expect, test } from '../support/test';

// The page of notifications: plain forms and links, with a script and without.

test('what is meant for oneself is listed, leads to its message, and is marked one by one', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const { id } = await mei.api.post<{ id: number }>('/api/chat/rooms/', { name: '前台', room_type: 'private' });
  await mei.api.post(`/api/chat/rooms/${id}/members/`, { username: lin.username });
  const said: number[] = [];
  for (const content of ['第一句', '第二句', `@${lin.username} **第三句**`]) {
    said.push((await mei.api.post<{ id: number }>(`/api/chat/rooms/${id}/messages/`, { content })).id);
  }
  const unread = () => lin.api.get<{ count: number }>('/api/chat/notifications/unread_count/').then(({ count }) => count);
  expect(await unread()).toBe(4);

  const page = await people.open(lin);
  // A mention and an invitation; the room's badge has the rest.
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知，2 条未读');
  await page.getByTestId('bell').click();
  await expect(page).toHaveURL(/\/notifications$/);
  const notes = page.getByTestId('notification');
  await expect(notes).toHaveCount(2);
  await expect(notes.first()).toContainText(`${mei.username} 在「前台」提到了你`);
  // As words, in the list of rooms too.
  await expect(notes.first()).toContainText(`@${lin.username} 第三句`);
  await expect(page.getByTestId('room').first()).toContainText(`@${lin.username} 第三句`);
  await expect(notes.first().getByRole('link')).toHaveAttribute('href', `/rooms/${id}?message=${said[2]}`);
  await expect(notes.last()).toContainText('你被邀请进入「前台」');

  await notes.last().getByRole('button', { name: '标为已读' }).click();
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知，1 条未读');
  expect(await unread()).toBe(3);
  // A reply is one too, and what others said is in the rooms.
  await lin.api.say(id, '我说的');
  const mine = await lin.api.say(id, '还有');
  await mei.api.say(id, '回你', mine);
  await page.reload();
  await expect(notes.first()).toContainText(`${mei.username} 在「前台」回复了你`);
  await page.getByRole('link', { name: /^房间 ?1$/ }).click();
  const rooms = page.getByTestId('unread-room');
  await expect(rooms).toHaveCount(1);
  await expect(rooms).toContainText('前台');
  await expect(rooms).toContainText('4 条未读消息');
  await expect(rooms).toContainText(`${mei.username}：回你`);
  await expect(rooms.getByRole('link')).toHaveAttribute('href', `/rooms/${id}`);
});

test('everything is marked as read at once', async ({ people, javaScriptEnabled }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const rooms = await Promise.all(['甲', '乙'].map((name) => people.together(name, mei, lin)));
  for (const room of rooms) await mei.api.say(room, `@${lin.username} 看一下`);
  const unread = () => lin.api.get<{ count: number }>('/api/chat/notifications/unread_count/').then(({ count }) => count);
  const page = await people.open(lin);
  await page.goto('/notifications');
  const markAll = page.getByRole('button', { name: '全部标为已读' });
  await markAll.click();
  if (javaScriptEnabled !== false) {
    // It can be undone for a while, and is done when the page is left.
    await page.getByRole('button', { name: '撤销' }).click();
    await expect(markAll).toBeVisible();
    expect(await unread()).toBe(2);
    await markAll.click();
    await expect(page.getByRole('status').filter({ hasText: '已全部标为已读' })).toBeVisible();
    expect(await unread()).toBe(2);
    await page.goto('/rooms');
  }
  await expect.poll(unread).toBe(0);
  await page.goto('/notifications');
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知');
  await expect(markAll).toHaveCount(0);
  await page.goto('/notifications?show=rooms');
  await expect(page.getByText('所有房间都读完了')).toBeVisible();
});
