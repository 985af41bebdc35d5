import { RoomPage } from '../support/room-page';
import { expect, test } from '../support/test';

test('what one writes looks the same as it is sent, to others and after a reload', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const { id } = await lin.api.post<{ id: number }>('/api/chat/rooms/', { name: '两边', room_type: 'public' });
  await mei.api.post(`/api/chat/rooms/${id}/join/`);
  const lins = await (await new RoomPage(await people.open(lin)).open(id)).live();
  const meis = await (await new RoomPage(await people.open(mei)).open(id)).live();
  await lins.say(`**粗** \`代码\` @${mei.username}\n\n1. 一\n2. <b>二</b>\n\n\`\`\`sql\nselect 1 -- x\n\`\`\``);
  const html = async (room: RoomPage) => (await room.messages.first().locator('.prose').innerHTML()).replaceAll(/ mention-me|<!--.*?-->/g, '');
  await expect(meis.messages).toHaveCount(1);
  await expect(meis.messages.first().locator('.mention-me')).toHaveText(`@${mei.username}`);
  const [hers, theirs] = [await html(lins), await html(meis)];
  expect(hers).toContain('<strong>粗</strong>');
  expect(theirs).toBe(hers);
  await lins.open(id);
  expect(await html(lins)).toBe(hers);
  await lins.live();
  expect(await html(lins)).toBe(hers);
});
