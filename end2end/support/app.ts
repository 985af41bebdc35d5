import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const BINARY = resolve(process.env.LIAO_BIN || '../target/debug/liao');
/** A server that is running already, to be tested in place of one that the tests start. */
const RUNNING = process.env.BASE_URL?.replace(/\/+$/, '');
/** How long the server may take to print its address, and to end once it was asked to. */
const PATIENCE_MS = 20_000;

/**
 * The built server, running on a folder of its own that goes when the test run ends.
 *
 * It keeps its address and its data over a stop and a start, as it would on a real machine.
 */
export class App {
  /** Where it answers, without a slash at the end. */
  url = '';
  /** All it ever printed, of every start. */
  log = '';
  /** How many times it ended. */
  ends = 0;
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly settings: string[],
  ) {}

  /** Starts a server on an empty folder and any free port, with these flags; or takes the running one. */
  static async launch(...settings: string[]): Promise<App> {
    if (RUNNING) {
      if (settings.length > 0) throw new Error(`this test needs a server with ${settings.join(' ')}, not BASE_URL`);
      const app = new App('', []);
      app.url = RUNNING;
      return app;
    }
    if (!existsSync(BINARY)) {
      throw new Error(`there is no ${BINARY}: build it with \`cargo xtask test build\`, or set BASE_URL to a running server`);
    }
    const app = new App(await mkdtemp(join(tmpdir(), 'liao-e2e-')), settings);
    await app.start();
    return app;
  }

  /** Starts it again after a stop, on the same data and port. */
  async start(): Promise<void> {
    this.mustBeOurs();
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0';
    const args = ['serve', '--listen', listen, '--data', join(this.folder, 'data'), '--demo'];
    // Tests make as many people as they like.
    args.push('--sign-ups-per-address=0', '--sign-up-failures-per-address=0', ...this.settings);
    const child = spawn(BINARY, args, {
      cwd: this.folder,
      // Settings of whoever runs the tests are not the tests' settings.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LIAO_'))),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const from = this.log.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    }
    let failure: Error | undefined;
    child.on('error', (error) => (failure = error));
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline && !failure && child.exitCode === null) {
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(this.log.slice(from));
      if (address) {
        this.url = address[0];
        return;
      }
      await delay(20);
    }
    await this.end('SIGKILL');
    throw failure ?? new Error(`${BINARY} did not print its address; it said:\n${this.log.slice(from)}`);
  }

  /** Ends it as an administrator would, and waits until it is gone. */
  async stop(): Promise<void> {
    this.mustBeOurs();
    await this.end('SIGTERM');
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.mustBeOurs();
    await this.end('SIGKILL');
  }

  /** Ends it and removes its data. */
  async remove(): Promise<void> {
    if (RUNNING) return;
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private mustBeOurs(): void {
    if (RUNNING) throw new Error(`this test stops and starts the server, which it may not do to ${RUNNING} (BASE_URL)`);
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    this.ends += 1;
    const gone = once(child, 'exit');
    child.kill(signal);
    const inTime = await Promise.race([gone.then(() => true), delay(PATIENCE_MS, false, { ref: false })]);
    if (!inTime) {
      child.kill('SIGKILL');
      await gone;
      throw new Error(`the server did not end within ${PATIENCE_MS} ms of ${signal}`);
    }
  }
}
