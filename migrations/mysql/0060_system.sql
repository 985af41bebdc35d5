-- The one row about the system as a whole. Same schema as sqlite/0060_system.sql.

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
