import type { WebSocketRoute } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('a file that comes in while one reads is shown at once, and its words go when it is deleted', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('文件', lin, mei);
  const room = await (await new RoomPage(await people.open(lin)).open(id)).live();
  const file = { message_type: 'file', content: 'a.pdf', file_name: 'a.pdf', file_url: 'https://files.example.org/a.pdf' };
  const sent = await mei.api.post<{ id: number }>(`/api/chat/rooms/${id}/messages/`, file);
  await expect(room.page.getByTestId('file')).toHaveAttribute('href', file.file_url);
  await mei.api.delete(`/api/chat/messages/${sent.id}/delete/`);
  await expect(room.messages).toHaveText(/消息已删除/);
  await expect(room.page.getByTestId('file')).toHaveCount(0);
});

test("the server's own words are a line without an author", async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('系统', lin, mei);
  await mei.api.say(id, '之前');
  const page = await people.open(lin);
  // No call makes the server say something yet: the frame is put in on the way.
  let line: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/ws\/$/, (socket) => {
    socket.connectToServer();
    line = socket;
  });
  const room = await (await new RoomPage(page).open(id)).live();
  const at = new Date().toISOString().replace('Z', '000Z');
  const sender = { id: mei.id, username: mei.username, first_name: '', last_name: '' };
  const message = { id: 900_000, content: '梅 加入了 **房间**', message_type: 'system', timestamp: at, created_at: at, sender, reply_to: null, is_edited: false, is_deleted: false };
  line!.send(JSON.stringify({ type: 'chat_message', room_id: id, rev: 900_000, message }));
  const words = room.message('加入了 **房间**');
  await expect(words).toBeVisible();
  await expect(words.locator('.message-author, .avatar')).toHaveCount(0);
  await words.hover();
  await expect(words.getByTestId('actions')).toHaveCount(0);
  await expectAccessible(page);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`a file is a barrier to nobody, ${colorScheme}`, async ({ page, people }) => {
    const lin = await people.create('lin');
    const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '文件', room_type: 'private' });
    const report = { content: '季度报告', file_url: 'https://files.example.org/x/9f3', file_name: 'Q3-report.pdf' };
    await lin.api.post(`/api/chat/rooms/${id}/messages/`, { message_type: 'file', file_size: 23_456_789, ...report });
    await page.emulateMedia({ colorScheme });
    await signIn(page, lin);
    await new RoomPage(page).open(id);
    await expect(page.getByRole('link', { name: /文件 ?Q3-report/ })).toBeVisible();
    await expectAccessible(page);
  });
}
