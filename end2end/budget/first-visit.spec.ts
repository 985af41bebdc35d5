import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

/** Everything that a first visit may fetch, as it goes over the wire. */
const BUDGET = 350 * 1024;

test('a first visit, from sign-in to a busy room, fetches at most 350 KiB and nothing in it moves', async ({ page, people }) => {
  const lin = await people.create('lin');
  const room = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '第一次', room_type: 'private' });
  for (let count = 1; count <= 50; count += 1) {
    const content = `第 ${count} 条：**今天**的进展在 https://example.com/${count}，\`release-${count}\` 已经打包。`;
    await lin.api.post(`/api/chat/rooms/${room.id}/messages/`, { content });
  }
  const fetched = new Map<string, { url: string; bytes: number }>();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ requestId, request }) => fetched.set(requestId, { url: request.url, bytes: 0 }));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const one = fetched.get(requestId);
    if (one) one.bytes = encodedDataLength;
  });
  await page.addInitScript(() => {
    const shifts: number[] = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: 'layout-shift', buffered: true });
    Object.assign(window, { shifts });
  });

  await signIn(page, lin);
  await new RoomPage(page).open(room.id).then((opened) => opened.live());
  await page.waitForLoadState('networkidle');

  const sizes = [...fetched.values()].filter(({ bytes }) => bytes > 0);
  const list = sizes.map(({ url, bytes }) => `${bytes} ${new URL(url).pathname}`).join('\n');
  expect(sizes.some(({ url }) => url.endsWith('.wasm')), list).toBe(true);
  const sum = sizes.reduce((all, { bytes }) => all + bytes, 0);
  expect(sum, `what was fetched:\n${list}\n`).toBeLessThanOrEqual(BUDGET);
  expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
});
