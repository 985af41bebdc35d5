import { expect, test } from '../support/test';

test('the test page is a reference of every call, script or none', async ({ app, page }) => {
  const schema = (await (await fetch(`${app.url}/api/schema/`)).json()) as { paths: Record<string, Record<string, { operationId: string }>> };
  const ids = Object.values(schema.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  expect(ids.length).toBeGreaterThan(25);
  for (const path of ['/api/docs/', '/api/chat/test/']) {
    await page.goto(path);
    const calls = page.getByTestId(/^operation-/);
    await expect(calls.first()).toBeVisible();
    const shown = await calls.evaluateAll((all) => all.map((call) => call.getAttribute('data-testid')));
    expect(shown.sort()).toEqual(ids.map((id) => `operation-${id}`).sort());
    await expect(page.getByTestId(/^socket-\//)).toHaveCount(3);
  }
});

test('the reference speaks the language that was chosen', async ({ page }) => {
  await page.goto('/api/chat/test/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('API 测试台');
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page).toHaveURL(/\/api\/chat\/test\//);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('API console');
  await page.goto('/api/docs/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('API reference');
});
