import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { signIn } from '../support/people';
import { type Scene, setScene } from '../support/scene';
import { expect, test as base } from '../support/test';

/** The pictures of the documentation. */
const PICTURES = resolve('../docs/pictures');
/** All of them, to be looked at; they are not kept in the repository. */
const GALLERY = resolve('results/pictures');

const test = base.extend<object, { scene: Scene }>({
  scene: [async ({ app }, use) => use(await setScene(app)), { scope: 'worker' }],
});

/** What is to be seen on each page before its picture is taken, and what is opened over it. */
const PAGES: [name: string, path: string, prepare?: (page: Page) => Promise<void>][] = [
  ['sign-in', '/sign-in'],
  ['sign-up', '/sign-up'],
  ['missing', '/no/such/page'],
  ['offline', '/offline'],
  ['rooms', '/rooms'],
  ['room', '/rooms/:id'],
  ['details', '/rooms/:id?panel=details'],
  ['account', '/rooms', (page) => page.locator('.me').click()],
  ['switcher', '/rooms', openSwitcher],
  ['new-room', '/rooms/new'],
  ['browse', '/rooms/browse'],
  ['notifications', '/notifications'],
  ['members', '/rooms/:mine/members', (page) => page.locator('.person summary').first().click()],
  ['room-settings', '/rooms/:mine/settings', (page) => page.locator('.confirm summary').click()],
  ['settings', '/settings'],
];
/** Those that only strangers see. */
const STRANGE = new Set(['sign-in', 'sign-up']);

const LOOKS = [
  { name: 'wide', viewport: { width: 1280, height: 800 } },
  { name: 'phone', viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
];

async function openSwitcher(page: Page): Promise<void> {
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('option').first()).toBeVisible();
}

async function picture(page: Page, path: string): Promise<void> {
  // Where it hovers over nothing.
  await page.mouse.move(640, 10);
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path, animations: 'disabled' });
}

test('the pictures of the documentation', async ({ page, scene }) => {
  await page.goto('/sign-in');
  await picture(page, `${PICTURES}/sign-in.png`);
  await signIn(page, { id: 0, ...scene.mei });
  await page.goto(`/rooms/${scene.room}`);
  await expect(page.getByTestId('message').last()).toContainText('收到');
  await picture(page, `${PICTURES}/room-light.png`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, `${PICTURES}/room-dark.png`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, `${PICTURES}/room-phone.png`);
});

for (const locale of ['zh-CN', 'en'] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const { name: look, ...device } of LOOKS) {
      test(`every page, ${locale}, ${colorScheme}, ${look}`, async ({ app, browser, scene, troubles }) => {
        test.setTimeout(120_000);
        troubles.allow(/404/);
        const context = await browser.newContext({ ...device, baseURL: app.url, locale, colorScheme, timezoneId: 'Asia/Shanghai' });
        await troubles.watch(context);
        const page = await context.newPage();
        const take = async ([name, path, prepare]: (typeof PAGES)[number], mine = 0) => {
          await page.goto(path.replace(':id', String(scene.room)).replace(':mine', String(mine)));
          await page.waitForLoadState('networkidle');
          await prepare?.(page);
          await picture(page, `${GALLERY}/${locale}-${colorScheme}-${look}/${name}.png`);
        };
        for (const one of PAGES) if (STRANGE.has(one[0])) await take(one);
        await signIn(page, { id: 0, ...scene.mei });
        for (const one of PAGES) if (!STRANGE.has(one[0])) await take(one, scene.mine);
        await context.close();
      });
    }
  }
}
