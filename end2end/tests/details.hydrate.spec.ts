import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// The pane beside the conversation, while people come, go and rise.

test('who is here, who comes and goes, and who rises is seen at once', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '走廊', room_type: 'public' });
  const lins = await people.open(lin);
  await (await new RoomPage(lins).open(id)).live();
  const members = lins.getByTestId('members').getByRole('listitem');
  await expect(members).toHaveCount(1);

  await mei.api.post(`/api/chat/rooms/${id}/join/`);
  const meis = members.filter({ hasText: mei.username });
  await expect(meis).toHaveAttribute('data-here', 'false');
  const meisPage = await people.open(mei);
  await (await new RoomPage(meisPage).open(id)).live();
  await expect(meis).toHaveAttribute('data-here', 'true');

  // Nothing is offered that one may not do.
  const settings = meisPage.getByRole('link', { name: '房间设置' });
  await expect(settings).toHaveCount(0);
  await expect(meisPage.getByRole('link', { name: '邀请' })).toHaveCount(0);
  await lin.api.patch(`/api/chat/rooms/${id}/members/${mei.id}/`, { role: 'admin' });
  await expect(meis).toContainText('管理员');
  await expect(settings).toBeVisible();

  await meisPage.goto('about:blank');
  await expect(meis).toHaveAttribute('data-here', 'false');
  await lin.api.delete(`/api/chat/rooms/${id}/members/${mei.id}/`);
  await expect(members).toHaveCount(1);
});
