import { defineConfig } from '@playwright/test';

/** Lighthouse's scores of the release: `cargo xtask lighthouse`. */
export default defineConfig({
  testDir: './lighthouse',
  testMatch: /\.spec\.mjs$/,
  outputDir: './results/lighthouse',
  reporter: [['list']],
});
