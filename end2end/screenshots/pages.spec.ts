import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { Api } from '../support/api';
import { signIn } from '../support/people';
import { expect, test } from '../support/test';

const PICTURES = resolve('../docs/pictures');

/** What the people in the pictures say, one after the other. */
const TALK: [who: 'lin' | 'mei' | 'tom', text: string][] = [
  ['lin', '早上好！新版本今天下午上线，大家还有没有没合并的改动？'],
  ['mei', '我这边只剩文档了，中午之前能写完。'],
  ['tom', 'The English texts are in. Could somebody read them once more before we start?'],
  ['lin', '太好了 🎉 那我们三点开始。'],
  ['mei', '收到，我来写发布说明。'],
];

async function picture(page: Page, name: string): Promise<void> {
  // Where it hovers over nothing.
  await page.mouse.move(640, 10);
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${PICTURES}/${name}.png`, animations: 'disabled' });
}

test('the sign-in page', async ({ page }) => {
  await page.goto('/sign-in');
  await picture(page, 'sign-in');
});

test('a room, in every look', async ({ app, page }) => {
  const accounts = {
    lin: await Api.register(app, 'lin', 'correct-horse-battery-9'),
    mei: await Api.register(app, 'mei', 'correct-horse-battery-9'),
    tom: await Api.register(app, 'tom', 'correct-horse-battery-9'),
  };
  const [lin, mei, tom] = await Promise.all(Object.values(accounts).map((account) => Api.signIn(app, account)));
  const voices = { lin: lin!, mei: mei!, tom: tom! };
  for (const [name, description] of [['设计', '界面与图标'], ['闲聊', '什么都可以说'], ['发布', '每一次上线']]) {
    await voices.lin.post('/api/chat/rooms/', { name, description, room_type: 'public' });
  }
  const rooms = await voices.mei.get<{ id: number; name: string }[]>('/api/chat/rooms/');
  const room = rooms.find(({ name }) => name === '发布');
  expect(room).toBeDefined();
  for (const voice of [voices.mei, voices.tom]) await voice.post(`/api/chat/rooms/${room!.id}/join/`);
  for (const [who, content] of TALK) await voices[who].post(`/api/chat/rooms/${room!.id}/messages/`, { content });

  await signIn(page, accounts.mei);
  await page.goto(`/rooms/${room!.id}`);
  await expect(page.getByTestId('message').last()).toContainText(TALK.at(-1)![1]);
  await picture(page, 'room-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'room-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, 'room-phone');
});
