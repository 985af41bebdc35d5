import { expectAccessible } from '../support/accessible';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('what one changes is changed for others at once', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('同时', lin, mei);
  const lins = await (await new RoomPage(await people.open(lin)).open(room)).live();
  const meis = await (await new RoomPage(await people.open(mei)).open(room)).live();
  await lins.say('午饭吃什么');
  await expect(meis.message('午饭吃什么')).toBeVisible();
  await expect(lins.page.getByTestId('read-by')).toHaveText('1 人已读');

  await (await meis.action('午饭吃什么', 'reply')).click();
  await expect(meis.composer).toBeFocused();
  await meis.say('面条');
  await expect(lins.message('面条').getByTestId('quote')).toContainText('午饭吃什么');
  await expect(meis.doing).toHaveCount(0);

  await lins.composer.press('ArrowUp');
  await expect(lins.composer).toHaveValue('午饭吃什么');
  await lins.say('晚饭吃什么');
  await expect(lins.composer).toHaveValue('');
  await expect(meis.messages.first()).toContainText('晚饭吃什么');
  await expect(meis.messages.first()).toContainText('已编辑');
  await expect(meis.message('面条').getByTestId('quote')).toContainText('晚饭吃什么');

  await (await lins.action('面条', 'delete')).click();
  await lins.doing.getByTestId('confirm-delete').click();
  await expect(meis.messages.last()).toContainText('消息已删除');
  await expect(lins.messages.last()).toContainText('消息已删除');
  // A deleted message offers nothing but its address.
  await lins.messages.last().hover();
  await expect(lins.messages.last().getByTestId('reply')).toHaveCount(0);
});

test('a quote leads to its origin, however far back, and a button to the newest', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('很久以前', lin, mei);
  const origin = await lin.api.say(room, '一切的开始');
  for (let count = 0; count < 130; count += 1) await (count % 2 ? lin : mei).api.say(room, `第 ${count} 句。`);
  await mei.api.say(room, '还记得吗', origin);
  const opened = await (await new RoomPage(await people.open(lin)).open(room)).live();
  const quote = opened.message('还记得吗').getByTestId('quote');
  await expect(quote).toContainText('一切的开始');
  await quote.click();
  await opened.inView('一切的开始');
  await expect(opened.message('一切的开始')).toHaveClass(/message-target/);
  // What comes in below is counted.
  await mei.api.say(room, '下面来了一条');
  await expect(opened.page.getByTestId('to-newest')).toHaveText('1 条新消息');
  await opened.page.getByTestId('to-newest').click();
  await opened.inView('下面来了一条');
  await expect(opened.page.getByTestId('to-newest')).toHaveCount(0);
  // What answers something that is not at hand fetches its quote.
  await mei.api.say(room, '再说一次', origin);
  await expect(opened.message('再说一次').getByTestId('quote')).toContainText('一切的开始');
});

test('the keyboard alone answers, edits, deletes and copies', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('键盘', lin, mei);
  await mei.api.say(room, '问一下');
  const page = await people.open(lin);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const opened = await (await new RoomPage(page).open(room)).live();
  const focused = page.locator('.message:focus');
  await page.locator('.timeline').focus();
  await page.keyboard.press('ArrowUp');
  await expect(focused).toContainText('问一下');
  await page.keyboard.press('r');
  await expect(opened.composer).toBeFocused();
  await page.keyboard.type('答复');
  await page.keyboard.press('Enter');
  await expect(opened.message('答复').getByTestId('quote')).toContainText('问一下');

  await page.locator('.timeline').focus();
  await page.keyboard.press('ArrowUp');
  await expect(focused).toContainText('答复');
  await page.keyboard.press('ArrowUp');
  await expect(focused).toContainText('问一下');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('c');
  await expect(page.getByText('链接已复制')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/^http:.*\/rooms\/\d+\?message=\d+$/);
  await page.keyboard.press('e');
  await expect(opened.composer).toHaveValue('答复');
  await page.keyboard.press('Escape');
  await expect(opened.composer).toHaveValue('');
  await page.locator('.timeline').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Delete');
  await opened.doing.getByTestId('confirm-delete').focus();
  await page.keyboard.press('Enter');
  await expect(opened.messages.last()).toContainText('消息已删除');
  await page.keyboard.press('Escape');
  await page.locator('.timeline').focus();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: '快捷键' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: '快捷键' })).toBeHidden();
  await page.goto(link);
  await expect(page.locator('.message-target')).toContainText('消息已删除');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the conversation has no barrier, whatever is open in it, ${colorScheme}`, async ({ people }) => {
    // A dozen states, each looked through by axe.
    test.slow();
    const [lin, mei] = [await people.create('lin'), await people.create('mei')];
    const room = await people.together('无障碍', lin, mei);
    const first = await mei.api.say(room, `@${lin.username} **粗** \`码\` https://example.com\n\n> 引\n\n\`\`\`rust\nfn x() { "字" } // 1\n\`\`\``);
    await mei.api.say(room, '| 甲 | 乙 |\n|--|--|\n| 1 | 2 |');
    await lin.api.say(room, '回答', first);
    const page = await people.open(lin);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const opened = await (await new RoomPage(page).open(room)).live();
    for (const name of ['reply', 'edit', 'readers', 'delete'] as const) {
      await (await opened.action('回答', name)).click();
      await expect(opened.doing).toBeVisible();
      await opened.message('回答').hover();
      await expectAccessible(page);
    }
    await page.goto(`/rooms/${room}?message=${first}`);
    await expectAccessible(page);
    await page.getByRole('button', { name: '快捷键' }).click();
    await expectAccessible(page);
  });
}

test('an edit that does not go through keeps what was typed', async ({ app, people, troubles }) => {
  troubles.allow(/WebSocket connection|ERR_CONNECTION_REFUSED/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('没改成', lin, mei);
  await lin.api.say(room, '三点开会');
  await lin.api.say(room, '带上电脑');
  const lins = await (await new RoomPage(await people.open(lin)).open(room)).live();
  const meis = await (await new RoomPage(await people.open(mei)).open(room)).live();
  const notice = lins.page.getByRole('status').filter({ hasText: '连不上服务器' });
  await lins.composer.fill('我的草稿');
  await (await lins.action('三点开会', 'edit')).click();
  await lins.composer.fill('四点开会');
  await app.stop();
  await lins.composer.press('Enter');
  await expect(notice).toBeVisible();
  await expect(lins.doing).toContainText('三点开会');
  await expect(lins.composer).toHaveValue('四点开会');
  await expect(lins.composer).toBeFocused();
  await expectAccessible(lins.page);

  // Whoever gives it up has their draft, and the words of the edit no more.
  await lins.composer.press('Escape');
  await expect(lins.composer).toHaveValue('我的草稿');
  await (await lins.action('三点开会', 'edit')).click();
  await expect(lins.composer).toHaveValue('三点开会');
  await lins.composer.fill('五点开会');
  await app.start();
  await lins.live();
  await lins.composer.press('Enter');
  await expect(meis.messages.first()).toContainText('五点开会', { timeout: 20_000 });
  await expect(lins.composer).toHaveValue('我的草稿');
  const { messages } = await mei.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${room}/messages/`);
  expect(messages.map(({ content }) => content)).toEqual(['带上电脑', '五点开会']);
});
