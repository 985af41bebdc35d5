import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';
import { WASM_SLACK, wasmSize, watchWasm } from '../support/wasm';

const SAID = 30;
const SWITCHES = 60;

test('a page that goes from room to room is no larger for it', async ({ people }) => {
  test.setTimeout(120_000);
  const me = await people.create('wanderer');
  const names = ['这里', '那里'];
  const rooms = await Promise.all(names.map((name) => people.together(name, me)));
  for (const [at, room] of rooms.entries()) {
    for (let count = 1; count <= SAID; count += 1) await me.api.say(room, `${names[at]}的第 ${count} 句`);
  }
  const page = await people.open(me);
  await watchWasm(page);
  const opened = await (await new RoomPage(page).open(rooms[0]!)).live();
  const wander = async () => {
    for (let turn = 1; turn <= SWITCHES; turn += 1) {
      const at = turn % rooms.length;
      await page.locator(`.room-link[href="/rooms/${rooms[at]}"]`).click();
      await expect(opened.message(`${names[at]}的第 ${SAID} 句`)).toBeVisible();
    }
    await opened.live();
    // One's own mark in the list of members comes a moment after.
    await expect(page.locator('.member[data-here="true"]')).toHaveCount(1);
  };
  await wander();
  const [before, elements] = [await wasmSize(page), await page.locator('*').count()];
  await wander();
  expect(await wasmSize(page)).toBeLessThanOrEqual(before + WASM_SLACK);
  expect(await page.locator('*').count()).toBe(elements);
});
