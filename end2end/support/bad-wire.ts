import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Random numbers that are the same again for the same seed. */
export class Dice {
  constructor(private state: number) {}

  /** From 0 to 1. */
  roll(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.roll() * limit);
  }
}

/** A way to the server that, while it is bad, cuts connections between and inside frames, delays them and stalls either direction. */
export class BadWire {
  isBad = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    target: URL,
    private readonly dice: Dice,
  ) {
    server.on('connection', (client) => {
      const upstream = connect(Number(target.port), target.hostname);
      void this.carry(client, upstream);
      void this.carry(upstream, client);
    });
  }

  static async to(url: string, dice: Dice): Promise<BadWire> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new BadWire(server, new URL(url), dice);
  }

  /** Where to call instead. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((done) => this.server.close(done));
    this.cut();
    await closed;
  }

  /** Carries what one end says to the other. */
  private async carry(from: Socket, to: Socket): Promise<void> {
    this.sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (const part of this.isBad ? await this.spoil(chunk, from) : [chunk]) {
          if (!to.write(part)) await new Promise((done) => to.once('drain', done).once('close', done));
        }
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  /** What of these bytes arrives now, after a while; the connection may end with or before the last of them. */
  private async spoil(chunk: Buffer, from: Socket): Promise<Buffer[]> {
    const chance = this.dice.roll();
    if (chance < 0.03) {
      from.destroy();
      const at = this.dice.below(chunk.length + 1);
      return at > 0 ? [chunk.subarray(0, at)] : [];
    }
    // A stall, longer than any page waits without a word.
    if (chance < 0.035) await delay(2_000 + this.dice.below(8_000));
    else if (chance < 0.2) await delay(this.dice.below(400));
    if (chance > 0.9 && chunk.length > 1) {
      const at = 1 + this.dice.below(chunk.length - 1);
      return [chunk.subarray(0, at), chunk.subarray(at)];
    }
    return [chunk];
  }
}
