import { readFile } from 'node:fs/promises';
import type { Browser, Page } from '@playwright/test';
import { type Account, Api } from './api';
import { App } from './app';
import { Site } from './site';
import { test as base } from './test';

// The code of docs/chat, as a React developer copies it, on a page of another site.

export { expect } from '@playwright/test';

const PASSWORD = 'correct horse 9';

/** A message as a test looks at one. */
export interface Shown {
  id: number;
  content: string;
  is_edited: boolean;
  is_deleted: boolean;
}

/** What a page got of a room by `follow`. */
interface Seen {
  frames: { type: string; code?: string; message?: Shown }[];
  /** What `merge` makes of all. */
  messages: Shown[];
  /** The texts of the newest history, and how often it was given. */
  history: string[];
  loads: number;
  ended: (string | number)[];
}

declare global {
  interface Window {
    /** The functions of the guide's module, and of the page about React. */
    chat: any;
    /** Renders a component, see `REACT`. */
    mount: any;
    seen: Seen;
    handle: { stop: () => void; send: (frame: object) => boolean };
    /** The sockets that the page has opened, and how many of them are not closed. */
    sockets: { opened: number; open: Set<WebSocket> };
  }
}

/** The blocks of code in this language on a page of the documentation. */
export async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(`../docs/chat/${page}`, 'utf8');
  const found = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return found.filter(([, of]) => of === language).map(([, , code]) => code!);
}

/**
 * As much of React as the hook needs: a component is a function that `mount` calls again after each change of its state.
 * Effects run twice at first, as in React's strict mode.
 */
const REACT = `
let rendering = null;
const cell = (make) => {
  const at = rendering.at++;
  return (rendering.cells[at] ??= make());
};
const useRef = (first) => cell(() => ({ current: first }));
const useReducer = (reduce, first) => {
  const owner = rendering;
  const own = cell(() => ({ state: first }));
  own.dispatch ??= (action) => {
    own.state = reduce(own.state, action);
    owner.render();
  };
  return [own.state, own.dispatch];
};
const useEffect = (run, needs) => {
  const own = cell(() => ({}));
  if (own.needs && needs && needs.every((need, at) => need === own.needs[at])) return;
  const isFirst = !own.run;
  Object.assign(own, { run, needs });
  rendering.effects.push(() => {
    for (let times = isFirst ? 2 : 1; times > 0; times -= 1) {
      own.clean?.();
      own.clean = own.run();
    }
  });
};
const mount = (component, props) => {
  const owner = {
    cells: [],
    effects: [],
    props,
    render() {
      if (owner.isQueued || owner.isGone) return;
      owner.isQueued = true;
      queueMicrotask(() => {
        owner.isQueued = false;
        if (owner.isGone) return;
        rendering = Object.assign(owner, { at: 0 });
        owner.value = component(owner.props);
        rendering = null;
        for (const effect of owner.effects.splice(0)) effect();
      });
    },
    change(next) {
      owner.props = next;
      owner.render();
    },
    unmount() {
      owner.isGone = true;
      for (const { clean } of owner.cells) clean?.();
    },
  };
  owner.render();
  return owner;
};
`;

/** The documentation's code as one script for the server at `url`. */
async function script(url: string): Promise<string> {
  const [guide, react] = [await blocks('CHAT_GUIDE.md', 'js'), await blocks('REACT.md', 'js')];
  const address = 'http://localhost:8000';
  const code = [...guide, REACT, ...react].join('\n').replaceAll(/^import .*;$/gm, '').replaceAll(/^export /gm, '');
  if (guide.length !== 4 || react.length !== 1 || code.split(address).length !== 2) throw new Error('the guide is another one');
  const names = 'signIn, signOut, call, send, newId, follow, merge, older, useRoom, signedInAs: () => tokens';
  return `${code.replace(address, url)}\nObject.assign(window, { chat: { ${names} }, mount });`;
}

/** A server that pages of `site` may call, and two people in a room of it: `lin`, who uses the guide, and `mei`. */
export class Stage {
  private readonly pages: Page[] = [];

  private constructor(
    readonly app: App,
    readonly site: Site,
    private readonly browser: Browser,
    readonly lin: Account,
    readonly mei: Account,
    readonly room: number,
  ) {}

