import type { Person } from '../support/people';
import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

/** Both in one room, which `maker` made. */
async function together(maker: Person, guest: Person): Promise<number> {
  const { id } = await maker.api.post<{ id: number }>('/api/chat/rooms/', { name: '两个人', room_type: 'public' });
  await guest.api.post(`/api/chat/rooms/${id}/join/`);
  return id;
}

test('two people talk, see each other type, and find it all after a restart', async ({ app, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await together(lin, mei);
  const lins = await (await new RoomPage(await people.open(lin)).open(id)).live();
  const meis = await (await new RoomPage(await people.open(mei)).open(id)).live();

  await lins.composer.pressSequentially('在');
  await expect(meis.typing).toContainText(lin.username);
  await lins.composer.press('Enter');
  await expect(meis.message('在')).toBeVisible();
  await expect(meis.typing).not.toContainText(lin.username);

  await meis.say('在的 👋🏽');
  await expect(lins.message('在的 👋🏽')).toBeVisible();
  await expect(lins.messages).toHaveCount(2);
  await expect(meis.messages).toHaveCount(2);
  await expect(meis.page.getByText('发送中')).toHaveCount(0);

  const stored = await lin.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${id}/messages/`);
  expect(stored.messages.map(({ content }) => content)).toEqual(['在的 👋🏽', '在']);

  for (const room of [lins, meis]) await room.page.goto('about:blank');
  await app.stop();
  await app.start();
  for (const room of [lins, meis]) {
    await room.open(id);
    await expect(room.messages).toHaveCount(2);
    await expect(room.messages.first()).toContainText('在');
  }
});

test('what is written by REST or in another tab is there at once', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await together(lin, mei);
  const lins = await (await new RoomPage(await people.open(lin)).open(id)).live();
  await mei.api.post(`/api/chat/rooms/${id}/messages/`, { content: '来自 REST' });
  await expect(lins.message('来自 REST')).toBeVisible();
  const second = new RoomPage(await lins.page.context().newPage());
  await (await second.open(id)).live();
  await second.say('来自另一个标签页');
  await expect(lins.message('来自另一个标签页')).toHaveCount(1);
  await expect(second.message('来自另一个标签页')).toHaveCount(1);
});

test('an Enter that confirms a candidate of the input method does not send', async ({ people }) => {
  const lin = await people.create('lin');
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '输入法', room_type: 'private' });
  const room = await (await new RoomPage(await people.open(lin)).open(id)).live();
  await room.composer.focus();
  const session = await room.page.context().newCDPSession(room.page);
  await session.send('Input.imeSetComposition', { text: 'ni hao', selectionStart: 6, selectionEnd: 6 });
  // While an input method composes, browsers give its keys the code 229.
  await room.composer.dispatchEvent('keydown', { key: 'Enter', keyCode: 229, isComposing: true, bubbles: true });
  await session.send('Input.insertText', { text: '你好' });
  await expect(room.composer).toHaveValue('你好');
  await expect(room.messages).toHaveCount(0);
  await room.composer.press('Shift+Enter');
  await room.composer.pressSequentially('世界');
  await expect(room.composer).toHaveValue('你好\n世界');
  await room.composer.press('Enter');
  await expect(room.messages).toHaveCount(1);
  // Shown at once, stored a moment later.
  await expect
    .poll(async () => {
      const { messages } = await lin.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${id}/messages/`);
      return messages.map(({ content }) => content);
    })
    .toEqual(['你好\n世界']);
});

test('what was written while the server was away goes out once, when it is back', async ({ app, people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await together(lin, mei);
  const lins = await (await new RoomPage(await people.open(lin)).open(id)).live();
  await lins.say('之前');
  await expect(lins.message('之前')).toBeVisible();
  await expect(lins.page.getByText('发送中')).toHaveCount(0);
  await app.kill();
  await lins.say('断线时写的');
  await expect(lins.message('断线时写的')).toContainText('发送中');
  await app.start();
  await expect(lins.page.getByText('发送中')).toHaveCount(0, { timeout: 20_000 });
  const stored = await mei.api.get<{ messages: { content: string }[] }>(`/api/chat/rooms/${id}/messages/`);
  expect(stored.messages.map(({ content }) => content)).toEqual(['断线时写的', '之前']);
  await expect(lins.messages).toHaveCount(2);
});
