import { expect, type BrowserContext } from '@playwright/test';
import type { App } from './app';

/**
 * What went wrong unseen: a test that passes while the console complains, the content security policy refuses
 * something, a script throws or the server answers 500 is no test that passed.
 */
export class Troubles {
  private readonly found: string[] = [];
  private readonly allowed: RegExp[] = [];
  private readonly logStart: number;
  private readonly endsBefore: number;

  constructor(private readonly app: App) {
    this.logStart = app.log.length;
    this.endsBefore = app.ends;
  }

  /** Expects a trouble that the test itself provokes, such as the browser's note of a 404 that it asked for. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  /** Looks after every page of a browser context from now on. */
  async watch(context: BrowserContext): Promise<void> {
    context.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      this.found.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.found.push(`page error: ${error.error().stack ?? error.error()}`));
    context.on('response', (response) => {
      if (response.status() >= 500) this.found.push(`response ${response.status()}: ${response.url()}`);
    });
    // Some violations reach no console, a refused inline style among them.
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP violation: ${event.violatedDirective} refused ${event.blockedURI}`);
      });
    });
  }

  /** Fails when there was any. */
  check(): void {
    // An open page notices that its server is gone, sooner or later.
    if (this.app.ends > this.endsBefore) this.allow(/WebSocket connection|ERR_CONNECTION_REFUSED/);
    const panics = this.app.log.slice(this.logStart).match(/^.*panicked at.*$/gm) ?? [];
    const troubles = [...this.found, ...panics.map((line) => `server: ${line}`)];
    const unexpected = troubles.filter((trouble) => !this.allowed.some((pattern) => pattern.test(trouble)));
    expect(unexpected, 'nothing may go wrong unseen').toEqual([]);
  }
}
