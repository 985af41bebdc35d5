import { expect, test } from '../support/test';

test('the page of notifications shows a new one by itself', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const { id } = await mei.api.post<{ id: number }>('/api/chat/rooms/', { name: '前台', room_type: 'public' });
  await lin.api.post(`/api/chat/rooms/${id}/join/`);
  const page = await people.open(lin);
  // What the page before opens late is not this page's.
  await page.goto('/notifications', { waitUntil: 'commit' });
  const socket = await page.waitForEvent('websocket');
  await socket.waitForEvent('framereceived');
  await expect(page.getByText('没有人提到你')).toBeVisible();
  await mei.api.post(`/api/chat/rooms/${id}/messages/`, { content: `@${lin.username} 有人吗` });
  await expect(page.getByTestId('notification')).toContainText('有人吗');
  await expect(page.getByTestId('bell')).toHaveAccessibleName('通知，1 条未读');
  await expect(page).toHaveTitle(/^\(1\)/);
});
