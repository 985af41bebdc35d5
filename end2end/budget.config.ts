import { defineConfig } from '@playwright/test';
import main from './playwright.config';

/** What a visitor fetches. Apart from the other tests, since it only holds for the release's site. */
export default defineConfig({ ...main, testDir: './budget', projects: [{ name: 'first-visit' }] });
