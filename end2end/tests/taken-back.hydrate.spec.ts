import type { Page } from '@playwright/test';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// What somebody takes back or changes leaves every place where it could be read.

const SECRET = '工资表：张三 38,000';
const listed = (page: Page, name: string) => page.getByTestId('room').filter({ hasText: name });

test('deleted and edited words leave the list of rooms, of the open room too', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这里', mei, lin), await people.together('那里', mei, lin)];
  const page = await people.open(lin);
  await (await new RoomPage(page).open(here)).live();
  for (const [name, room] of [['这里', here], ['那里', there]] as const) {
    const old = await mei.api.say(room, '之前的一句');
    const id = await mei.api.say(room, SECRET);
    await expect(listed(page, name)).toContainText('工资表');
    await mei.api.patch(`/api/chat/messages/${old}/`, { content: '较早的一句' });
    await mei.api.patch(`/api/chat/messages/${id}/`, { content: '会议改到三点' });
    await expect(listed(page, name)).toContainText('会议改到三点');
    await expect(listed(page, name)).not.toContainText('工资表');
    await mei.api.delete(`/api/chat/messages/${id}/delete/`);
    await expect(listed(page, name)).toContainText('消息已删除');
    await expect(listed(page, name)).not.toContainText('会议');
  }
  await page.reload();
  await expect(listed(page, '那里')).toContainText('消息已删除');
});

test('what was deleted while the line was down is gone from the list when it stands again', async ({ app, people, troubles }) => {
  troubles.allow(/WebSocket connection|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这里', mei, lin), await people.together('那里', mei, lin)];
  const page = await people.open(lin);
  await (await new RoomPage(page).open(here)).live();
  const id = await mei.api.say(there, SECRET);
  await expect(listed(page, '那里')).toContainText('工资表');
  await app.stop();
  await expect(page.getByText('连接已断开')).toBeVisible();
  await page.context().setOffline(true);
  await app.start();
  await mei.api.delete(`/api/chat/messages/${id}/delete/`);
  await page.context().setOffline(false);
  await expect(listed(page, '那里')).toContainText('消息已删除', { timeout: 20_000 });
});

test('deleted words leave the page of notifications', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('前台', mei, lin);
  const older = await mei.api.say(room, `@${lin.username} 第一句，也要收回`);
  const newest = await mei.api.say(room, `@${lin.username} ${SECRET}`);
  const page = await people.open(lin);
  await page.clock.install();
  await page.goto('/notifications', { waitUntil: 'commit' });
  const socket = await page.waitForEvent('websocket');
  await socket.waitForEvent('framereceived');
  const notes = page.getByTestId('notification');
  await expect(notes.first()).toContainText('工资表');
  // What is taken back mentions nobody any more.
  await mei.api.delete(`/api/chat/messages/${newest}/delete/`);
  await expect(notes).toHaveCount(1);
  await expect(page.getByText('工资表')).toHaveCount(0);
  await expect(listed(page, '前台')).toContainText('消息已删除');
  await mei.api.delete(`/api/chat/messages/${older}/delete/`);
  await page.clock.runFor(61_000);
  await expect(notes).toHaveCount(0);
});

test('deleted and edited words leave the desk', async ({ app, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这里', mei, lin), await people.together('那里', mei, lin)];
  const page = await people.open(lin);
  await page.context().grantPermissions(['notifications'], { origin: app.url });
  // What the desk would show is the browser's; here it is only noted. One alert replaces another of its tag.
  await page.addInitScript(() => {
    const desk: Record<string, string> = {};
    class Told extends EventTarget {
      static permission = 'granted';
      onclick: (() => void) | null = null;
      constructor(_title: string, private options: NotificationOptions) {
        super();
        desk[options.tag!] = options.body!;
      }
      close() {
        if (desk[this.options.tag!] === this.options.body) delete desk[this.options.tag!];
      }
    }
    Object.assign(window, { Notification: Told, desk });
  });
  await (await new RoomPage(page).open(here)).live();
  await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true }));
  const desk = () => page.evaluate(() => Object.values((window as unknown as { desk: Record<string, string> }).desk));
  for (const room of [there, here]) {
    const id = await mei.api.say(room, SECRET);
    await expect.poll(desk).toEqual([`${mei.username}: ${SECRET}`]);
    if (room === there) await mei.api.patch(`/api/chat/messages/${id}/`, { content: '会议改到三点' });
    else await mei.api.delete(`/api/chat/messages/${id}/delete/`);
    await expect.poll(desk).toEqual([]);
  }
});
