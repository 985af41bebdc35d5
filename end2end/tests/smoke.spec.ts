import { expect, test } from '../support/test';

test('a stranger is led to the sign-in page', async ({ page }) => {
  await page.goto('/');

  await expect(page).toHaveURL(/\/sign-in(\?.*)?$/);
  await expect(page.locator('input[name="password"]')).toBeVisible();
});

test('whoever signs in comes to the rooms, and finds them again after a restart of the server', async ({
  app,
  people,
}) => {
  const page = await people.open(await people.create('lin'));
  await expect(page).toHaveURL(/\/rooms$/);

  await page.waitForLoadState('networkidle');
  await app.stop();
  await app.start();

  await page.goto('/');
  await expect(page).toHaveURL(/\/rooms$/);
});
