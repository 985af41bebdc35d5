import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('the links past the rooms lead on a live page too, where the router takes links', async ({ people }) => {
  const lin = await people.create('lin');
  for (const name of ['一', '二', '三']) await people.together(name, lin);
  const id = await people.together('四', lin);
  const { page } = await (await new RoomPage(await people.open(lin)).open(id)).live();
  const focused = page.locator(':focus');
  await page.keyboard.press('Tab');
  await expect(focused).toHaveText('跳到正文');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.locator('main#main :focus')).toHaveCount(1);
  const room = await (await new RoomPage(page).open(id)).live();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(focused).toHaveText('跳到输入框');
  await page.keyboard.press('Enter');
  await expect(room.composer).toBeFocused();
  // Still the same live page.
  await page.keyboard.type('还在');
  await page.keyboard.press('Enter');
  await expect(room.message('还在')).toHaveAttribute('data-delivery', 'sent');
});
