// A chat server as one would write it in Node for speed, to stand beside Liao in `cargo xtask bench`. It speaks the part of
// the API that the benchmark loads, and does less: no unread counts, no change numbers, no rules.
//
// SECRET_KEY=… node server.js DATABASE [PORT]
import Fastify from "fastify";
import { Tokens, hash } from "./accounts.js";
import { Commits } from "./commits.js";
import { INSERT_USER, open, statements } from "./database.js";
import { route } from "./routes.js";
import { Sockets } from "./sockets.js";
import * as views from "./views.js";

const [path, port = "0"] = process.argv.slice(2);
const key = process.env.SECRET_KEY;
if (!path || !key) {
  console.error("usage: SECRET_KEY=… node server.js DATABASE [PORT]");
  process.exit(2);
}

const database = open(path);
const queries = statements(database);
if (!queries.login.get("developer")) database.prepare(INSERT_USER).run("developer", hash("developer123"));
const tokens = new Tokens(key, queries.user);
const commits = new Commits(path);
const sockets = new Sockets();

// Stores a message, then delivers it. `done` gets it with its id, and its time.
function post(room, sender, { content, message_type = "text", reply_to = null }, done) {
  const now = Date.now();
  commits.store([room, sender.id, message_type, content, reply_to, now, now], (id) => {
    const message = { content, message_type, reply_to };
    sockets.broadcast(room, views.delivered(id, sender, message, now));
    done?.({ id, ...message }, now);
  });
}

const app = Fastify();
route(app, tokens, queries, post);
sockets.attach(app.server, tokens, queries, post);
console.log(`node is at ${await app.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 })}`);
