import { resolve } from 'node:path';
import { signIn } from '../support/people';
import { setScene } from '../support/scene';
import { expect, test } from '../support/test';
import { picture } from './look';

const PICTURES = resolve('../docs/pictures');

test('the pictures of the documentation', async ({ app, page }) => {
  const scene = await setScene(app);
  await page.goto('/sign-in');
  await picture(page, `${PICTURES}/sign-in.png`);
  await signIn(page, scene.mei);
  await page.goto(`/rooms/${scene.room}`);
  await expect(page.locator('[data-live="true"]')).toBeAttached();
  await expect(page.getByTestId('message').last()).toContainText('三点见');
  // Once more, so that no line says what is new.
  await page.reload();
  await expect(page.locator('[data-live="true"]')).toBeAttached();
  await picture(page, `${PICTURES}/room-light.png`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, `${PICTURES}/room-dark.png`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, `${PICTURES}/room-phone.png`);
});
