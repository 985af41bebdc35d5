import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// Text that would be markup, where the server renders it and where the live page takes it over.

const hostile = `</title></textarea></script>"'><b id="hostile">`;

test('a hostile name and description are the literal text, before and after the page is live', async ({ page, people }) => {
  const lin = await people.create('lin');
  const name = `${hostile} &lt;`;
  const description = `${hostile}\n第二行`;
  const room = { name, description, room_type: 'private' };
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', room);
  const other = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '另一个', room_type: 'private' });
  await signIn(page, lin);

  // As the server renders it and the page takes it over.
  await (await new RoomPage(page).open(id)).live();
  await expect(page).toHaveTitle(`${name} · 聊 Liao`);
  await expect(page.getByText(hostile).first()).toBeVisible();
  await expect(page.locator('#hostile')).toHaveCount(0);

  // As the live page renders it itself.
  await page.locator(`a[href="/rooms/${other.id}"]`).first().click();
  await expect(page).toHaveTitle('另一个 · 聊 Liao');
  await page.locator(`a[href="/rooms/${id}"]`).first().click();
  await expect(page).toHaveTitle(`${name} · 聊 Liao`);
  await expect(page.locator('#hostile')).toHaveCount(0);

  // What is edited begins with the very text.
  const live = await new RoomPage(page).live();
  await live.say(hostile);
  await (await live.action(hostile, 'edit')).click();
  await expect(live.composer).toHaveValue(hostile);
  await page.reload();

  await page.goto(`/rooms/${id}/settings`);
  await expect(page.locator('textarea[name="description"]')).toHaveValue(description);
  await expect(page.locator('input[name="name"]')).toHaveValue(name);
  await expect(page.locator('#hostile')).toHaveCount(0);
});
