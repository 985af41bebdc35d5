import { type Account, Api } from './api';
import type { App } from './app';
import type { Person } from './people';

/** Something that is said in a picture; `to` is which of those before it answers, counted from 0. */
interface Said {
  who: 'lin' | 'mei' | 'tom';
  text: string;
  to?: number;
}

const PASSWORD = 'correct-horse-battery-9';

/** The day of a release: what the pictures of the documentation show. */
const RELEASE: Said[] = [
  { who: 'lin', text: '早上好！新版本今天下午上线，大家还有没有没合并的改动？' },
  { who: 'tom', text: 'The English texts are in. Could somebody read them once more before we start?' },
  { who: 'mei', text: 'Read them, all good. One thing in the badge:', to: 1 },
  { who: 'mei', text: '```rust\n// Nobody counts beyond this.\nlet badge = if unread > 99 { "99+".to_owned() } else { unread.to_string() };\n```' },
  { who: 'tom', text: 'Merged 🎉' },
  { who: 'lin', text: '那我们照这个来：\n\n| 时间 | 做什么 | 谁 |\n|---|---|---|\n| 14:30 | 备份数据库 | 陈梅 |\n| 15:00 | 更新三个节点 | Tom |\n| 15:10 | 看一小时图表 | 林晓 |' },
  { who: 'mei', text: '收到，备份脚本昨晚**试过两遍**了。', to: 5 },
  { who: 'lin', text: '太好了，三点见。@mei 发布说明也麻烦你啦 🙏' },
];

/** A day of work, with all that a conversation can have in it. */
const WORK: Said[] = [
  { who: 'mei', text: '我把图标重画了一遍，放在 https://example.org/icons ，大家看看。' },
  { who: 'tom', text: `**Notes of the meeting**\n\n${Array.from({ length: 24 }, (_, line) => `${line + 1}. Somebody said something worth keeping about the icons.`).join('\n')}` },
  { who: 'mei', text: '> 少即是多\n\n- 线宽统一成 1.5\n- 圆角跟着网格走\n- 深色模式下不换形状，只换颜色' },
  { who: 'lin', text: '发错地方了' },
  { who: 'lin', text: '@mei 铃铛那个能再大一点吗？@tom 你觉得呢', to: 0 },
  { who: 'tom', text: 'A bit larger, yes. And `stroke-linecap: round` everywhere, including the ones that we took over from the old set last year, please.', to: 4 },
  { who: 'mei', text: '好，下午改。' },
  { who: 'tom', text: 'Thanks! No hurry.' },
];

/** A small team with something to do; the pictures are taken of it. */
export interface Scene {
  /** Whose eyes the pictures are taken with. */
  mei: Person;
  /** Who else is in the rooms. */
  lin: Person;
  tom: Person;
  /** Somebody who is in no room yet. */
  newcomer: Person;
  /** Where they talk about the release. */
  room: number;
  /** Where they talk about icons. */
  work: number;
  /** Where nobody has said anything. */
  silent: number;
  /** A public room that Mei is not in. */
  elsewhere: number;
  /** A room of Mei's own. */
  mine: number;
}

/** Sets the scene on an empty server. */
export async function setScene(app: App): Promise<Scene> {
  const person = async (username: string, first_name: string, last_name: string): Promise<Person> => {
    const account: Account = await Api.register(app, username, PASSWORD, { first_name, last_name });
    return { ...account, api: await Api.signIn(app, account) };
  };
  const lin = await person('linxiao', '晓', '林');
  const mei = await person('mei', '梅', '陈');
  const tom = await person('tom', 'Tom', 'Becker');
  const newcomer = await person('nils', 'Nils', 'Holm');
  const room = async (maker: Person, name: string, description: string, room_type: string, ...guests: Person[]) => {
    const { id } = await maker.api.post<{ id: number }>('/api/chat/rooms/', { name, description, room_type });
    for (const { username } of guests) await maker.api.post(`/api/chat/rooms/${id}/members/`, { username });
    return id;
  };
  const silent = await room(mei, '读后感', '看完一本写一句', 'private');
  const elsewhere = await room(lin, '摄影', '周末去哪里拍', 'public');
  const chat = await room(lin, '闲聊', '什么都可以说', 'public', mei, tom);
  const mine = await room(mei, '读书会', '每月一本', 'private', tom);
  const work = await room(lin, '图标', '线条、网格与圆角', 'public', mei, tom);
  const release = await room(lin, '发布', '每一次上线', 'public', mei, tom);

  const people = { lin, mei, tom };
  const talk = async (place: number, lines: Said[]) => {
    const ids: number[] = [];
    for (const { who, text, to } of lines) {
      ids.push(await people[who].api.say(place, text, to === undefined ? undefined : ids[to]));
    }
    return ids;
  };
  await tom.api.say(mine, 'Chapter three is the best so far.');
  await lin.api.say(chat, '中午一起吃饺子？@mei');
  const said = await talk(work, WORK);
  await mei.api.patch(`/api/chat/messages/${said[6]}/`, { content: '好，下午就改，改完发这里。' });
  // So far she has read, so that a line says what is new.
  await mei.api.post(`/api/chat/messages/${said[2]}/read/`);
  await lin.api.delete(`/api/chat/messages/${said[3]}/delete/`);
  await talk(release, RELEASE);
  return { mei, lin, tom, newcomer, room: release, work, silent, elsewhere, mine };
}
