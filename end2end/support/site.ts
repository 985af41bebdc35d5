import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** How long another run of the tests may keep the port. */
const PATIENCE_MS = 20_000;

/** Another site, as a developer of the React client runs one: a page without anything on it. */
export class Site {
  private constructor(
    private readonly server: Server,
    /** Its origin. */
    readonly origin: string,
  ) {}

  /**
   * Serves at `http://HOST:PORT`; port 0 is any free one. Browsers take every name below `localhost` for this machine.
   */
  static async serve(port: number, host = 'localhost'): Promise<Site> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const server = createServer((_, answer) => {
        answer.setHeader('Content-Type', 'text/html; charset=utf-8');
        answer.end('<!doctype html><title>another site</title>');
      });
      server.listen(port, 'localhost');
      try {
        await once(server, 'listening');
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await delay(200);
        continue;
      }
      const address = server.address();
      if (!address || typeof address === 'string') throw new Error('no address');
      return new Site(server, `http://${host}:${address.port}`);
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
