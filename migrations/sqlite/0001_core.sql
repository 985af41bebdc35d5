-- The core: people, rooms, members, messages. Twin of mysql/0001_core.sql.
-- Times are microseconds since the epoch in UTC. Flags are 0 or 1.

CREATE TABLE user (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    -- Lower-cased: 'Bob' and 'bob' are one person to other people, so to us too.
    username_key  TEXT    NOT NULL UNIQUE,
    -- PHC string, or Django's pbkdf2_sha256$… until the next sign-in.
    password_hash TEXT    NOT NULL,
    first_name    TEXT    NOT NULL DEFAULT '',
    last_name     TEXT    NOT NULL DEFAULT '',
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    created_at    BIGINT  NOT NULL
);

CREATE TABLE user_group (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE user_group_member (
    group_id BIGINT NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    user_id  BIGINT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);

CREATE TABLE chat_room (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL,
    description   TEXT    NOT NULL DEFAULT '',
    room_type     TEXT    NOT NULL,
    created_by    BIGINT  NOT NULL REFERENCES user (id),
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    max_members   BIGINT  NOT NULL,
    -- Changed only in the transaction that changes who is in, under the row's lock.
    member_count  BIGINT  NOT NULL DEFAULT 0,
    -- The newest message's place; so also how many messages there are.
    seq           BIGINT  NOT NULL DEFAULT 0,
    -- How many stored changes there were: messages, edits, deletions.
    rev           BIGINT  NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    -- Of the newest message, or of the making: what the room list is sorted by.
    active_at     BIGINT  NOT NULL
);
CREATE INDEX chat_room_listed ON chat_room (is_active, room_type, active_at);

CREATE TABLE chat_room_member (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id         BIGINT  NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    user_id         BIGINT  NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    role            TEXT    NOT NULL,
    joined_at       BIGINT  NOT NULL,
    -- The room's seq when they came in: what is above it reached them.
    joined_seq      BIGINT  NOT NULL DEFAULT 0,
    -- Set when they left; the row stays, since leaving lifts neither mute nor ban.
    left_at         BIGINT,
    last_read_seq   BIGINT  NOT NULL DEFAULT 0,
    last_read_at    BIGINT,
    -- How many messages above last_read_seq are their own: unread is
    -- chat_room.seq - last_read_seq - own_after_read, without counting anything.
    own_after_read  BIGINT  NOT NULL DEFAULT 0,
    is_muted        BOOLEAN NOT NULL DEFAULT FALSE,
    is_banned       BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (room_id, user_id)
);
CREATE INDEX chat_room_member_of_user ON chat_room_member (user_id, left_at);

CREATE TABLE chat_message (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id      BIGINT  NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    seq          BIGINT  NOT NULL,
    -- The room's change number of the latest change, and of the message's own arrival:
    -- what is new to a client and what is only changed is told apart by the second.
    rev          BIGINT  NOT NULL,
    created_rev  BIGINT  NOT NULL,
    sender_id    BIGINT  NOT NULL REFERENCES user (id),
    message_type TEXT    NOT NULL,
    content      TEXT    NOT NULL,
    file_url     TEXT,
    file_name    TEXT,
    file_size    BIGINT,
    reply_to     BIGINT  REFERENCES chat_message (id),
    is_edited    BOOLEAN NOT NULL DEFAULT FALSE,
    is_deleted   BOOLEAN NOT NULL DEFAULT FALSE,
    client_id    TEXT,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    UNIQUE (room_id, seq)
);
CREATE UNIQUE INDEX chat_message_rev ON chat_message (room_id, rev);
-- Only messages that carry one: most of a bot's traffic need not pay for the index.
CREATE UNIQUE INDEX chat_message_client ON chat_message (room_id, sender_id, client_id) WHERE client_id IS NOT NULL;

-- One row each time somebody's reading moved on: they have read everything up to seq.
CREATE TABLE chat_message_read (
    room_id BIGINT NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    seq     BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id, seq)
) WITHOUT ROWID;

-- Mentions, invitations and system notices. A plain message makes no row: it is
-- derived from the rooms one is in and what one has read.
CREATE TABLE chat_notification (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id           BIGINT  NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    notification_type TEXT    NOT NULL,
    room_id           BIGINT  NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    message_id        BIGINT  REFERENCES chat_message (id) ON DELETE CASCADE,
    title             TEXT    NOT NULL,
    content           TEXT    NOT NULL,
    is_read           BOOLEAN NOT NULL DEFAULT FALSE,
    created_at        BIGINT  NOT NULL
);
CREATE INDEX chat_notification_of_user ON chat_notification (user_id, created_at, id);

-- Sessions of the bundled UI.
CREATE TABLE session (
    id         TEXT   NOT NULL PRIMARY KEY,
    data       TEXT   NOT NULL,
    user_id    BIGINT REFERENCES user (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);

-- Refresh tokens that are dead before they expire.
CREATE TABLE token_blacklist (
    jti        TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX token_blacklist_expiry ON token_blacklist (expires_at);
