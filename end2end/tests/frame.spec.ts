import type { Locator, Page } from '@playwright/test';
import { type Crowd, makeCrowd } from '../support/crowd';
import { signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test as base } from '../support/test';

// The frame fills the window and stays there: only what is in a pane scrolls, however much that is.

const test = base.extend<{}, { crowd: Crowd }>({
  crowd: [async ({ app }, use) => use(await makeCrowd(app)), { scope: 'worker', timeout: 180_000 }],
});

/** Every page of the frame, and those that are reached by a link into one. No two in a row differ by the fragment alone: that would be no new page. */
const pages = ({ large, mine, message }: Crowd): string[] => [
  '/rooms',
  `/rooms/${large}`,
  `/rooms/${large}?message=${message}#message-${message}`,
  `/rooms/${large}?message=${message}&do=reply#message-${message}`,
  `/rooms/${large}?panel=details`,
  `/rooms/${large}#main`,
  `/rooms/${large}/members`,
  `/rooms/${mine}/settings`,
  // Not theirs to set.
  `/rooms/${large}/settings`,
  '/rooms/browse',
  '/rooms/new',
  '/rooms/9007199254740991',
  '/notifications',
  '/settings',
  '/notifications#main',
];

/** How far the page and its frame could be, or are, scrolled; and what stands where it would scroll with the wrong box. */
const look = (page: Page) =>
  page.evaluate(() => {
    const root = document.documentElement;
    const shell = document.querySelector('.shell')!;
    const boxes = [...document.querySelectorAll<HTMLElement>('*')];
    const scrolls = (box: Element) => /auto|scroll/.test(getComputedStyle(box).overflowY);
    /** The nearest box around this one of which that is true. `offsetParent` would not tell of drawings. */
    const around = (box: Element, is: (outer: Element) => boolean) => {
      let outer = box.parentElement;
      while (outer && !is(outer)) outer = outer.parentElement;
      return outer;
    };
    const strays = boxes.filter((box) => {
      if (getComputedStyle(box).position !== 'absolute' || box.getClientRects().length === 0) return false;
      const scroller = around(box, scrolls);
      return scroller?.contains(around(box, (outer) => getComputedStyle(outer).position !== 'static')) === false;
    });
    return {
      tooHigh: root.scrollHeight - window.innerHeight,
      tooWide: Math.max(0, root.scrollWidth - window.innerWidth),
      scrolled: [window.scrollY, root.scrollTop, shell.scrollTop],
      top: shell.getBoundingClientRect().top,
      strays: strays.map((box) => `${box.getAttribute('class')} in ${box.parentElement?.className}`),
    };
  });

const STILL = { tooHigh: 0, tooWide: 0, scrolled: [0, 0, 0], top: 0, strays: [] };

/** Turns the wheel over this, if the page has it and shows it. */
async function turn(page: Page, over: Locator): Promise<void> {
  // Not every page has every bar, and a box of what is not there would be waited for.
  const [shown] = await over.filter({ visible: true }).all();
  const box = await shown?.boundingBox();
  if (!box) return;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, 2_000);
}

for (const [device, size] of Object.entries({ desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } })) {
  test(`no page scrolls out of its frame, ${device}`, async ({ page, crowd, troubles }) => {
    test.setTimeout(120_000);
    troubles.allow(/40[34]/);
    await page.setViewportSize(size);
    await signIn(page, crowd.me);
    for (const path of pages(crowd)) {
      await test.step(path, async () => {
        await page.goto(path);
        await expect(page.locator('main#main')).toBeAttached();
        await expect.poll(() => look(page), path).toEqual(STILL);
        for (const over of ['.pane-main .bar', '.pane-list .bar', '.rooms-foot', '.pane-details .bar', '.composer', '.sheet', '.page']) {
          await turn(page, page.locator(over));
        }
        // What the wheel would do it does within some frames. Timers of the page do not run where its scripts do not.
        await page.waitForTimeout(100);
        expect(await look(page), `${path}, after the wheel`).toEqual(STILL);
      });
    }
  });
}

test('a link to a message shows it, and its room around it', async ({ page, crowd }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await signIn(page, crowd.me);
  await page.goto(`/rooms/${crowd.large}?message=${crowd.message}#message-${crowd.message}`);
  const room = new RoomPage(page);
  await room.inView('很早的一句');
  await expect(room.composer).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('link', { name: '聊 Liao', exact: true })).toBeInViewport({ ratio: 1 });
});

test('the first two stops of the keyboard lead past the rooms', async ({ page, crowd }) => {
  await signIn(page, crowd.me);
  const focused = page.locator(':focus');
  for (const path of [`/rooms/${crowd.large}`, '/settings']) {
    await page.goto(path);
    await page.keyboard.press('Tab');
    await expect(focused).toHaveText('跳到正文');
    await expect(focused).toBeInViewport();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect(page.locator('main#main :focus')).toHaveCount(1);
  }
  const room = await new RoomPage(page).open(crowd.large);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(focused).toHaveText('跳到输入框');
  await page.keyboard.press('Enter');
  await expect(room.composer).toBeFocused();
  await expect.poll(() => look(page)).toEqual(STILL);
});
