// The REST API.
import { matches } from "./accounts.js";
import * as views from "./views.js";

// Paths that need no token.
const OPEN = ["/api/token/", "/readyz"];

const number = (text, fallback) => Math.max(1, Number(text ?? fallback) || fallback);

export function route(app, tokens, queries, post) {
  app.decorateRequest("user", null);
  app.addHook("preHandler", (request, reply, next) => {
    if (OPEN.includes(request.routeOptions.url)) return next();
    request.user = tokens.user((request.headers.authorization ?? "").replace("Bearer ", ""));
    if (request.user) return next();
    reply.code(401).send({ detail: "Authentication credentials were not provided." });
  });

  app.get("/readyz", (_, reply) => reply.send({ status: "ok" }));

  app.post("/api/token/", (request, reply) => {
    const { username, password } = request.body;
    const user = queries.login.get(username);
    if (user && matches(password, user.password)) return reply.send(tokens.pair(user.id));
    return reply.code(401).send({ detail: "No active account found with the given credentials" });
  });

  app.get("/api/chat/rooms/", (request, reply) => {
    reply.send(queries.rooms.all(request.user.id).map(views.listed));
  });

  app.post("/api/chat/rooms/", (request, reply) => {
    const { name, description = "", room_type = "public", max_members = 500 } = request.body;
    const now = Date.now();
    const values = [name, description, room_type, request.user.id, max_members, now, now];
    const id = Number(queries.insertRoom.run(...values).lastInsertRowid);
    queries.join.run(id, request.user.id, now);
    reply.code(201).send(views.room(queries.room.get(id), request.user, 1));
  });

  app.post("/api/chat/rooms/:id/join/", (request, reply) => {
    const room = queries.room.get(Number(request.params.id));
    if (!room) return reply.code(404).send({ detail: "Not found." });
    queries.join.run(room.id, request.user.id, Date.now());
    return reply.send({ status: "joined" });
  });

  const members = {
    preHandler: (request, reply, next) => {
      if (queries.isMember.get(Number(request.params.id), request.user.id)) return next();
      reply.code(403).send({ detail: "You are not a member of this room." });
    },
  };

  app.get("/api/chat/rooms/:id/messages/", members, (request, reply) => {
    const room = Number(request.params.id);
    const page = number(request.query.page, 1);
    const size = Math.min(100, number(request.query.page_size, 20));
    const messages = queries.page.all(room, size, (page - 1) * size).map(views.message);
    reply.send({ messages, page, page_size: size, total: queries.total.get(room) });
  });

  app.post("/api/chat/rooms/:id/messages/", members, (request, reply) => {
    if (!request.body.content) return reply.code(400).send({ content: ["This field is required."] });
    const room = queries.room.get(Number(request.params.id));
    const { id: sender_id, ...sender } = request.user;
    post(room.id, request.user, request.body, (message, now) => {
      const stored = { room_id: room.id, room_name: room.name, sender_id, file_url: null, file_name: null };
      const times = { file_size: null, is_edited: 0, is_deleted: 0, created_at: now, updated_at: now };
      reply.code(201).send(views.message({ ...sender, ...message, ...stored, ...times }));
    });
    return reply;
  });
}
