import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { Api } from '../support/api';
import { blocks, expect, test } from '../support/guide';

// The types of docs/chat/TYPES.md, held against what the server really sends.

/** Frames that take more people, or more pages, than this test has. */
const UNSEEN = ['members_changed', 'user_changed'];

/** What the compiler says to these values as constants of these types, each by its place in the list. */
async function complaints(types: string, values: [type: string, value: unknown][]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'liao-types-'));
  const file = join(folder, 'types.ts');
  const lines = values.map(([type, value], at) => `export const value${at}: ${type} = ${JSON.stringify(value)};`);
  await writeFile(file, `${types}\n${lines.join('\n')}\n`);
  const options = { strict: true, noEmit: true, types: [], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
  await rm(folder, { recursive: true });
  const first = types.split('\n').length;
  return found.map(({ start, messageText, file }) => {
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
    const about = line < first ? `line ${line + 1}` : lines[line - first];
    return `${ts.flattenDiagnosticMessageText(messageText, ' ')} (${about})`;
  });
}

test('the types are those of what the server sends and takes', async ({ stage }) => {
  test.slow();
  const on = await stage();
  const [mei, lin] = [await on.asMei(), await Api.signIn(on.app, on.lin)];
  const values: [string, unknown][] = [];
  const is = <T>(type: string, value: T): T => {
    values.push([type, value]);
    return value;
  };
  /** A call with a body of this type. */
  const send = <T>(api: Api, path: string, type: string, body: object) => api.post<T>(path, is(type, body));
  const rooms = '/api/chat/rooms/';
  const room = `${rooms}${on.room}/`;
  const answer = async (path: string, token?: string, body?: object) => {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (token) headers.Authorization = `Bearer ${token}`;
    return (await fetch(on.app.url + path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) })).json();
  };

  // Three sockets of Mei's, and one of Lin's.
  const page = await on.open();
  const tokens = is('Tokens', await answer('/api/token/', undefined, on.mei));
  is('RefreshedTokens', await answer('/api/token/refresh/', undefined, { refresh: tokens.refresh }));
  const listen = (name: string, path: string, token = tokens.access) =>
    page.evaluate(({ name, url, token }) => new Promise<void>((first) => {
      const frames: unknown[] = [];
      const socket = new WebSocket(url, ['bearer', token]);
      socket.onmessage = ({ data }) => first(void frames.push(JSON.parse(data)));
      Object.assign(window, { [name]: { socket, frames } });
    }), { name, url: on.app.url.replace('http', 'ws') + path, token });
  const frames = (name: string) => page.evaluate((name) => (window as any)[name].frames as { type: string }[], name);
  const heard = (name: string) => page.evaluate((name) => [...new Set<string>((window as any)[name].frames.map(({ type }: any) => type))], name);
  const says = (name: string, type: string, ...sent: object[]) => {
    for (const frame of sent) is(type, frame);
    return page.evaluate(({ name, sent }) => {
      for (const frame of sent) (window as any)[name].socket.send(JSON.stringify(frame));
    }, { name, sent });
  };
  const hears = (name: string, ...types: string[]) =>
    expect.poll(() => heard(name), { message: name, timeout: 20_000 }).toEqual(expect.arrayContaining(types));
  const seen = new Set<string>();
  /** Takes what a socket has heard, and closes it. */
  const take = async (name: string, type: string) => {
    for (const frame of await frames(name)) {
      seen.add(frame.type);
      is(type, frame);
    }
    await page.evaluate((name) => (window as any)[name].socket.close(), name);
  };
  await listen('inRoom', `/ws/chat/${on.room}/`);
  await listen('notified', '/ws/notifications/');
  await listen('combined', '/ws/');
  await says('combined', 'CombinedClientFrame', { type: 'subscribe', room_id: on.room });
  await hears('combined', 'subscribed');
  const access = await page.evaluate(() => window.chat.signedInAs().access as string);
  await listen('lins', `/ws/chat/${on.room}/`, access);
  await hears('inRoom', 'user_join');

  // What people do, by socket and by REST.
  await says('lins', 'RoomClientFrame', { type: 'typing', is_typing: true }, { type: 'chat_message', content: '你好', client_id: 'c' });
  await hears('lins', 'chat_message');
  const file = { message_type: 'file', file_url: 'https://example.org/a.png', file_name: 'a.png', file_size: 3 };
  const said = await send<{ id: number }>(lin, `${room}messages/`, 'NewMessage', { content: `@${on.mei.username} 看`, ...file });
  is('Message', said);
  const plain = [{ type: 'ping' }, { type: 'authenticate', token: tokens.access }, { type: 'user_join' }];
  await says('inRoom', 'RoomClientFrame', { type: 'message_read', message_id: said.id }, ...plain);
  await says('combined', 'CombinedClientFrame', { type: 'chat_message', room_id: on.room, content: '好', reply_to: said.id });
  await says('notified', 'NotificationClientFrame', { type: 'ping' });
  await page.evaluate(() => (window as any).inRoom.socket.send('{"type":"dance"}'));
  is('Message', await lin.patch(`/api/chat/messages/${said.id}/`, { content: '改过' }));
  const own = await mei.say(on.room, '我的');
  await send(lin, `${room}messages/`, 'NewMessage', { content: '回复', reply_to: own });
  const last = await lin.say(on.room, '最后一条');
  await lin.delete(`/api/chat/messages/${last}/delete/`);
  is('Room', await mei.patch(room, is('RoomPatch', { description: '说明', max_members: 60 })));
  is('Member', await mei.patch(`${room}members/${on.lin.id}/`, is('MemberPatch', { role: 'moderator', is_muted: false })));
  const made = is('Room', await send<{ id: number }>(lin, rooms, 'NewRoom', { name: '私密', room_type: 'private' }));
  is('Member', await lin.post(`${rooms}${made.id}/members/`, { username: on.mei.username }));
  await hears('notified', 'room_added');
  for (const one of is('Room[]', await mei.get<object[]>(rooms))) is('Room', one);
  is('Room', await mei.get(room));
  is('Member[]', await mei.get(`${room}members/`));
  is('MessagePage', await mei.get(`${room}messages/`));
  await hears('lins', 'message_read');
  is('MessageReader[]', await lin.get(`/api/chat/messages/${said.id}/reads/`));
  is('Notification[]', await mei.get('/api/chat/notifications/'));
  is('User', await mei.get('/api/me/'));
  await lin.delete(`${rooms}${made.id}/members/${on.mei.id}/`);
  await take('lins', 'RoomSocketFrame');
  await hears('inRoom', 'user_leave');
  await hears('combined', 'presence');
  const others = [{ type: 'unsubscribe', room_id: on.room }, { type: 'subscribe', room_id: made.id, after_id: 0, here: false }];
  await says('combined', 'CombinedClientFrame', ...others);
  await hears('inRoom', 'typing', 'chat_message', 'message_edited', 'message_deleted', 'message_read', 'member_changed', 'room_changed');
  await hears('inRoom', 'pong', 'authenticated', 'error');
  await take('inRoom', 'RoomSocketFrame');
  await hears('notified', 'unread', 'notification', 'room_added', 'room_removed', 'room_changed', 'last_message', 'pong');
  await take('notified', 'NotificationSocketFrame');
  await hears('combined', 'chat_message', 'notification', 'unsubscribed', 'error');
  await take('combined', 'CombinedSocketFrame');

  // More than 1 MiB that a client missed, who was away.
  const long = '聊'.repeat(10_000);
  for (let number = 1; number <= 36; number += 1) await lin.say(on.room, long);
  await listen('resumed', `/ws/chat/${on.room}/?after_rev=0`);
  await hears('resumed', 'resync');
  await take('resumed', 'RoomSocketFrame');

  // Refusals.
  is('ApiError', await answer('/api/me/'));
  is('ApiError', await answer('/api/me/', 'forged'));
  is('ApiError', await answer(rooms, tokens.access, { name: '' }));
  is('ApiError', await answer('/api/register/', undefined, is('NewAccount', { username: 'x', password: 'x' })));
  is('ApiError', await answer(`${rooms}987654321/`, tokens.access));

  const [types] = await blocks('TYPES.md', 'ts');
  expect(await complaints(types!, values)).toEqual([]);
  // Each frame that is described was seen.
  const [, received] = types!.split('// ---- 收到的帧 ----');
  const described = [...received!.split('// ---- 发出的帧 ----')[0]!.matchAll(/type: '(\w+)'/g)].map(([, type]) => type!);
  expect(described.length).toBeGreaterThan(20);
  expect([...new Set(described)].filter((type) => !seen.has(type)).sort()).toEqual(UNSEEN);
  // The check finds what is missing, what is too much, and what is of another type.
  const { id, username, first_name, last_name } = is('User', await mei.get<Record<string, unknown>>('/api/me/'));
  const wrong: [string, unknown][] = [
    ['User', { id, username, first_name }],
    ['User', { id, username, first_name, last_name, email: '' }],
    ['User', { id: String(id), username, first_name, last_name }],
    ['RoomSocketFrame', { type: 'ping' }],
    ['RoomSocketFrame', { type: 'pong', rev: 1 }],
  ];
  expect(await complaints(types!, [...wrong, ['RoomSocketFrame', { type: 'pong' }]])).toHaveLength(wrong.length);
});
