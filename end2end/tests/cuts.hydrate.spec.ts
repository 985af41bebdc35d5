import type { Page } from '@playwright/test';
import { setTimeout as delay } from 'node:timers/promises';
import { BadWire, Dice } from '../support/bad-wire';
import { signIn, type Person } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

/** How long the connection is bad. `cargo xtask soak` takes ten minutes. */
const SECONDS = Number(process.env.LIAO_CUTS_SECONDS ?? 45);
const SEED = Number(process.env.LIAO_CUTS_SEED ?? Date.now() % 1_000_000);

const NAMES = ['风雨', '雷电'];

/** Writes into rooms as long as `goesOn`, goes from one to the other, and loads the page anew. Returns what was written where. */
async function write(page: Page, rooms: number[], name: string, dice: Dice, goesOn: () => boolean): Promise<Map<number, string[]>> {
  const written = new Map(rooms.map((room) => [room, [] as string[]]));
  const opened = new RoomPage(page);
  const link = (room: number) => page.locator(`.room-link[href="/rooms/${room}"]`);
  for (let count = 0, at = 0; goesOn(); count += 1) {
    const chance = dice.roll();
    if (chance < 0.1) {
      at = 1 - at;
      await link(rooms[at]!).click();
      // A room that does not load for want of a network heals by itself.
      await expect(page).toHaveTitle(new RegExp(NAMES[at]!), { timeout: 30_000 });
    } else if (chance < 0.14) {
      // Until it loads and is live, which is what somebody would do.
      for (;;) {
        const loaded = await page.goto(`/rooms/${rooms[at]}`, { timeout: 8_000 }).catch(() => null);
        if (!loaded?.ok()) continue;
        const live = page.locator('[data-live="true"]');
        if (await live.waitFor({ state: 'attached', timeout: 10_000 }).then(() => true, () => false)) break;
      }
    }
    const words = `${name} ${count}`;
    await opened.composer.fill(words);
    await opened.composer.press('Enter');
    await expect(opened.composer).toHaveValue('');
    written.get(rooms[at]!)!.push(words);
    await delay(200 + dice.below(600));
  }
  return written;
}

/** What this person has stored in the room, oldest first. */
async function stored(person: Person, room: number): Promise<string[]> {
  const said: string[] = [];
  for (let before = ''; ; ) {
    const page = await person.api.get<{ messages: { id: number; content: string; sender: { id: number } }[]; has_more: boolean }>(
      `/api/chat/rooms/${room}/messages/?page_size=100${before}`,
    );
    said.push(...page.messages.filter(({ sender }) => sender.id === person.id).map(({ content }) => content));
    if (page.messages.length < 100) return said.reverse();
    before = `&before_id=${page.messages.at(-1)!.id}`;
  }
}

test('whatever happens to the connection and the server, every word is stored once', async ({ app, browser, people, troubles }) => {
  test.setTimeout((SECONDS + 120) * 1_000);
  troubles.allow(/./);
  console.log(`seed ${SEED}`);
  const dice = new Dice(SEED);
  const wire = await BadWire.to(app.url, dice);
  const writers = [await people.create('lin'), await people.create('mei')];
  const [lin, mei] = writers as [Person, Person];
  const rooms = [await people.together(NAMES[0]!, lin, mei), await people.together(NAMES[1]!, lin, mei)];
  const context = () => browser.newContext({ baseURL: wire.url });
  const pages = await Promise.all(
    writers.map(async (writer) => {
      const page = await (await context()).newPage();
      await signIn(page, writer);
      await (await new RoomPage(page).open(rooms[0]!)).live();
      return page;
    }),
  );

  wire.isBad = true;
  const end = Date.now() + SECONDS * 1_000;
  const goesOn = () => Date.now() < end;
  const kills = (async () => {
    while (goesOn()) {
      await delay(4_000 + dice.below(8_000));
      if (dice.roll() < 0.5) wire.cut();
      else {
        await (dice.roll() < 0.5 ? app.kill() : app.stop());
        await delay(dice.below(2_000));
        await app.start();
      }
    }
  })();
  const written = await Promise.all(writers.map((writer, at) => write(pages[at]!, rooms, writer.username, new Dice(SEED + at + 1), goesOn)));
  await kills;
  wire.isBad = false;
  wire.cut();

  for (const [at, writer] of writers.entries()) {
    const page = pages[at]!;
    const unsent = () => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('liao-unsent-')).length);
    await expect.poll(unsent, { timeout: 60_000 }).toBe(0);
    for (const room of rooms) expect(await stored(writer, room), `seed ${SEED}`).toEqual(written[at]!.get(room));
    await page.context().close();
  }
  await wire.close();
});
