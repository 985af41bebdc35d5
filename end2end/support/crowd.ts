import { Api } from './api';
import type { App } from './app';
import type { Person } from './people';

const PASSWORD = 'correct-horse-battery-9';
/** So many calls at once: the server has two cores or more for them. */
const AT_ONCE = 8;

/** Somebody with far more rooms than a window has room for, and a room of many. */
export interface Crowd {
  me: Person;
  /** Where they all are. */
  large: number;
  /** A room of one's own. */
  mine: number;
  /** A message of `large` that is not among the newest. */
  message: number;
}

/** Makes `work` of each, some at a time. */
async function each<T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * 150 rooms, every third private, all with something unread, and one with 300 members. It takes seconds: made once for
 * the tests that need it, which change nothing of it.
 */
export async function makeCrowd(app: App): Promise<Crowd> {
  const name = (of: string) => `${of}_${process.pid}`;
  const person = async (username: string): Promise<Person> => {
    const account = await Api.register(app, username, PASSWORD);
    return { ...account, api: await Api.signIn(app, account) };
  };
  const [me, maker] = [await person(name('reader')), await person(name('maker'))];
  const room = (called: string, room_type: string, max_members = 50, by = maker) =>
    by.api.post<{ id: number }>('/api/chat/rooms/', { name: called, room_type, max_members }).then(({ id }) => id);
  const bring = (id: number, username: string) => maker.api.post(`/api/chat/rooms/${id}/members/`, { username });

  const large = await room('大厅', 'public', 400);
  await bring(large, me.username);
  const message = await maker.api.say(large, '很早的一句');
  for (let line = 1; line <= 60; line += 1) await maker.api.say(large, `第 ${line} 句，@${me.username}`);
  const guests = Array.from({ length: 298 }, (_, number) => name(`guest${number}`));
  await each(guests, async (guest) => {
    await Api.register(app, guest, PASSWORD);
    await bring(large, guest);
  });
  const mine = await room('自己的', 'private', 50, me);
  const rooms = Array.from({ length: 148 }, (_, number) => number);
  await each(rooms, async (number) => {
    const id = await room(`项目 ${number}`, number % 3 === 0 ? 'private' : 'public');
    await bring(id, me.username);
    await maker.api.say(id, `关于项目 ${number}`);
  });
  return { me, large, mine, message };
}
