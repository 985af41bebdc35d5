import { expectAccessible } from '../support/accessible';
import { test } from '../support/test';

test('the sign-in page is accessible', async ({ page }) => {
  await page.goto('/sign-in');

  await expectAccessible(page);
});
