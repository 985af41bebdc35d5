// The sockets of the rooms: `/ws/chat/{id}/?token=`.
import { WebSocketServer } from "ws";

const ESTABLISHED = JSON.stringify({ type: "connection_established", message: "连接成功" });
const PING_EVERY = 30_000;

export class Sockets {
  #rooms = new Map();
  #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1 << 20 });

  constructor() {
    setInterval(() => this.#ping(), PING_EVERY).unref();
  }

  // Sends a new message to every socket of its room.
  broadcast(room, message) {
    const frame = Buffer.from(JSON.stringify({ type: "chat_message", message }));
    for (const socket of this.#rooms.get(room) ?? []) socket.send(frame, { binary: false });
  }

  // Takes over the upgrades of an HTTP server. `post` is called with room, user and message of each text.
  attach(server, tokens, queries, post) {
    server.on("upgrade", (request, connection, head) => {
      const url = new URL(request.url, "http://localhost");
      const room = Number(/^\/ws\/chat\/(\d+)\/$/.exec(url.pathname)?.[1]);
      const user = tokens.user(url.searchParams.get("token") ?? "");
      if (!room || !user || !queries.isMember.get(room, user.id)) {
        connection.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      this.#server.handleUpgrade(request, connection, head, (socket) => this.#join(socket, room, user, post));
    });
  }

  #join(socket, room, user, post) {
    if (!this.#rooms.has(room)) this.#rooms.set(room, new Set());
    this.#rooms.get(room).add(socket);
    socket.isAlive = true;
    socket.on("pong", () => (socket.isAlive = true));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => this.#leave(socket, room));
    socket.on("message", (data) => {
      const message = parsed(data);
      if (message?.type === "chat_message" && message.content) post(room, user, message);
    });
    socket.send(ESTABLISHED);
  }

  #leave(socket, room) {
    const sockets = this.#rooms.get(room);
    sockets.delete(socket);
    if (sockets.size === 0) this.#rooms.delete(room);
  }

  #ping() {
    for (const socket of this.#server.clients) {
      if (!socket.isAlive) socket.terminate();
      socket.isAlive = false;
      socket.ping();
    }
  }
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
