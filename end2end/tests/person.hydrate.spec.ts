import { expectAccessible } from '../support/accessible';
import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('at a name one sees who it is, and mentions them', async ({ people }) => {
  const [lin, mei, tom] = [await people.create('lin'), await people.create('mei'), await people.create('tom')];
  const id = await people.together('名片', lin, mei, tom);
  await mei.api.say(id, `@${tom.username} 你好`);
  await tom.api.say(id, '我要走了');
  const page = await people.open(lin);
  const room = await (await new RoomPage(page).open(id)).live();
  const card = page.getByTestId('person-card');

  await room.message('你好').locator('.message-author').click();
  await expect(card).toBeVisible();
  await expect(card).toContainText(`@${mei.username}`);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(card).toBeHidden();

  // From the list of members by keyboard alone; the room's maker is its admin.
  await page.getByTestId('members').getByRole('link', { name: lin.username }).focus();
  await page.keyboard.press('Enter');
  await expect(card).toContainText('管理员');
  await expect(card).toContainText('在线');
  await expect(card.getByText('已不在这个房间')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('members').getByRole('link', { name: lin.username })).toBeFocused();

  // From a mention, into what is being written.
  await room.composer.fill('请');
  await room.message('你好').locator('.mention').click();
  await expect(card).toContainText(`@${tom.username}`);
  await card.getByRole('button', { name: '提到 TA' }).click();
  await expect(room.composer).toHaveValue(`请 @${tom.username} `);
  await expect(room.composer).toBeFocused();

  // From an avatar; somebody who has left is still somebody.
  await tom.api.post(`/api/chat/rooms/${id}/leave/`);
  await room.message('我要走了').locator('.avatar').click();
  await expect(card).toContainText(`@${tom.username}`);
  await expect(card.getByText('已不在这个房间')).toBeVisible();
  await expect(card.getByRole('button')).toHaveCount(0);
});

test('on a phone a tap on a message opens a sheet with words', async ({ people, app, browser, troubles }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await people.together('手机', lin, mei);
  await mei.api.say(id, '要复制的**文字**');
  const context = await browser.newContext({
    baseURL: app.url, viewport: { width: 390, height: 740 }, hasTouch: true, isMobile: true, permissions: ['clipboard-read', 'clipboard-write'],
  });
  await troubles.watch(context);
  const page = await context.newPage();
  await signIn(page, lin);
  const room = await (await new RoomPage(page).open(id)).live();
  const sheet = page.getByTestId('actions');
  await room.message('要复制的').locator('.prose').tap();
  await expect(sheet).toBeVisible();
  const { y, height, width } = (await sheet.boundingBox())!;
  expect(Math.abs(y + height - 740)).toBeLessThan(2);
  expect(width).toBe(390);
  await expectAccessible(page);
  // A tap beside it closes it.
  await page.touchscreen.tap(195, 60);
  await expect(sheet).toHaveCount(0);
  await room.message('要复制的').locator('.prose').tap();
  await sheet.getByTestId('copy-text').tap();
  await expect(sheet).toHaveCount(0);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('要复制的**文字**');
  await room.message('要复制的').locator('.prose').tap();
  await sheet.getByTestId('reply').tap();
  await expect(sheet).toHaveCount(0);
  await expect(room.doing).toContainText('要复制的');
  await context.close();
});
