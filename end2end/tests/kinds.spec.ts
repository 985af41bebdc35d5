import type { Page } from '@playwright/test';
import { type Person, signIn } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

// Kinds of messages that other clients send.

const REPORT = {
  message_type: 'file',
  content: '季度报告',
  file_url: 'https://files.example.org/x/9f3?download=1',
  file_name: 'Q3-report-final-final-v2 (1).pdf',
  file_size: 23_456_789,
};

async function roomWith(person: Person, ...messages: object[]): Promise<number> {
  const { id } = await person.api.post<{ id: number }>('/api/chat/rooms/', { name: '文件', room_type: 'private' });
  for (const message of messages) await person.api.post(`/api/chat/rooms/${id}/messages/`, message);
  return id;
}

/** The hosts that the page asks for something. */
function hosts(page: Page): Set<string> {
  const asked = new Set<string>();
  page.on('request', (request) => asked.add(new URL(request.url()).host));
  return asked;
}

test('a file shows what it is, how large it is and who has it, and leads there', async ({ app, page, people }) => {
  const lin = await people.create('lin');
  const id = await roomWith(
    lin,
    REPORT,
    { message_type: 'image', content: 'photo.jpg', file_name: 'photo.jpg', file_url: 'https://img.example.org/photo.jpg', file_size: 512 },
    { message_type: 'file', content: '没有名字', file_url: 'https://files.example.org/a/%E8%A1%A8.xlsx' },
    { message_type: 'text', content: '普通的一句' },
  );
  await signIn(page, lin);
  const asked = hosts(page);
  for (const size of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
    await page.setViewportSize(size);
    const room = await new RoomPage(page).open(id);
    const [report, photo, nameless, plain] = [0, 1, 2, 3].map((number) => room.messages.nth(number));
    const card = report!.getByTestId('file');
    await expect(report!.locator('.prose')).toHaveText('季度报告');
    await expect(card).toContainText('Q3-report-final-final-v2 (1).pdf');
    await expect(card).toContainText('23.5 MB');
    await expect(card).toContainText('files.example.org');
    await expect(card).toHaveAttribute('href', REPORT.file_url);
    await expect(card).toHaveAttribute('target', '_blank');
    await expect(card).toHaveAttribute('rel', /noopener noreferrer/);
    // Its text says no more than its name.
    await expect(photo!.locator('.prose')).toHaveCount(0);
    await expect(photo!.getByTestId('file')).toContainText('photo.jpg');
    await expect(photo!.getByTestId('file')).toContainText('512 B');
    await expect(nameless!.getByTestId('file')).toContainText('%E8%A1%A8.xlsx');
    await expect(plain!.getByTestId('file')).toHaveCount(0);
    await expect(room.messages.locator('img, picture, video, iframe')).toHaveCount(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  }
  expect([...asked], 'nothing is fetched from elsewhere').toEqual([new URL(app.url).host]);
});

test('a deleted file leaves neither name nor link', async ({ page, people }) => {
  const lin = await people.create('lin');
  const id = await roomWith(lin, REPORT);
  const { messages } = await lin.api.get<{ messages: { id: number }[] }>(`/api/chat/rooms/${id}/messages/`);
  await lin.api.delete(`/api/chat/messages/${messages[0]!.id}/delete/`);
  await signIn(page, lin);
  const room = await new RoomPage(page).open(id);
  await expect(room.messages).toHaveText(/消息已删除/);
  await expect(page.getByTestId('file')).toHaveCount(0);
  expect(await page.content()).not.toContain('Q3-report');
});
