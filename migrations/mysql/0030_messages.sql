-- Messages and read marks. Same schema as sqlite/0030_messages.sql.

-- Every message writes a page of each index, in its room's part of it, so there are as few as possible. Only the room is
-- a foreign key, since each is an index: the rules check the others before the insert. The primary key makes a page of
-- history one range.
CREATE TABLE chat_message (
    id           BIGINT NOT NULL AUTO_INCREMENT UNIQUE,
    room_id      BIGINT  NOT NULL,
    -- 1, 2, 3 … in the room, without a gap.
    seq          BIGINT  NOT NULL,
    -- Number of the latest change of this message, and of its creation.
    rev          BIGINT  NOT NULL,
    created_rev  BIGINT  NOT NULL,
    sender_id    BIGINT  NOT NULL,
    -- 1, 2, 3 … among the messages of this sender in this room.
    sender_seq   BIGINT  NOT NULL,
    message_type VARCHAR(16) NOT NULL,
    content      TEXT    NOT NULL,
    file_url     VARCHAR(2000),
    file_name    VARCHAR(255),
    file_size    BIGINT,
    -- Not a foreign key: the message may have been removed.
    reply_to     BIGINT,
    is_edited    BOOLEAN NOT NULL DEFAULT FALSE,
    is_deleted   BOOLEAN NOT NULL DEFAULT FALSE,
    client_id    VARCHAR(64),
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (room_id, seq),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
-- NULLs are not equal, so messages without a client_id do not collide.
CREATE UNIQUE INDEX chat_message_client ON chat_message (room_id, sender_id, client_id);

-- The edited and deleted messages, each with its latest change.
CREATE TABLE chat_message_change (
    room_id BIGINT NOT NULL,
    rev     BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    PRIMARY KEY (room_id, rev),
    UNIQUE (room_id, seq),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row each time a user's read mark moved: they have read everything up to seq.
CREATE TABLE chat_message_read (
    room_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id, seq),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
