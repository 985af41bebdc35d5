import { defineConfig } from '@playwright/test';
import { chromium } from './support/browser';

/** The pictures of the documentation: `cargo xtask screenshots`. */
export default defineConfig({
  testDir: './screenshots',
  outputDir: './results/screenshots',
  reporter: [['list']],
  use: {
    launchOptions: chromium,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    viewport: { width: 1280, height: 800 },
    deviceScaleFactor: 2,
  },
});
