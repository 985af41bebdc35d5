-- Messages and read marks. Same schema as mysql/0030_messages.sql.

-- Every message writes a page of each index, in its room's part of it, so there are as few as possible. Only the room is
-- a foreign key, as in mysql/, where each is an index: the rules check the others before the insert.
CREATE TABLE chat_message (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id      BIGINT  NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    -- 1, 2, 3 … in the room, without a gap.
    seq          BIGINT  NOT NULL,
    -- Number of the latest change of this message, and of its creation.
    rev          BIGINT  NOT NULL,
    created_rev  BIGINT  NOT NULL,
    sender_id    BIGINT  NOT NULL,
    -- 1, 2, 3 … among the messages of this sender in this room.
    sender_seq   BIGINT  NOT NULL,
    message_type TEXT    NOT NULL,
    content      TEXT    NOT NULL,
    file_url     TEXT,
    file_name    TEXT,
    file_size    BIGINT,
    -- The message may have been removed.
    reply_to     BIGINT,
    is_edited    BOOLEAN NOT NULL DEFAULT FALSE,
    is_deleted   BOOLEAN NOT NULL DEFAULT FALSE,
    client_id    TEXT,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    UNIQUE (room_id, seq)
);
-- Only messages with a client_id: most of a bot's messages have none.
CREATE UNIQUE INDEX chat_message_client ON chat_message (room_id, sender_id, client_id) WHERE client_id IS NOT NULL;

-- The edited and deleted messages, each with its latest change.
CREATE TABLE chat_message_change (
    room_id BIGINT NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    rev     BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    PRIMARY KEY (room_id, rev),
    UNIQUE (room_id, seq)
) WITHOUT ROWID;

-- One row each time a user's read mark moved: they have read everything up to seq.
CREATE TABLE chat_message_read (
    room_id BIGINT NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    seq     BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id, seq)
) WITHOUT ROWID;
