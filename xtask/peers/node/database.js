// The database: people, rooms, members, messages. Durable like Liao's: WAL, and a commit is on disk when it returns.
import Database from "better-sqlite3";

// The index of messages has the order of the pages; there is none besides it, so a message costs little to store.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS user (
  id INTEGER PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,
  first_name TEXT NOT NULL DEFAULT '',
  last_name TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS room (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  room_type TEXT NOT NULL,
  creator_id INTEGER NOT NULL REFERENCES user,
  max_members INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS member (
  room_id INTEGER NOT NULL REFERENCES room,
  user_id INTEGER NOT NULL REFERENCES user,
  joined_at INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS member_user ON member (user_id, room_id);
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY,
  room_id INTEGER NOT NULL REFERENCES room,
  sender_id INTEGER NOT NULL REFERENCES user,
  message_type TEXT NOT NULL,
  content TEXT NOT NULL,
  file_url TEXT,
  file_name TEXT,
  file_size INTEGER,
  is_edited INTEGER NOT NULL DEFAULT 0,
  is_deleted INTEGER NOT NULL DEFAULT 0,
  reply_to INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS message_room ON message (room_id, id) WHERE is_deleted = 0;
`;

// Opens the file, and makes it where there is none.
export function open(path) {
  const database = new Database(path);
  database.pragma("busy_timeout = 20000");
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec(SCHEMA);
  return database;
}

export const INSERT_USER = "INSERT INTO user (username, password) VALUES (?, ?)";

export const INSERT_MESSAGE = `
INSERT INTO message (room_id, sender_id, message_type, content, reply_to, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?)`;

// The statements of the requests, prepared once.
export function statements(database) {
  const prepare = (sql) => database.prepare(sql);
  return {
    user: prepare("SELECT id, username, first_name, last_name FROM user WHERE id = ?"),
    login: prepare("SELECT id, password FROM user WHERE username = ?"),
    isMember: prepare("SELECT 1 FROM member WHERE room_id = ? AND user_id = ?"),
    join: prepare("INSERT OR IGNORE INTO member VALUES (?, ?, ?)"),
    room: prepare("SELECT * FROM room WHERE id = ?"),
    insertRoom: prepare("INSERT INTO room VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"),
    rooms: prepare(`
      SELECT r.*, u.username, u.first_name, u.last_name,
        (SELECT count(*) FROM member WHERE room_id = r.id) AS member_count,
        l.id AS last_id, l.content AS last_content, l.created_at AS last_at, s.username AS last_sender
      FROM member m
      JOIN room r ON r.id = m.room_id
      JOIN user u ON u.id = r.creator_id
      LEFT JOIN message l ON l.id = (SELECT max(id) FROM message WHERE room_id = r.id AND is_deleted = 0)
      LEFT JOIN user s ON s.id = l.sender_id
      WHERE m.user_id = ? ORDER BY r.id DESC`),
    total: prepare("SELECT count(*) FROM message WHERE room_id = ? AND is_deleted = 0").pluck(),
    page: prepare(`
      SELECT m.*, r.name AS room_name, u.username, u.first_name, u.last_name
      FROM message m
      JOIN room r ON r.id = m.room_id
      JOIN user u ON u.id = m.sender_id
      WHERE m.room_id = ? AND m.is_deleted = 0 ORDER BY m.id DESC LIMIT ? OFFSET ?`),
  };
}
