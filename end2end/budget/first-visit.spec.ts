import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';
import { Wire } from '../support/wire';

/** Everything that a first visit may fetch, as it goes over the wire. */
const BUDGET = 350 * 1024;

test('a first visit, from sign-in to a busy room, fetches at most 350 KiB and nothing in it moves', async ({ app, browser, people, troubles }) => {
  const lin = await people.create('lin');
  const room = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '第一次', room_type: 'private' });
  for (let count = 1; count <= 50; count += 1) {
    const content = `第 ${count} 条：**今天**的进展在 https://example.com/${count}，\`release-${count}\` 已经打包。`;
    await lin.api.post(`/api/chat/rooms/${room.id}/messages/`, { content });
  }
  // The browser's own figures leave out what its service worker fetches.
  const wire = await Wire.to(app.url);
  const context = await browser.newContext({ baseURL: wire.url });
  await troubles.watch(context);
  const page = await context.newPage();
  const fetched: string[] = [];
  context.on('request', (request) => fetched.push(new URL(request.url()).pathname));
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
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

  expect(fetched.some((path) => path.endsWith('.wasm')), 'the page is live').toBe(true);
  expect(wire.received, `bytes over the wire, for\n${fetched.join('\n')}\n`).toBeLessThanOrEqual(BUDGET);
  expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
  await context.close();
  await wire.cut();
  console.log(`a first visit fetched ${(wire.received / 1024).toFixed(1)} KiB`);
});
