import { resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { App } from '../support/app';
import { type Person, signIn } from '../support/people';
import { type Scene, setScene } from '../support/scene';
import { test } from '../support/test';
import { Troubles } from '../support/troubles';

/** All pictures, to be looked at; they are not kept in the repository. */
const GALLERY = resolve('results/pictures');

const DEVICES = [
  { name: 'wide', viewport: { width: 1280, height: 800 } },
  { name: 'phone', viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
];

/** One way the pages can look, on a server of its own where the scene is set. */
export class Look {
  private readonly contexts: BrowserContext[] = [];

  constructor(
    readonly app: App,
    readonly scene: Scene,
    readonly isPhone: boolean,
    private readonly folder: string,
    private readonly browser: Browser,
    private readonly device: object,
    private readonly troubles: Troubles,
  ) {}

  /** A new browser that looks so, of a stranger or of somebody who has signed in. */
  async open(person?: Person): Promise<Page> {
    const context = await this.browser.newContext({ ...this.device, baseURL: this.app.url });
    this.contexts.push(context);
    await this.troubles.watch(context);
    const page = await context.newPage();
    if (person) await signIn(page, person);
    return page;
  }

  /** Takes the picture of what the page shows now. */
  async take(page: Page, name: string): Promise<void> {
    await picture(page, `${GALLERY}/${this.folder}/${name}.png`);
  }

  /** Closes all browsers of this look. */
  async close(): Promise<void> {
    for (const context of this.contexts) await context.close();
  }
}

/** Takes a picture once nothing moves any more. */
export async function picture(page: Page, path: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path, animations: 'disabled' });
}

/** Does this in every look: both languages, both themes, a desk and a phone. */
export function everyLook(title: string, body: (look: Look) => Promise<void>, ...allowed: RegExp[]): void {
  for (const locale of ['zh-CN', 'en'] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const { name, ...device } of DEVICES) {
        test(`${title}, ${locale}, ${colorScheme}, ${name}`, async ({ browser }) => {
          test.setTimeout(180_000);
          const app = await App.launch();
          const troubles = new Troubles(app);
          for (const pattern of allowed) troubles.allow(pattern);
          const seen = { ...device, locale, colorScheme, timezoneId: 'Asia/Shanghai' };
          const folder = `${locale}-${colorScheme}-${name}`;
          try {
            const look = new Look(app, await setScene(app), name === 'phone', folder, browser, seen, troubles);
            await body(look);
            await look.close();
          } finally {
            await app.remove();
          }
          troubles.check();
        });
      }
    }
  }
}
