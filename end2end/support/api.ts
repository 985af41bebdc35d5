import { setTimeout as delay } from 'node:timers/promises';
import type { App } from './app';

/** An account, as a test knows it. */
export interface Account {
  id: number;
  username: string;
  password: string;
}

/** The REST API as one person uses it; an answer that is no success is an error with the server's words. */
export class Api {
  private constructor(
    private readonly app: App,
    private readonly token?: string,
  ) {}

  /** Makes an account. */
  static async register(app: App, username: string, password: string, names: object = {}): Promise<Account> {
    const { id } = await new Api(app).post<{ id: number }>('/api/register/', { username, password, ...names });
    return { id, username, password };
  }

  /** Signs an account in with a token of its own. */
  static async signIn(app: App, { username, password }: Account): Promise<Api> {
    const { access } = await new Api(app).post<{ access: string }>('/api/token/', { username, password });
    return new Api(app, access);
  }

  async get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.call<T>('POST', path, body);
  }

  async patch<T>(path: string, body: unknown = {}): Promise<T> {
    return this.call<T>('PATCH', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.call<unknown>('DELETE', path);
  }

  /** Says something and returns its id. Whoever says much is as quick as the server lets them be. */
  async say(room: number, content: string, reply_to?: number): Promise<number> {
    const path = `/api/chat/rooms/${room}/messages/`;
    for (;;) {
      const answer = await this.answer('POST', path, { content, reply_to });
      if (answer.status !== 429) return (await contentOf<{ id: number }>('POST', path, answer)).id;
      await delay(100);
    }
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return contentOf<T>(method, path, await this.answer(method, path, body));
  }

  private async answer(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    return fetch(this.app.url + path, { method, headers, body: JSON.stringify(body) });
  }
}

async function contentOf<T>(method: string, path: string, answer: Response): Promise<T> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}
