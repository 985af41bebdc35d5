import { expectAccessible } from '../support/accessible';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no page has a barrier, ${colorScheme}`, async ({ people, page, troubles }) => {
    troubles.allow(/404/);
    const lin = await people.create('lin');
    const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '无障碍', room_type: 'public' });
    await lin.api.post(`/api/chat/rooms/${id}/messages/`, { content: '第一句' });
    await page.emulateMedia({ colorScheme });
    for (const path of ['/sign-in', '/sign-up', '/no/such/page']) {
      await page.goto(path);
      await expectAccessible(page);
    }
    const signedIn = await people.open(lin);
    await signedIn.emulateMedia({ colorScheme });
    const pages = ['/rooms', '/rooms/new', '/rooms/browse', '/notifications', `/rooms/${id}`];
    for (const path of [...pages, `/rooms/${id}/members`, `/rooms/${id}/settings`]) {
      await signedIn.goto(path);
      await expect(signedIn.locator('main')).toBeVisible();
      await expectAccessible(signedIn);
    }
  });
}

test('the keyboard alone leads from sign-in to a message', async ({ people, page }) => {
  const lin = await people.create('lin');
  const name = `键盘 ${lin.username}`;
  await lin.api.post('/api/chat/rooms/', { name, room_type: 'private' });
  await page.goto('/sign-in');
  const tabTo = async (target: () => Promise<boolean>) => {
    for (let step = 0; step < 40; step += 1) {
      if (await target()) return;
      await page.keyboard.press('Tab');
    }
    throw new Error('Tab does not lead there');
  };
  const focused = (selector: string) => page.locator(`${selector}:focus`).count().then((count) => count > 0);
  await tabTo(() => focused('[name="username"]'));
  await page.keyboard.type(lin.username);
  await tabTo(() => focused('[name="password"]'));
  await page.keyboard.type(lin.password);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/rooms/);
  await tabTo(async () => (await page.locator('a:focus').count()) > 0 && (await page.locator('a:focus').innerText()).includes(name));
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/rooms\/\d+/);
  const room = await new RoomPage(page).live();
  await tabTo(() => focused('textarea'));
  await page.keyboard.type('只用键盘');
  await page.keyboard.press('Enter');
  await expect(room.message('只用键盘')).toBeVisible();
});
