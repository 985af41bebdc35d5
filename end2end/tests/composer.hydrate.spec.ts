import { expectAccessible } from '../support/accessible';
import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('what one has begun to write waits in its room until it is sent', async ({ people }) => {
  const lin = await people.create('lin');
  const [one, two] = [await people.together('一', lin), await people.together('二', lin)];
  const room = await (await new RoomPage(await people.open(lin)).open(one)).live();
  await room.composer.fill('写到一半\n第二行');
  await room.page.goto(`/rooms/${two}`);
  await room.live();
  await expect(room.composer).toHaveValue('');
  await room.page.goto(`/rooms/${one}`);
  await expect(room.composer).toHaveValue('写到一半\n第二行');
  // What is edited in between is no draft, and gives it back.
  await lin.api.say(one, '说过的');
  await (await room.action('说过的', 'edit')).click();
  await expect(room.composer).toHaveValue('说过的');
  await room.composer.press('Escape');
  await expect(room.composer).toHaveValue('写到一半\n第二行');
  await room.composer.press('Enter');
  await expect(room.message('写到一半')).toBeVisible();
  await room.page.reload();
  await room.live();
  await expect(room.composer).toHaveValue('');
});

test('the composer grows with its text, keeps pasted lines and tells when the limit is near', async ({ people }) => {
  const lin = await people.create('lin');
  const page = await people.open(lin);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const room = await (await new RoomPage(page).open(await people.together('长', lin))).live();
  const height = () => room.composer.evaluate((area) => area.clientHeight);
  const empty = await height();
  await page.evaluate(() => navigator.clipboard.writeText('一\n二\n三'));
  await room.composer.focus();
  await page.keyboard.press('Control+v');
  await expect(room.composer).toHaveValue('一\n二\n三');
  expect(await height()).toBeGreaterThan(empty * 1.8);
  await room.composer.fill('行\n'.repeat(200));
  expect(await height()).toBeLessThanOrEqual(page.viewportSize()!.height / 3 + 1);

  // Counted as the server does: by characters, whatever they take.
  await room.composer.fill('😀'.repeat(9_700));
  await expect(page.getByText('还可以写 300 个字符')).toBeVisible();
  await room.composer.fill('😀'.repeat(10_001));
  await expect(page.getByText('超出 1 个字符')).toBeVisible();
  const desk = page.viewportSize()!;
  await page.setViewportSize({ width: 360, height: 740 });
  await expect(page.getByText('超出 1 个字符')).toBeVisible();
  await page.setViewportSize(desk);
  await room.composer.press('Enter');
  await expect(room.messages).toHaveCount(0);
  await room.composer.fill('😀'.repeat(10_000));
  await room.composer.press('Enter');
  await expect(room.messages).toHaveCount(1);
  await expect(room.messages.first()).toHaveAttribute('data-delivery', 'sent');
});

test('an @ completes the names of members, by the keyboard and by the pointer', async ({ people }) => {
  const [lin, mei, tom] = [await people.create('lin'), await people.create('mei'), await people.create('tom')];
  const id = await people.together('成员', lin, mei);
  await people.together('别处', tom);
  const page = await people.open(lin);
  const room = await (await new RoomPage(page).open(id)).live();
  const options = page.getByTestId('mention-option');
  await room.composer.pressSequentially('你好 @me');
  await expect(options).toHaveCount(1);
  await expect(options).toContainText(mei.username);
  await expect(room.composer).toHaveAttribute('aria-activedescendant', /.+/);
  await expectAccessible(page);
  await room.composer.press('Enter');
  await expect(room.composer).toHaveValue(`你好 @${mei.username} `);
  await expect(options).toHaveCount(0);
  await room.composer.pressSequentially('和 @');
  await expect(options.filter({ hasText: mei.username })).toHaveCount(1);
  await expect(options.filter({ hasText: tom.username })).toHaveCount(0);
  await room.composer.press('Escape');
  await expect(options).toHaveCount(0);
  await room.composer.pressSequentially(mei.username.slice(0, 4));
  await options.first().click();
  await expect(room.composer).toHaveValue(`你好 @${mei.username} 和 @${mei.username} `);
  await room.composer.press('Enter');
  await expect(room.messages.locator('.mention')).toHaveCount(2);
  // Nobody is called that: Enter sends.
  await room.say('@nobody_here');
  await expect(room.message('@nobody_here')).toBeVisible();
});

test('signing out takes along what one had begun to write, and nothing else', async ({ people }) => {
  const lin = await people.create('lin');
  const id = await people.together('草稿', lin);
  const page = await people.open(lin);
  const room = await (await new RoomPage(page).open(id)).live();
  const kept = () => page.evaluate(() => Object.keys(localStorage).sort());
  const signOut = async (answer: 'accept' | 'dismiss' | 'nothing') => {
    const asked: string[] = [];
    page.once('dialog', (dialog) => {
      asked.push(dialog.message());
      void (answer === 'dismiss' ? dialog.dismiss() : dialog.accept());
    });
    await page.locator('summary', { hasText: lin.username }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: '退出登录' }).focus();
    await page.keyboard.press('Enter');
    if (answer !== 'dismiss') await expect(page).toHaveURL(/\/sign-in/);
    page.removeAllListeners('dialog');
    expect(asked.length).toBe(answer === 'nothing' ? 0 : 1);
  };
  await page.getByText(lin.username).first().click();
  await page.getByRole('button', { name: '深色' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await room.live();
  await room.composer.fill('还没想好');
  const others = [`liao-draft-${lin.id}0-${id}`, 'something-else'];
  await page.evaluate((names) => names.forEach((name) => localStorage.setItem(name, 'x')), others);
  expect(await kept()).toEqual([...others, `liao-draft-${lin.id}-${id}`].sort());
  await page.reload();
  await room.live();
  await signOut('dismiss');
  await expect(room.composer).toHaveValue('还没想好');
  await page.reload();
  await room.live();
  await signOut('accept');
  expect(await kept()).toEqual([...others].sort());
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await signIn(page, lin);
  await (await room.open(id)).live();
  await expect(room.composer).toHaveValue('');

  // From a page that is not live as well.
  await room.composer.fill('又想到一点');
  expect(await kept()).toContain(`liao-draft-${lin.id}-${id}`);
  await page.goto('/settings');
  await signOut('accept');
  expect(await kept()).toEqual([...others].sort());
  // Without anything to lose there is no question.
  await signIn(page, lin);
  await page.goto('/settings');
  await signOut('nothing');
});

test('who prefers Ctrl+Enter breaks lines with Enter', async ({ people }) => {
  const lin = await people.create('lin');
  const id = await people.together('按键', lin);
  const page = await people.open(lin);
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Ctrl+Enter 发送' }).click();
  await expect(page.getByRole('button', { name: 'Ctrl+Enter 发送' })).toHaveAttribute('aria-pressed', 'true');
  const room = await (await new RoomPage(page).open(id)).live();
  await expect(page.getByText('Ctrl+Enter 发送 · Enter 换行')).toBeVisible();
  await room.composer.fill('第一行');
  await room.composer.press('Enter');
  await room.composer.pressSequentially('第二行');
  await expect(room.messages).toHaveCount(0);
  await room.composer.press('Control+Enter');
  await expect(room.bodies).toHaveText('第一行\n第二行');
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Enter 发送', exact: true }).click();
  await room.open(id);
  await room.live();
  await room.composer.fill('一行');
  await room.composer.press('Enter');
  await expect(room.messages).toHaveCount(2);
});
