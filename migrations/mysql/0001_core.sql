-- The core: people, rooms, members, messages. Twin of sqlite/0001_core.sql.
-- Text is compared by code point (utf8mb4_bin). Unlike in SQLite, spaces at the end do not count: 'c1' and 'c1 ' are
-- one (PAD SPACE). So the service refuses white space at the ends of whatever is looked up or unique.
-- Times are microseconds since the epoch in UTC. Flags are 0 or 1.

CREATE TABLE user (
    id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    username      VARCHAR(150) NOT NULL,
    -- Lower-cased: 'Bob' and 'bob' are one person to other people, so to us too.
    username_key  VARCHAR(150) NOT NULL UNIQUE,
    -- PHC string, or Django's pbkdf2_sha256$… until the next sign-in.
    password_hash VARCHAR(255) NOT NULL,
    first_name    VARCHAR(150) NOT NULL DEFAULT '',
    last_name     VARCHAR(150) NOT NULL DEFAULT '',
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    created_at    BIGINT  NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE user_group (
    id   BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(150) NOT NULL UNIQUE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE user_group_member (
    group_id BIGINT NOT NULL,
    user_id  BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id),
    FOREIGN KEY (group_id) REFERENCES user_group (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE chat_room (
    id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name          VARCHAR(150) NOT NULL,
    description   TEXT    NOT NULL,
    room_type     VARCHAR(16) NOT NULL,
    created_by    BIGINT  NOT NULL,
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
    active_at     BIGINT  NOT NULL,
    FOREIGN KEY (created_by) REFERENCES user (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX chat_room_listed ON chat_room (is_active, room_type, active_at);

CREATE TABLE chat_room_member (
    id              BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    room_id         BIGINT  NOT NULL,
    user_id         BIGINT  NOT NULL,
    role            VARCHAR(16) NOT NULL,
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
    UNIQUE (room_id, user_id),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX chat_room_member_of_user ON chat_room_member (user_id, left_at);

CREATE TABLE chat_message (
    id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    room_id      BIGINT  NOT NULL,
    seq          BIGINT  NOT NULL,
    -- The room's change number of the latest change, and of the message's own arrival:
    -- what is new to a client and what is only changed is told apart by the second.
    rev          BIGINT  NOT NULL,
    created_rev  BIGINT  NOT NULL,
    sender_id    BIGINT  NOT NULL,
    message_type VARCHAR(16) NOT NULL,
    content      TEXT    NOT NULL,
    file_url     VARCHAR(2000),
    file_name    VARCHAR(255),
    file_size    BIGINT,
    reply_to     BIGINT,
    is_edited    BOOLEAN NOT NULL DEFAULT FALSE,
    is_deleted   BOOLEAN NOT NULL DEFAULT FALSE,
    client_id    VARCHAR(64),
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    UNIQUE (room_id, seq),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE,
    FOREIGN KEY (sender_id) REFERENCES user (id),
    FOREIGN KEY (reply_to) REFERENCES chat_message (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE UNIQUE INDEX chat_message_rev ON chat_message (room_id, rev);
-- NULLs do not collide: only messages that carry one are held apart.
CREATE UNIQUE INDEX chat_message_client ON chat_message (room_id, sender_id, client_id);

-- One row each time somebody's reading moved on: they have read everything up to seq.
CREATE TABLE chat_message_read (
    room_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id, seq),
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Mentions, invitations and system notices. A plain message makes no row: it is
-- derived from the rooms one is in and what one has read.
CREATE TABLE chat_notification (
    id                BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id           BIGINT  NOT NULL,
    notification_type VARCHAR(32) NOT NULL,
    room_id           BIGINT  NOT NULL,
    message_id        BIGINT,
    title             VARCHAR(255) NOT NULL,
    content           TEXT    NOT NULL,
    is_read           BOOLEAN NOT NULL DEFAULT FALSE,
    created_at        BIGINT  NOT NULL,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
    FOREIGN KEY (room_id) REFERENCES chat_room (id) ON DELETE CASCADE,
    FOREIGN KEY (message_id) REFERENCES chat_message (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX chat_notification_of_user ON chat_notification (user_id, created_at, id);

-- Sessions of the bundled UI.
CREATE TABLE session (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    data       MEDIUMTEXT NOT NULL,
    user_id    BIGINT,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);

-- Refresh tokens that are dead before they expire.
CREATE TABLE token_blacklist (
    jti        VARCHAR(64) NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX token_blacklist_expiry ON token_blacklist (expires_at);
