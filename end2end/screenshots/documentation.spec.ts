import { resolve } from 'node:path';
import { signIn } from '../support/people';
import { setScene } from '../support/scene';
import { expect, test } from '../support/test';
import { picture } from './look';

const PICTURES = resolve('../docs/pictures');
const DESK = { width: 1280, height: 864 };

test('the pictures of the documentation', async ({ app, browser, troubles }) => {
  test.setTimeout(60_000);
  const { mei, tom, room } = await setScene(app);
  const open = async (locale: 'zh-CN' | 'en', settings: object = {}) => {
    const context = await browser.newContext({ baseURL: app.url, locale, viewport: DESK, ...settings });
    await troubles.watch(context);
    return context.newPage();
  };
  const enter = async (page: Awaited<ReturnType<typeof open>>) => {
    await page.goto(`/rooms/${room}`);
    await expect(page.locator('[data-live="true"]')).toBeAttached();
    await expect(page.getByTestId('message').last()).toContainText('三点见');
    await page.mouse.move(640, 10);
  };

  const light = await open('zh-CN');
  await light.goto('/sign-in');
  await picture(light, `${PICTURES}/sign-in.png`);
  await signIn(light, mei);
  const toms = await open('en');
  await signIn(toms, tom);
  await enter(toms);
  await enter(light);
  // Once more, so that no line says what is new.
  await enter(light);
  await picture(light, `${PICTURES}/room-light.png`);
  const dark = await open('en', { colorScheme: 'dark' });
  await signIn(dark, mei);
  await enter(dark);
  await picture(dark, `${PICTURES}/room-dark.png`);
  const phone = await open('zh-CN', { viewport: { width: 390, height: 794 }, hasTouch: true, isMobile: true });
  await signIn(phone, mei);
  await enter(phone);
  await picture(phone, `${PICTURES}/room-phone.png`);
});
