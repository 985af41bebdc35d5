-- Accounts and groups. Same schema as sqlite/0010_accounts.sql.
-- Times are microseconds since the epoch in UTC. Flags are 0 or 1. A column named *_key or *_skeleton contains text as
-- chat::fold made it, so that both databases compare it by bytes. Unlike in SQLite, spaces at the end do not
-- count ('c1' and 'c1 ' are equal, PAD SPACE), so the service refuses white space at the ends of identifiers.

CREATE TABLE user (
    id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    username      VARCHAR(150) NOT NULL,
    -- The folded username: 'Bob' and 'bob' are one account.
    username_key  VARCHAR(700) NOT NULL UNIQUE,
    -- The UTS 39 skeleton of username_key: equal for names that look alike. Not unique: names of ASCII characters only
    -- may have one in common ('l1' and '1l').
    username_skeleton VARCHAR(700) NOT NULL DEFAULT '',
    -- Username, first and last name, folded, for searches.
    search_key    VARCHAR(2000) NOT NULL DEFAULT '',
    -- PHC string, or Django's pbkdf2_sha256$… until the next sign-in.
    password_hash VARCHAR(255) NOT NULL,
    first_name    VARCHAR(150) NOT NULL DEFAULT '',
    last_name     VARCHAR(150) NOT NULL DEFAULT '',
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    -- Tokens issued before this time (a whole second, in microseconds) are invalid.
    tokens_from   BIGINT  NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE INDEX user_skeleton ON user (username_skeleton);

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

-- The change number of each user's own stream. A table of its own, which nothing references: every insert that refers
-- to a row of user locks that row, so a counter there would cause deadlocks on MySQL.
CREATE TABLE user_stream (
    user_id BIGINT NOT NULL PRIMARY KEY,
    rev     BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
