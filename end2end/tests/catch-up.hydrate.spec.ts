import { type Person, signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// Whoever comes back finds where they left off, and nothing counts as read that was not in view.

/** Says so many lines and returns the ids. */
async function lines(person: Person, room: number, count: number): Promise<number[]> {
  const ids: number[] = [];
  for (let n = 1; n <= count; n += 1) ids.push(await person.api.say(room, `第 ${n} 句`));
  return ids;
}

const unread = (person: Person, room: number) =>
  person.api.get<{ unread_count: number }>(`/api/chat/rooms/${room}/`).then(({ unread_count }) => unread_count);

test('a room opens at the first unread message, and is read at its end', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('几句', lin, mei);
  const ids = await lines(lin, room, 40);
  await mei.api.post(`/api/chat/messages/${ids[5]}/read/`);
  const page = await people.open(mei);
  const opened = await (await new RoomPage(page).open(room)).live();
  await expect(page.getByTestId('new-line')).toBeInViewport();
  await expect(opened.message('第 7 句')).toBeInViewport();
  await expect(opened.message('第 40 句')).not.toBeInViewport();
  // What comes meanwhile moves nothing, and reads nothing.
  await lin.api.say(room, '又一句');
  await expect(page.getByTestId('to-newest')).toHaveText('1 条新消息');
  await expect(page.getByTestId('new-line')).toBeInViewport();
  expect(await unread(mei, room)).toBe(35);
  await page.getByTestId('to-newest').click();
  await expect(opened.message('又一句')).toBeInViewport();
  await expect.poll(() => unread(mei, room)).toBe(0);
});

test('a bar leads to the first of more unread messages than the page has', async ({ people }) => {
  test.setTimeout(120_000);
  const [lin, mei, bao] = [await people.create('lin'), await people.create('mei'), await people.create('bao')];
  const room = await people.together('很多句', lin, mei, bao);
  const ids = await lines(lin, room, 110);
  for (const person of [mei, bao]) await person.api.post(`/api/chat/messages/${ids[9]}/read/`);

  const page = await people.open(mei);
  const opened = await (await new RoomPage(page).open(room)).live();
  const bar = page.getByTestId('catch-up');
  await expect(bar).toContainText('100 条新消息');
  await expect(opened.message('第 110 句')).toBeInViewport();
  // The end is in view, and what is above it was not.
  await lin.api.say(room, '围栏');
  await expect(opened.message('围栏')).toBeVisible();
  expect(await unread(mei, room)).toBe(101);
  await bar.getByRole('link', { name: '跳到第一条' }).click();
  await expect(opened.message('第 10 句')).toBeInViewport();
  await expect(page.getByTestId('new-line')).toBeInViewport();
  await expect(opened.message('第 11 句')).toBeInViewport();
  await expect(bar).toHaveCount(0);

  const other = await people.open(bao);
  await (await new RoomPage(other).open(room)).live();
  await other.getByTestId('catch-up').getByRole('button', { name: '标为已读' }).click();
  await expect(other.getByTestId('catch-up')).toHaveCount(0);
  await expect.poll(() => unread(bao, room)).toBe(0);
});

test('what one wrote oneself is nothing to catch up with', async ({ people }) => {
  test.setTimeout(120_000);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('自己的', lin, mei);
  const ids = await lines(lin, room, 2);
  await mei.api.post(`/api/chat/messages/${ids[1]}/read/`);
  await lines(mei, room, 60);
  const page = await people.open(mei);
  const opened = await (await new RoomPage(page).open(room)).live();
  await expect(opened.message('第 60 句')).toBeInViewport();
  await expect(page.getByTestId('catch-up')).toHaveCount(0);
});

test('who scrolls back to where they left off has caught up', async ({ people }) => {
  test.setTimeout(120_000);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('往回', lin, mei);
  const ids = await lines(lin, room, 80);
  await mei.api.post(`/api/chat/messages/${ids[9]}/read/`);
  const page = await people.open(mei);
  const opened = await (await new RoomPage(page).open(room)).live();
  await expect(page.getByTestId('catch-up')).toContainText('70 条新消息');
  await expect(async () => {
    await page.evaluate(() => (document.querySelector('.timeline')!.scrollTop -= 2_000));
    await expect(page.getByTestId('catch-up')).toHaveCount(0, { timeout: 500 });
  }).toPass();
  await page.getByTestId('to-newest').click();
  await expect(opened.message('第 80 句')).toBeInViewport();
  await expect.poll(() => unread(mei, room)).toBe(0);
});

test('a few unread messages are all in view at once, at the end', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('几句', lin, mei);
  const ids = await lines(lin, room, 30);
  await mei.api.post(`/api/chat/messages/${ids[26]}/read/`);
  const page = await people.open(mei);
  const opened = await (await new RoomPage(page).open(room)).live();
  await expect(page.getByTestId('new-line')).toBeInViewport();
  await expect(opened.message('第 30 句')).toBeInViewport();
  await expect(page.getByTestId('to-newest')).toHaveCount(0);
  await expect.poll(() => unread(mei, room)).toBe(0);
});

test('on a phone Enter breaks the line and the button sends', async ({ people, app, browser, troubles }) => {
  const lin = await people.create('lin');
  const room = await people.together('手机', lin);
  const context = await browser.newContext({
    baseURL: app.url, viewport: { width: 390, height: 740 }, hasTouch: true, isMobile: true,
  });
  await troubles.watch(context);
  const page = await context.newPage();
  await signIn(page, lin);
  const opened = await (await new RoomPage(page).open(room)).live();
  await opened.composer.fill('第一行');
  await opened.composer.press('Enter');
  await opened.composer.pressSequentially('第二行');
  await expect(opened.messages).toHaveCount(0);
  await opened.send.tap();
  await expect(opened.messages).toHaveCount(1);
  await expect(opened.bodies).toHaveText('第一行\n第二行');
  await context.close();
});
