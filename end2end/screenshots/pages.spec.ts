import { type Page, expect } from '@playwright/test';
import type { Scene } from '../support/scene';
import { everyLook } from './look';

type Shot = [name: string, path: (scene: Scene) => string, prepare?: (page: Page) => Promise<void>];

/** What only strangers see. */
const STRANGE: Shot[] = [
  ['sign-in', () => '/sign-in'],
  ['sign-in-refused', () => '/sign-in', refused],
  ['sign-up', () => '/sign-up'],
];

/** The pages, and what is opened on each before its picture is taken. */
const PAGES: Shot[] = [
  ['missing', () => '/no/such/page'],
  ['offline', () => '/offline'],
  ['rooms', () => '/rooms'],
  ['account', () => '/rooms', (page) => page.locator('.me').click()],
  ['switcher', () => '/rooms', openSwitcher],
  ['switcher-found', () => '/rooms', (page) => find(page, 'tom')],
  ['switcher-none', () => '/rooms', (page) => find(page, 'zzz')],
  ['new-room', () => '/rooms/new'],
  ['browse', () => '/rooms/browse'],
  ['notifications', () => '/notifications'],
  ['members', ({ mine }) => `/rooms/${mine}/members`, (page) => page.locator('.person summary').first().click()],
  ['room-settings', ({ mine }) => `/rooms/${mine}/settings`],
  ['room-settings-delete', ({ mine }) => `/rooms/${mine}/settings`, (page) => page.locator('.confirm summary').click()],
  ['settings', () => '/settings'],
  ['not-joined', ({ elsewhere }) => `/rooms/${elsewhere}`],
  ['room-missing', () => '/rooms/999999'],
];

/** Where there is nothing yet. */
const EMPTY: Shot[] = [
  ['empty-rooms', () => '/rooms'],
  ['empty-notifications', () => '/notifications'],
  ['empty-browse', () => '/rooms/browse?search=zzz'],
  ['empty-switcher', () => '/rooms', (page) => page.keyboard.press('Control+k')],
];

async function refused(page: Page): Promise<void> {
  await page.locator('input[name="username"]').fill('mei');
  await page.locator('input[name="password"]').fill('not hers');
  await page.locator('input[name="password"]').press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
}

async function openSwitcher(page: Page): Promise<void> {
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('option').first()).toBeVisible();
}

async function find(page: Page, words: string): Promise<void> {
  await openSwitcher(page);
  const answered = page.waitForResponse((response) => response.url().includes(words));
  await page.getByRole('combobox').fill(words);
  await answered;
}

everyLook(
  'every page',
  async (look) => {
    const take = async (page: Page, shots: Shot[]) => {
      for (const [name, path, prepare] of shots) {
        await page.goto(path(look.scene));
        await page.waitForLoadState('networkidle');
        await prepare?.(page);
        // Where it hovers over nothing.
        await page.mouse.move(640, 10);
        await look.take(page, name);
      }
    };
    await take(await look.open(), STRANGE);
    await take(await look.open(look.scene.mei), PAGES);
    await take(await look.open(look.scene.newcomer), EMPTY);
  },
  /40[134]/,
);
