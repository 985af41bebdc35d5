import type { Page } from '@playwright/test';
import { type Person, signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

/** A room in which one has said all of this. */
async function roomWith(person: Person, ...texts: string[]): Promise<number> {
  const { id } = await person.api.post<{ id: number }>('/api/chat/rooms/', { name: '排版', room_type: 'private' });
  for (const content of texts) await person.api.post(`/api/chat/rooms/${id}/messages/`, { content });
  return id;
}

/** Does everything fit into the window from left to right? */
async function expectNoOverflow(page: Page): Promise<void> {
  const timeline = page.locator('.timeline');
  expect(await timeline.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
}

test('Markdown is shown as what it means', async ({ page, people }) => {
  const lin = await people.create('lin');
  const text = [
    `**注意：**明天 _上线_，~~不是今天~~，@${lin.username} 请看 https://example.com/a_b 。`,
    '- 第一\n- 第二',
    '> 引用',
    '```rust\nfn main() {} // 注释\n```',
    '| 名 | 数 |\n|---|--:|\n| 甲 | 1 |',
    '第一行\n第二行',
  ].join('\n\n');
  const id = await roomWith(lin, text);
  await signIn(page, lin);
  const room = await new RoomPage(page).open(id);
  const message = room.messages.first();
  await expect(message.locator('strong').first()).toHaveText('注意：');
  await expect(message.locator('em')).toHaveText('上线');
  await expect(message.locator('del')).toHaveText('不是今天');
  await expect(message.locator('.mention-me')).toHaveText(`@${lin.username}`);
  const link = message.getByRole('link', { name: 'https://example.com/a_b' });
  await expect(link).toHaveAttribute('href', 'https://example.com/a_b');
  await expect(link).toHaveAttribute('rel', 'noopener nofollow ugc');
  await expect(message.getByRole('listitem')).toHaveText(['第一', '第二']);
  await expect(message.locator('blockquote')).toHaveText('引用');
  await expect(message.locator('pre')).toHaveText('fn main() {} // 注释');
  await expect(message.locator('pre .code-word')).toHaveText('fn');
  await expect(message.getByRole('cell')).toHaveText(['甲', '1']);
  // The break within a paragraph is drawn: two lines are twice as high as one.
  const height = (part: string) => message.locator('.prose > p', { hasText: part }).evaluate((line) => line.clientHeight);
  expect(await height('第二行')).toBe(2 * (await height('注意')));
});

test('markup, scripts and strange letters are text, and stay within their message', async ({ page, people }) => {
  const hostile = [
    '<script>alert(1)</script><img src=x onerror=alert(2)>',
    '<svg onload=alert(3)><a xlink:href="javascript:alert(4)">x</a></svg>',
    '[click](javascript:alert(5)) [data](data:text/html,x) javascript:alert(6)',
    `\u202e反向 ${'x'.repeat(3_000)}`,
    `Z${'\u0301\u0302\u0303\u0304'.repeat(200)}algo`,
    `\`\`\`\n${'宽'.repeat(500)}\n\`\`\``,
    `|${'列'.repeat(200)}|b|\n|-|-|\n|1|2|`,
    `${'> '.repeat(40)}深`,
  ];
  const lin = await people.create('lin');
  const id = await roomWith(lin, ...hostile, '最后一句');
  page.on('dialog', (dialog) => {
    throw new Error(`a script ran: ${dialog.message()}`);
  });
  await signIn(page, lin);
  for (const size of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
    await page.setViewportSize(size);
    const room = await new RoomPage(page).open(id);
    await expect(room.messages).toHaveCount(hostile.length + 1);
    await expect(room.message('<script>alert(1)</script>')).toBeVisible();
    await expect(room.message('javascript:alert(5)')).toBeVisible();
    await expect(room.bodies).toHaveCount(hostile.length + 1);
    await expect(room.bodies.locator('script, img, svg, a[href^="javascript"]')).toHaveCount(0);
    await expectNoOverflow(page);
    // Stacked accents are drawn over no other message.
    await expect(room.message('algo').locator('.prose')).toHaveCSS('overflow-y', 'clip');
  }
});

test('a long text is folded and unfolds', async ({ page, people }) => {
  const lin = await people.create('lin');
  const id = await roomWith(lin, Array.from({ length: 80 }, (_, line) => `第 ${line} 行`).join('\n'));
  await signIn(page, lin);
  const room = await new RoomPage(page).open(id);
  const prose = room.messages.first().locator('.prose');
  const height = () => prose.evaluate((text) => text.clientHeight);
  expect(await height()).toBeLessThan(400);
  await page.getByText('显示全文').click();
  expect(await height()).toBeGreaterThan(1_000);
  await page.getByText('收起').click();
  expect(await height()).toBeLessThan(400);
});
