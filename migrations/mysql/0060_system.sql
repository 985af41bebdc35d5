-- The one row about the system as a whole, and background jobs. Same schema as sqlite/0060_system.sql.

CREATE TABLE chat_system (
    id             BIGINT NOT NULL PRIMARY KEY,
    -- Random: distinguishes this system from others that use the same Redis.
    name           VARCHAR(150) NOT NULL,
    -- Number of the newest row of credential_end, changed under this row's lock.
    credential_rev BIGINT NOT NULL DEFAULT 0,
    -- A fixed text signed with the secret key; NULL until a server has started.
    key_check      VARCHAR(64)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
INSERT INTO chat_system (id, name) VALUES (1, REPLACE(UUID(), '-', ''));

-- Background jobs. One node at a time works on each.
CREATE TABLE job (
    name         VARCHAR(64) NOT NULL PRIMARY KEY,
    -- How far the job came.
    position     BIGINT NOT NULL DEFAULT 0,
    -- Number of failures in a row.
    failures     BIGINT NOT NULL DEFAULT 0,
    due_at       BIGINT NOT NULL DEFAULT 0,
    -- A random number of the node that works on it, and until when; 0: none.
    lease        BIGINT NOT NULL DEFAULT 0,
    leased_until BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
