import { test as base } from '@playwright/test';
import { App } from './app';
import { People } from './people';
import { Troubles } from './troubles';

export { expect } from '@playwright/test';

/**
 * The `test` of every spec: `page` is a stranger's browser at the running server, `people` brings others, and
 * whatever goes wrong unseen fails the test.
 */
export const test = base.extend<{ people: People; troubles: Troubles }, { app: App }>({
  app: [
    async ({}, use) => {
      const app = await App.launch();
      await use(app);
      await app.remove();
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ app }, use) => use(app.url),

  troubles: [
    async ({ app, javaScriptEnabled }, use, testInfo) => {
      const start = app.log.length;
      const troubles = new Troubles(app);
      // Where nothing can use what a page has the browser fetch ahead, the browser says so after some seconds.
      if (!javaScriptEnabled) troubles.allow(/was preloaded using link preload but not used/);
      await use(troubles);
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach('server log', { body: app.log.slice(start), contentType: 'text/plain' });
      }
      troubles.check();
    },
    { auto: true },
  ],

  context: async ({ context, troubles }, use) => {
    await troubles.watch(context);
    await use(context);
  },

  people: async ({ app, browser, troubles }, use) => {
    const people = new People(app, browser, troubles);
    await use(people);
    await people.leave();
  },
});
