import type { Page, WebSocket, WebSocketRoute } from '@playwright/test';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// Rooms that were opened are followed by one connection, and shown again from memory.

const link = (page: Page, room: number) => page.locator(`.room-link[href="/rooms/${room}"]`);

test('another look at a room needs no request, and shows what happened meanwhile', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这边', lin, mei), await people.together('那边', lin, mei)];
  await mei.api.say(here, '第一句');
  const wrong = await mei.api.say(here, '写错了');
  const gone = await mei.api.say(here, '不该说');
  const page = await people.open(lin);
  const [requests, sockets] = [[] as string[], [] as WebSocket[]];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  const room = await (await new RoomPage(page).open(here)).live();
  page.on('websocket', (socket) => sockets.push(socket));
  await link(page, there).click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await room.live();
  expect(requests.filter((path) => path === '/ui/open_room')).toHaveLength(1);

  await mei.api.patch(`/api/chat/messages/${wrong}/`, { content: '写对了' });
  await mei.api.delete(`/api/chat/messages/${gone}/delete/`);
  await mei.api.say(here, '你不在的时候说的');
  await expect(link(page, here).locator('.badge')).toHaveText('1');
  await link(page, here).click();
  await expect(room.message('你不在的时候说的')).toBeVisible();
  await expect(page.getByTestId('new-line')).toHaveCount(1);
  await expect(room.message('写对了')).toBeVisible();
  await expect(room.message('写错了')).toHaveCount(0);
  await expect(room.message('不该说')).toHaveCount(0);
  await expect(link(page, here).locator('.badge')).toHaveCount(0);
  // And what is said now.
  await mei.api.say(here, '你在的时候说的');
  await expect(room.message('你在的时候说的')).toBeVisible();
  await room.say('我也在');
  await expect(room.message('我也在')).toHaveAttribute('data-delivery', 'sent');
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await expect(room.message('我也在')).toHaveCount(0);
  await page.goForward();
  await expect(room.message('我也在')).toBeVisible();
  expect(requests.filter((path) => path === '/ui/open_room')).toHaveLength(1);
  expect(sockets.map((socket) => socket.url())).toEqual([]);
});

test('what was seen can be read without a network', async ({ people, troubles }) => {
  troubles.allow(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const rooms = await Promise.all(['甲', '乙', '丙'].map((name) => people.together(name, lin, mei)));
  for (const room of rooms) await mei.api.say(room, `在 ${room} 说的`);
  const page = await people.open(lin);
  const room = await (await new RoomPage(page).open(rooms[0]!)).live();
  await link(page, rooms[1]!).click();
  await expect(room.message(`在 ${rooms[1]} 说的`)).toBeVisible();
  await room.live();
  await page.context().setOffline(true);
  await expect(page.locator('.notice-strip')).toBeVisible();
  await link(page, rooms[0]!).click();
  await expect(room.message(`在 ${rooms[0]} 说的`)).toBeVisible();
  // A room that was not seen says why it is empty, and heals.
  await link(page, rooms[2]!).click();
  await expect(page.getByText('连不上服务器')).toBeVisible();
  await page.context().setOffline(false);
  await expect(room.message(`在 ${rooms[2]} 说的`)).toBeVisible({ timeout: 20_000 });
  await link(page, rooms[0]!).click();
  await mei.api.say(rooms[0]!, '回来以后');
  await expect(room.message('回来以后')).toBeVisible();
});

test('more rooms than are kept are loaded again, and none is followed twice', async ({ people }) => {
  const lin = await people.create('lin');
  const rooms: number[] = [];
  for (let count = 0; count < 14; count += 1) rooms.push(await people.together(`第 ${count} 间`, lin));
  const page = await people.open(lin);
  const frames: { type: string; room_id?: number }[] = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => frames.push(JSON.parse(String(payload)))));
  const room = await (await new RoomPage(page).open(rooms[0]!)).live();
  for (const [at, id] of [...rooms.entries()].slice(1)) {
    await link(page, id).click();
    await expect(page).toHaveTitle(new RegExp(`第 ${at} 间`));
    await room.live();
  }
  const followed = new Set<number>();
  for (const { type, room_id } of frames) {
    if (type === 'subscribe') {
      expect(followed.has(room_id!)).toBe(false);
      followed.add(room_id!);
    } else if (type === 'unsubscribe') followed.delete(room_id!);
  }
  expect([...followed]).toEqual(rooms.slice(-11));
  await link(page, rooms[0]!).click();
  await expect(page).toHaveTitle(/第 0 间/);
  await room.live();
  await room.say('又来了');
  await expect(room.message('又来了')).toHaveAttribute('data-delivery', 'sent');
});

test('a room that one loses while another is open is gone', async ({ people, troubles }) => {
  troubles.allow(/403|404/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('失去', lin, mei), await people.together('留下', lin, mei)];
  await lin.api.say(here, '以前说的');
  const page = await people.open(mei);
  const room = await (await new RoomPage(page).open(here)).live();
  await link(page, there).click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${there}$`));
  await room.live();
  await lin.api.patch(`/api/chat/rooms/${here}/members/${mei.id}/`, { is_banned: true });
  await expect(link(page, here)).toHaveCount(0);
  await page.goBack();
  await expect(page.getByText('你已被禁止进入该房间')).toBeVisible();
  await expect(room.message('以前说的')).toHaveCount(0);
});

test('a short look reads what was in view, and too much missed leaves no hole when a request fails', async ({ people, troubles }) => {
  troubles.allow(/503|WebSocket connection/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const [here, there] = [await people.together('这里', lin, mei), await people.together('那里', lin, mei)];
  const page = await people.open(lin);
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/ws\/$/, (socket) => {
    sockets.push(socket);
    socket.connectToServer();
  });
  const room = await (await new RoomPage(page).open(here)).live();
  await link(page, there).click();
  await expect(page).toHaveTitle(/那里/);
  await room.live();
  await mei.api.say(here, '看一眼');
  await expect(link(page, here).locator('.badge')).toHaveText('1');
  await link(page, here).click();
  await expect(room.message('看一眼')).toBeVisible();
  await expect(link(page, here).locator('.badge')).toHaveCount(0);
  await link(page, there).click();
  const unread = () => lin.api.get<{ count: number }>('/api/chat/notifications/unread_count/').then(({ count }) => count);
  await expect.poll(unread).toBe(0);

  // More was missed than is sent again, and the newest page fails to load at first.
  await link(page, here).click();
  await expect(page).toHaveTitle(/这里/);
  let failures = 2;
  await page.route(/\/ui\/history/, (route) => (failures-- > 0 ? route.fulfill({ status: 503, body: '{}' }) : route.continue()));
  await mei.api.say(here, '缺口前');
  await expect(room.message('缺口前')).toBeVisible();
  sockets.at(-1)!.send(JSON.stringify({ type: 'resync', room_id: here, rev: 100_000 }));
  await mei.api.say(here, '缺口后');
  await expect.poll(() => failures, { timeout: 20_000 }).toBeLessThan(0);
  await expect(room.message('缺口后')).toBeVisible();
});
