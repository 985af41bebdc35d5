import { defineConfig } from '@playwright/test';
import { chromium } from './support/browser';

/**
 * The journeys of people through the built server, in a real browser.
 *
 * Each spec runs twice, with JavaScript and without: what a page offers before the wasm has loaded must work too.
 * What only makes sense with it stands in a `*.hydrate.spec.ts`.
 */
export default defineConfig({
  testDir: './tests',
  outputDir: './results/artifacts',
  forbidOnly: true,
  retries: 0,
  // Each worker has a server of its own. A page waits for one core while another one's server renders on the other.
  workers: '100%',
  timeout: 60_000,
  globalTimeout: 25 * 60_000,
  reporter: [
    ['list'],
    // `cargo xtask test` counts by this one.
    ['json', { outputFile: 'results/report.json' }],
    ['html', { outputFolder: 'report', open: 'never' }],
  ],
  use: {
    launchOptions: chromium,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'javascript', use: { javaScriptEnabled: true } },
    { name: 'no-javascript', use: { javaScriptEnabled: false }, testIgnore: /\.hydrate\.spec\.ts$/ },
  ],
});
