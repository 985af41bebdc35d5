import type { WebSocketRoute } from '@playwright/test';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';
import { WASM_SLACK, wasmSize, watchWasm } from '../support/wasm';

/** The most rows that a page may have, whatever one does: those that are kept, and what may gather on top. */
const KEPT = 400;

test('scrolling back through a long history keeps a window of it and never jumps', async ({ people }) => {
  test.setTimeout(120_000);
  const voices = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => people.create(name)));
  const room = await people.together('长历史', voices[0]!, ...voices.slice(1));
  // Many at once from each, in turns within what one person may write.
  for (let round = 0; round < 12; round += 1) {
    await Promise.all(voices.map(async ({ api }, who) => {
      for (let count = 0; count < 10; count += 1) await api.say(room, `第 ${round}-${who}-${count} 句`);
    }));
  }
  const reader = voices[0]!;
  const opened = await (await new RoomPage(await people.open(reader)).open(room)).live();
  const { page } = opened;
  const start = page.getByText('这是「长历史」的开始');
  // While the wheel turns, each row moves by what was turned and no more.
  const jumps = await page.evaluate(async () => {
    const box = document.querySelector('.timeline')!;
    const places = () => {
      const found = new Map<string, number>();
      for (const row of box.querySelectorAll<HTMLElement>('[data-key]')) {
        const { top, bottom } = row.getBoundingClientRect();
        if (bottom > 0 && top < window.innerHeight) found.set(row.dataset.key!, top);
      }
      return found;
    };
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const jumps: number[] = [];
    for (let turn = 0; turn < 400 && !box.querySelector('.timeline-start'); turn += 1) {
      box.scrollTop -= 240;
      await frame();
      const before = places();
      for (let wait = 0; wait < 6; wait += 1) {
        await frame();
        for (const [key, top] of places()) {
          const was = before.get(key);
          if (was !== undefined && Math.abs(top - was) > 2) jumps.push(top - was);
        }
      }
    }
    return jumps;
  });
  expect(jumps).toEqual([]);
  await expect(start).toBeAttached();
  expect(await opened.messages.count()).toBeLessThanOrEqual(KEPT);
  await expect(opened.message('第 11-0-9 句')).toHaveCount(0);
  await voices[1]!.api.say(room, '刚刚说的');
  await expect(page.getByTestId('to-newest')).toHaveText('1 条新消息');

  // And down again, by the same wheel.
  await page.evaluate(async () => {
    const box = document.querySelector('.timeline')!;
    for (let turn = 0; turn < 400; turn += 1) {
      box.scrollTop += 400;
      await new Promise((done) => setTimeout(done, 30));
      // Within the timeline: the room's line in the list shows its newest message all the time.
      if (box.textContent.includes('刚刚说的') && box.scrollTop > -40) break;
    }
  });
  await opened.inView('刚刚说的');
  await expect(page.getByTestId('to-newest')).toHaveCount(0);
  expect(await opened.messages.count()).toBeLessThanOrEqual(KEPT);
});

test('heavy traffic leaves the page as small as it was', async ({ people }) => {
  test.setTimeout(120_000);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const room = await people.together('热闹', lin, mei);
  const page = await people.open(lin);
  await watchWasm(page);
  // The page's socket, into which more is said than anybody may write in a minute.
  let line: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/ws\/$/, (socket) => {
    socket.connectToServer();
    line = socket;
  });
  const opened = await (await new RoomPage(page).open(room)).live();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const measure = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const value = (name: string) => metrics.find((metric) => metric.name === name)!.value;
    return { nodes: value('Nodes'), heap: value('JSHeapUsedSize'), wasm: await wasmSize(page) };
  };
  const pour = async (from: number, to: number) => {
    for (let id = from; id < to; id += 1) {
      const at = new Date(1_780_000_000_000 + id * 400).toISOString().replace('Z', '000Z');
      const sender = { id: 900_000 + (id % 7), username: `u${id % 7}`, first_name: '', last_name: '' };
      const content = `第 **${id}** 句`;
      const message = { id, content, message_type: 'text', timestamp: at, created_at: at, sender, reply_to: null, is_edited: false, is_deleted: false };
      line!.send(JSON.stringify({ type: 'chat_message', room_id: room, rev: id, message }));
    }
    await expect(opened.message(`第 ${to - 1} 句`)).toBeVisible({ timeout: 60_000 });
  };
  await pour(1_000_000, 1_001_000);
  const before = await measure();
  // Five windows more: what is kept of each would show.
  for (let start = 1_001_000; start < 1_003_000; start += 500) await pour(start, start + 500);
  const after = await measure();
  expect(await opened.messages.count()).toBeLessThanOrEqual(KEPT);
  expect(after.nodes).toBeLessThan(before.nodes * 1.5);
  expect(after.heap).toBeLessThan(before.heap * 1.5 + 2_000_000);
  expect(after.wasm).toBeLessThanOrEqual(before.wasm + WASM_SLACK);
});

test('a screen that is taller than a page of history is filled', async ({ people }) => {
  const voices = await Promise.all(['a', 'b', 'c', 'd'].map((name) => people.create(name)));
  const room = await people.together('高屏', voices[0]!, ...voices.slice(1));
  // Each in one piece, so that their lines stand close together.
  for (const { api } of voices) for (let count = 0; count < 30; count += 1) await api.say(room, `第 ${count} 句`);
  const page = await people.open(voices[0]!);
  await page.setViewportSize({ width: 1280, height: 2160 });
  const opened = await (await new RoomPage(page).open(room)).live();
  await expect
    .poll(() => page.locator('.timeline').evaluate((box) => box.scrollHeight > box.clientHeight))
    .toBe(true);
  await opened.inView('第 29 句');
  expect(await opened.messages.count()).toBeGreaterThan(50);
});
