import { expect, test } from '../support/test';

// The page of notifications: plain forms and links, with a script and without.

test('notifications are listed, lead to their message, and are marked one by one or all', async ({ people }) => {
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
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知，4 条未读');
  await page.getByTestId('bell').click();
  await expect(page).toHaveURL(/\/notifications$/);
  const notes = page.getByTestId('notification');
  await expect(notes).toHaveCount(4);
  await expect(notes.first()).toContainText(`${mei.username} 在「前台」提到了你`);
  // As words, in the list of rooms too.
  await expect(notes.first()).toContainText(`@${lin.username} 第三句`);
  await expect(page.getByTestId('room').first()).toContainText(`@${lin.username} 第三句`);
  await expect(notes.nth(1).getByRole('link')).toHaveAttribute('href', `/rooms/${id}?message=${said[1]}`);
  await expect(notes.last()).toContainText('你被邀请进入「前台」');

  await notes.last().getByRole('button', { name: '标为已读' }).click();
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知，3 条未读');
  expect(await unread()).toBe(3);
  await page.getByRole('link', { name: '未读 3' }).click();
  await expect(notes).toHaveCount(3);
  await page.getByRole('button', { name: '全部标为已读' }).click();
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知');
  expect(await unread()).toBe(0);
  await page.goto('/notifications?show=unread');
  await expect(page.getByText('暂时没有新通知')).toBeVisible();
});
