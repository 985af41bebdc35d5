import type { Browser, BrowserContext, Page } from '@playwright/test';
import { type Account, Api } from './api';
import type { App } from './app';
import type { Troubles } from './troubles';

/** Somebody with an account, and the REST API in their name. */
export interface Person extends Account {
  api: Api;
}

/** The people of a test. Each has an account that no other test uses. */
export class People {
  private static count = 0;
  private readonly contexts: BrowserContext[] = [];

  constructor(
    private readonly app: App,
    private readonly browser: Browser,
    private readonly troubles: Troubles,
  ) {}

  /** Somebody new, whose username begins with `name`. */
  async create(name: string): Promise<Person> {
    const account = await this.stranger(name);
    return { ...account, api: await Api.signIn(this.app, account) };
  }

  /** Somebody new who has nothing to say. */
  async stranger(name: string): Promise<Account> {
    People.count += 1;
    return Api.register(this.app, `${name}_${process.pid}_${People.count}`, 'correct-horse-battery-9');
  }

  /** A browser of their own, signed in through the page as they would, and showing where that leads. */
  async open(person: Account): Promise<Page> {
    const context = await this.browser.newContext({ baseURL: this.app.url });
    this.contexts.push(context);
    await this.troubles.watch(context);
    const page = await context.newPage();
    await signIn(page, person);
    return page;
  }

  /** A room that the first of them made and all are in. */
  async together(name: string, maker: Person, ...guests: Person[]): Promise<number> {
    const { id } = await maker.api.post<{ id: number }>('/api/chat/rooms/', { name, room_type: 'public' });
    for (const guest of guests) await guest.api.post(`/api/chat/rooms/${id}/join/`);
    return id;
  }

  /** Closes what was opened. */
  async leave(): Promise<void> {
    for (const context of this.contexts) await context.close();
  }
}

/** Fills in and sends the sign-in page, and waits until it has let the person in. */
export async function signIn(page: Page, { username, password }: Account): Promise<void> {
  await page.goto('/sign-in');
  await page.locator('input[name="username"]').fill(username);
  await page.locator('input[name="password"]').fill(password);
  await page.locator('form', { has: page.locator('input[name="password"]') }).locator('button[type="submit"]').click();
  await page.waitForURL('**/rooms**');
  // Where the button was there is a message now, which would show what can be done with it: only who hovers sees that.
  await page.mouse.move(0, 0);
}
