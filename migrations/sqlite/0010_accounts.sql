-- Accounts and groups. Same schema as mysql/0010_accounts.sql.
-- Times are microseconds since the epoch in UTC. Flags are 0 or 1. A column named *_key or *_skeleton contains text as
-- chat::fold made it, so that both databases compare it by bytes.

CREATE TABLE user (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    -- The folded username: 'Bob' and 'bob' are one account.
    username_key  TEXT    NOT NULL UNIQUE,
    -- The UTS 39 skeleton of username_key: equal for names that look alike. Not unique: names of ASCII characters only
    -- may have one in common ('l1' and '1l').
    username_skeleton TEXT    NOT NULL DEFAULT '',
    -- Username, first and last name, folded, for searches.
    search_key    TEXT    NOT NULL DEFAULT '',
    -- PHC string, or Django's pbkdf2_sha256$… until the next sign-in.
    password_hash TEXT    NOT NULL,
    first_name    TEXT    NOT NULL DEFAULT '',
    last_name     TEXT    NOT NULL DEFAULT '',
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    -- Tokens issued before this time (a whole second, in microseconds) are invalid.
    tokens_from   BIGINT  NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL
);

CREATE INDEX user_skeleton ON user (username_skeleton);

CREATE TABLE user_group (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE user_group_member (
    group_id BIGINT NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    user_id  BIGINT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);

-- The change number of each user's own stream. A table of its own, which nothing references: every insert that refers
-- to a row of user locks that row, so a counter there would cause deadlocks on MySQL.
CREATE TABLE user_stream (
    user_id BIGINT NOT NULL PRIMARY KEY,
    rev     BIGINT NOT NULL
);
