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

  /** Says something and returns its id. */
  async say(room: number, content: string, reply_to?: number): Promise<number> {
    const { id } = await this.post<{ id: number }>(`/api/chat/rooms/${room}/messages/`, { content, reply_to });
    return id;
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const answer = await fetch(this.app.url + path, { method, headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }
}
