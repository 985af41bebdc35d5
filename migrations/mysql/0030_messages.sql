-- Messages and read marks. Same schema as sqlite/0030_messages.sql.

CREATE TABLE chat_message (
    id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
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
    UNIQUE (room_id, seq),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE,
    FOREIGN KEY (sender_id) REFERENCES user (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE UNIQUE INDEX chat_message_rev ON chat_message (room_id, rev);
-- NULLs are not equal, so messages without a client_id do not collide.
CREATE UNIQUE INDEX chat_message_client ON chat_message (room_id, sender_id, client_id);
CREATE INDEX chat_message_of_sender ON chat_message (sender_id, room_id, seq);

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
