import { type Page, expect } from '@playwright/test';
import { type Look, everyLook } from './look';

// Every state that a conversation can be in. Words are in two languages here, so things are found by what they are.

const composer = (page: Page) => page.locator('.composer textarea');

async function enter(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.locator('[data-live="true"]')).toBeAttached();
}

/** The actions at the message with this text, as under the pointer or the finger. */
async function point(page: Page, text: string): Promise<void> {
  const message = page.getByTestId('message').filter({ hasText: text }).last();
  await message.scrollIntoViewIfNeeded();
  await message.hover();
  await expect(message.getByTestId('actions')).toBeVisible();
}

async function begin(page: Page, text: string, what: 'reply' | 'edit' | 'delete' | 'readers'): Promise<void> {
  await point(page, text);
  await page.getByTestId(what).click();
  await expect(page.getByTestId('doing')).toBeVisible();
}

async function cancel(page: Page): Promise<void> {
  await page.getByTestId('cancel').click();
  await expect(page.getByTestId('doing')).toHaveCount(0);
}

everyLook(
  'every state of a conversation',
  async (look) => {
    const page = await look.open(look.scene.mei);
    await read(look, page);
    await act(look, page);
    await write(look, page);
    await lose(look, page);
  },
  // What the test itself does to the line.
  /WebSocket|ERR_CONNECTION_REFUSED/,
);

/** What there is to read. */
async function read(look: Look, page: Page): Promise<void> {
  const { scene } = look;
  await enter(page, `/rooms/${scene.work}`);
  // Where it hovers over nothing.
  await page.mouse.move(640, 10);
  await expect(page.getByTestId('new-line')).toBeAttached();
  await look.take(page, 'new-line');
  const folded = page.locator('.prose-more').first();
  await folded.scrollIntoViewIfNeeded();
  await look.take(page, 'folded');
  await folded.locator('summary').click();
  await look.take(page, 'unfolded');
  await enter(page, `/rooms/${scene.room}`);
  await look.take(page, 'room');
  await page.locator('.prose-table').scrollIntoViewIfNeeded();
  await page.locator('.prose pre').scrollIntoViewIfNeeded();
  await look.take(page, 'code-and-table');
  // Others are there too, and one of them is writing.
  const toms = await look.open(scene.tom);
  await enter(toms, `/rooms/${scene.room}`);
  await composer(toms).pressSequentially('On my way');
  await expect(page.getByTestId('typing')).toContainText('Tom Becker');
  await look.take(page, 'typing');
  await enter(page, `/rooms/${scene.room}?panel=details`);
  await look.take(page, 'details');
  await enter(page, `/rooms/${scene.silent}`);
  await look.take(page, 'empty-room');
}

/** What one does with a message. */
async function act(look: Look, page: Page): Promise<void> {
  await enter(page, `/rooms/${look.scene.room}`);
  await point(page, '备份脚本');
  await look.take(page, 'actions');
  await page.getByTestId('copy-link').focus();
  await page.keyboard.press('Tab');
  await look.take(page, 'actions-focus');
  await begin(page, '三点见', 'reply');
  await look.take(page, 'replying');
  await cancel(page);
  await begin(page, '备份脚本', 'edit');
  await look.take(page, 'editing');
  await cancel(page);
  await begin(page, '备份脚本', 'readers');
  await expect(page.getByTestId('reader-names')).toContainText('Tom');
  await look.take(page, 'readers');
  await cancel(page);
  await begin(page, '备份脚本', 'delete');
  await look.take(page, 'deleting');
  await cancel(page);
  await enter(page, `/rooms/${look.scene.work}`);
  await page.getByTestId('quote').first().click();
  await expect(page.locator('.message-target')).toBeVisible();
  await look.take(page, 'jumped-to');
  if (look.isPhone) return;
  await page.locator('.composer-foot button').click();
  await look.take(page, 'shortcuts');
}

/** What one writes. */
async function write(look: Look, page: Page): Promise<void> {
  await enter(page, `/rooms/${look.scene.room}`);
  await composer(page).pressSequentially('好的 @');
  await expect(page.getByTestId('mention-option').first()).toBeVisible();
  await look.take(page, 'mentions');
  await composer(page).fill('第一行\n第二行，比第一行要长一些，长到在手机上放不下，要折到下一行去\n第三行');
  await look.take(page, 'writing');
  await composer(page).fill('长'.repeat(10_004));
  await look.take(page, 'too-long');
  await composer(page).fill('');
}

/** What goes wrong. */
async function lose(look: Look, page: Page): Promise<void> {
  const { app, scene } = look;
  await page.routeWebSocket(/\/ws\/$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      const { type, room_id, client_id } = JSON.parse(String(frame)) as { type: string; room_id?: number; client_id?: string };
      if (type !== 'chat_message') return server.send(frame);
      socket.send(JSON.stringify({ type: 'error', code: 'muted', message: '', room_id, client_id }));
    });
  });
  await enter(page, `/rooms/${scene.room}`);
  await composer(page).fill('我先去把备份跑起来');
  await page.locator('.composer button[type="submit"]').click();
  await expect(page.locator('.message-failed')).toBeVisible();
  await look.take(page, 'failed');
  await page.unrouteAll();
  await enter(page, `/rooms/${scene.room}`);
  await app.stop();
  await expect(page.locator('.notice-strip')).toBeVisible();
  await composer(page).fill('断线的时候也能写');
  await page.locator('.composer button[type="submit"]').click();
  await expect(page.locator('[data-delivery="sending"]')).toBeVisible();
  // As it is once it takes long.
  await page.waitForTimeout(1_200);
  await look.take(page, 'connection-lost');
}
