import { expectAccessible } from '../support/accessible';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

const GROUPS = {
  talking: ['/rooms', '/rooms/:id'],
  finding: ['/rooms/new', '/rooms/browse', '/notifications'],
  oneself: ['/settings'],
  governing: ['/rooms/:id/members', '/rooms/:id/settings'],
};

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no page for strangers has a barrier, ${colorScheme}`, async ({ page, troubles }) => {
    troubles.allow(/404/);
    await page.emulateMedia({ colorScheme });
    for (const path of ['/sign-in', '/sign-up', '/no/such/page', '/offline']) {
      await page.goto(path);
      await expectAccessible(page);
    }
  });

  for (const [group, paths] of Object.entries(GROUPS)) {
    test(`no page for ${group} has a barrier, ${colorScheme}`, async ({ people }) => {
      const [lin, mei] = [await people.create('lin'), await people.create('mei')];
      const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '无障碍', room_type: 'public' });
      await mei.api.post(`/api/chat/rooms/${id}/join/`);
      await mei.api.post(`/api/chat/rooms/${id}/messages/`, { content: `@${lin.username} 第一句` });
      const page = await people.open(lin);
      await page.emulateMedia({ colorScheme });
      for (const path of paths) {
        await page.goto(path.replace(':id', String(id)));
        await expect(page.locator('main')).toBeVisible();
        // What opens over a page is part of it.
        for (const menu of await page.locator('.menu > summary:visible, .confirm > summary:visible').all()) await menu.click();
        await expectAccessible(page);
      }
    });
  }
}

test('the keyboard alone leads from sign-in to a message and an answer to it', async ({ people, page }) => {
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

  for (let step = 0; step < 20 && !(await focused('.timeline')); step += 1) await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('ArrowUp');
  await expect(page.locator('.message:focus')).toContainText('只用键盘');
  await page.keyboard.press('r');
  await expect(room.composer).toBeFocused();
  await page.keyboard.type('也只用键盘回复');
  await page.keyboard.press('Enter');
  await expect(room.message('也只用键盘回复').getByTestId('quote')).toContainText('只用键盘');
});
