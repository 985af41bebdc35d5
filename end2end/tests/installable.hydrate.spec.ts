import { expect, test } from '../support/test';

test('it can be installed: a manifest with icons that are there', async ({ page }) => {
  await page.goto('/sign-in');
  const address = await page.locator('link[rel="manifest"]').getAttribute('href');
  const manifest = await (await page.request.get(address!)).json();
  expect(manifest).toMatchObject({ display: 'standalone', start_url: '/rooms', scope: '/' });
  for (const { src, type } of manifest.icons) {
    const icon = await page.request.get(src);
    expect([icon.status(), icon.headers()['content-type']]).toEqual([200, type]);
  }
});

test('without a network there is a page that says so, and of people nothing is kept', async ({ people, troubles }) => {
  troubles.allow(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
  const lin = await people.create('lin');
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '机密', room_type: 'private' });
  const page = await people.open(lin);
  await page.goto(`/rooms/${id}`);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  // The page that registered it is served by it from the next one on.
  await page.goto('/notifications');
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const stores = await Promise.all(names.map((name) => caches.open(name).then((store) => store.keys())));
    return stores.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toContain('/offline');
  expect(kept.filter((path) => path !== '/offline' && !path.startsWith('/pkg/'))).toEqual([]);

  await page.context().setOffline(true);
  await page.goto(`/rooms/${id}`);
  await expect(page.getByRole('heading', { name: '没有网络' })).toBeVisible();
  await expect(page.locator('body')).toHaveCSS('margin', '0px');
  await page.context().setOffline(false);
  await page.getByRole('link', { name: '再试一次' }).click();
  await expect(page.getByRole('heading', { name: '机密' }).first()).toBeVisible();
});