  static async set(browser: Browser, ...settings: string[]): Promise<Stage> {
    const site = await Site.serve(0);
    const app = await App.launch(`--cors-allowed-origins=${site.origin}`, ...settings);
    const [lin, mei] = [await Api.register(app, 'lin', PASSWORD), await Api.register(app, 'mei', PASSWORD)];
    const { id } = await (await Api.signIn(app, mei)).post<{ id: number }>('/api/chat/rooms/', { name: '茶', room_type: 'public' });
    await (await Api.signIn(app, lin)).post(`/api/chat/rooms/${id}/join/`);
    return new Stage(app, site, browser, lin, mei, id);
  }

  /** The API as Mei uses it, with a token of now. */
  async asMei(): Promise<Api> {
    return Api.signIn(this.app, this.mei);
  }

  /** Mei says something in the room. */
  async say(content: string): Promise<number> {
    return (await this.asMei()).say(this.room, content);
  }

  /** What the room's newest page has, oldest first. */
  async stored(): Promise<Shown[]> {
    const { messages } = await (await this.asMei()).get<{ messages: Shown[] }>(`/api/chat/rooms/${this.room}/messages/?page_size=100`);
    return messages.reverse().map(shown);
  }

  /** A page with the guide's code for the server at `url`, and Lin signed in. Its console may complain: of what the test does to the network. */
  async open(url = this.app.url, { at = this.site.origin, prepare }: { at?: string; prepare?: (page: Page) => Promise<void> } = {}): Promise<Page> {
    const page = await (await this.browser.newContext()).newPage();
    this.pages.push(page);
    await prepare?.(page);
    await page.goto(at);
    await page.evaluate(() => {
      const sockets: Window['sockets'] = { opened: 0, open: new Set() };
      const Plain = WebSocket;
      window.WebSocket = class extends Plain {
        constructor(url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
          sockets.opened += 1;
          sockets.open.add(this);
          this.addEventListener('close', () => sockets.open.delete(this));
        }
      };
      window.sockets = sockets;
    });
    await page.addScriptTag({ content: await script(url), type: 'module' });
    await page.waitForFunction(() => 'chat' in window);
    await page.evaluate(({ username, password }) => window.chat.signIn(username, password), this.lin);
    return page;
  }

  async close(): Promise<void> {
    for (const page of this.pages) await page.context().close();
    await this.site.close();
    await this.app.remove();
  }
}

const shown = ({ id, content, is_edited, is_deleted }: Shown): Shown => ({ id, content, is_edited, is_deleted });

/** The `test` of the guide's specs: `stage` sets a stage with these settings of the server. */
export const test = base.extend<{ stage: (...settings: string[]) => Promise<Stage> }>({
  stage: async ({ browser }, use) => {
    const stages: Stage[] = [];
    await use(async (...settings) => {
      const stage = await Stage.set(browser, ...settings);
      stages.push(stage);
      return stage;
    });
    for (const stage of stages) await stage.close();
  },
});

/** Follows the room in the page. What was followed before stays in the page, and is not looked at any more. */
export async function follow(page: Page, room: number): Promise<void> {
  await page.evaluate((room) => {
    const seen: Seen = { frames: [], messages: [], history: [], loads: 0, ended: [] };
    window.seen = seen;
    window.handle = window.chat.follow(room, {
      onHistory: (messages: Shown[]) => {
        seen.loads += 1;
        seen.history = messages.map(({ content }) => content);
        seen.messages = messages;
      },
      onFrame: (frame: Seen['frames'][number]) => {
        seen.frames.push(frame);
        seen.messages = window.chat.merge(seen.messages, frame);
      },
      onSignedOut: () => seen.ended.push('signed out'),
      onClosed: (code: number) => seen.ended.push(code),
    });
  }, room);
}

/** What the page has seen. `texts` are those that were pushed, `opened` and `open` the page's sockets. */
export async function seen(page: Page) {
  const { frames, messages, ...rest } = await page.evaluate(() => {
    const { frames, messages, history, loads, ended } = window.seen;
    return { frames, messages, history, loads, ended, opened: window.sockets.opened, open: window.sockets.open.size };
  });
  const pushed = frames.filter(({ type }) => type === 'chat_message');
  return {
    ...rest,
    texts: pushed.map(({ message }) => message!.content),
    errors: frames.filter(({ type }) => type === 'error').map(({ code }) => code),
    messages: messages.map(shown),
  };
}
