import { Api } from './api';
import type { App } from './app';

/** What the people in the pictures say, one after the other. */
export const TALK: [who: 'lin' | 'mei' | 'tom', text: string][] = [
  ['lin', '早上好！新版本今天下午上线，大家还有没有没合并的改动？'],
  ['mei', '我这边只剩文档了，中午之前能写完。'],
  ['tom', 'The English texts are in. Could somebody read them once more before we start?'],
  ['lin', '太好了 🎉 那我们三点开始。'],
  ['mei', '收到，我来写发布说明。'],
];

const PASSWORD = 'correct-horse-battery-9';
const ROOMS = [
  ['设计', '界面与图标'],
  ['闲聊', '什么都可以说'],
  ['发布', '每一次上线'],
] as const;

/** A small team with something to do; the pictures are taken of it. */
export interface Scene {
  /** Whose eyes the pictures are taken with. */
  mei: { username: string; password: string };
  /** The room they talk in. */
  room: number;
  /** A room of her own. */
  mine: number;
}

/** Sets the scene on an empty server. */
export async function setScene(app: App): Promise<Scene> {
  const person = async (username: string, first_name: string, last_name: string) => {
    await Api.register(app, username, PASSWORD, { first_name, last_name });
    return Api.signIn(app, { id: 0, username, password: PASSWORD });
  };
  const voices = {
    lin: await person('linxiao', '晓', '林'),
    mei: await person('mei', '梅', '陈'),
    tom: await person('tom', 'Tom', 'Becker'),
  };
  const rooms = new Map<string, number>();
  for (const [name, description] of ROOMS) {
    const room = { name, description, room_type: 'public' };
    rooms.set(name, (await voices.lin.post<{ id: number }>('/api/chat/rooms/', room)).id);
  }
  const [design, chat, room] = ROOMS.map(([name]) => rooms.get(name)!) as [number, number, number];
  for (const voice of [voices.mei, voices.tom]) await voice.post(`/api/chat/rooms/${room}/join/`);
  await voices.mei.post(`/api/chat/rooms/${chat}/join/`);
  const { id: mine } = await voices.mei.post<{ id: number }>('/api/chat/rooms/', { name: '读书会', room_type: 'private' });
  await voices.mei.post(`/api/chat/rooms/${mine}/members/`, { username: 'tom' });
  for (const [who, content] of TALK) await voices[who].post(`/api/chat/rooms/${room}/messages/`, { content });
  await voices.lin.post(`/api/chat/rooms/${chat}/messages/`, { content: '中午一起吃饺子？@mei' });
  await voices.tom.post(`/api/chat/rooms/${mine}/messages/`, { content: 'Chapter three is the best so far.' });
  await voices.lin.post(`/api/chat/rooms/${design}/messages/`, { content: '新的图标放在共享盘了' });
  return { mei: { username: 'mei', password: PASSWORD }, room, mine };
}
