import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to the server that counts what comes back over it: pages, files, headers, whoever asks for them. */
export class Wire {
  /** Bytes from the server so far. */
  received = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    target: URL,
  ) {
    server.on('connection', (client) => {
      const upstream = connect(Number(target.port), target.hostname);
      upstream.on('data', (chunk) => {
        this.received += chunk.length;
      });
      for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
        this.sockets.add(from);
        from.pipe(to);
        // A browser that leaves, or a server that stops, ends both.
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  /** Opens one to the server at `url`, on any free port or on this one. */
  static async to(url: string, port = 0): Promise<Wire> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    return new Wire(server, new URL(url));
  }

  /** Where to call instead. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async cut(): Promise<void> {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
