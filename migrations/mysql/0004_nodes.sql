-- What several servers on one database have to notice. Twin of sqlite/0004_nodes.sql.

-- The one row about the system as a whole.
CREATE TABLE chat_system (
    id          BIGINT NOT NULL PRIMARY KEY,
    -- Drawn once: tells this system from others that use the same Redis.
    name        VARCHAR(64) NOT NULL,
    -- How often somebody's account was shut out, moved under this row's lock.
    access_rev  BIGINT NOT NULL DEFAULT 0,
    -- What the secret key makes of a fixed text; NULL until a server has started.
    key_check   VARCHAR(64)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
INSERT INTO chat_system (id, name) VALUES (1, REPLACE(UUID(), '-', ''));

-- chat_system.access_rev when this account was last shut out: a server asks for those above
-- the number that it knows, and closes their sockets.
ALTER TABLE user ADD COLUMN access_rev BIGINT NOT NULL DEFAULT 0;
CREATE INDEX user_access ON user (access_rev);

-- The same for a room: how often somebody lost the right to listen, moved under the room's
-- lock, and the number of each membership's last loss.
ALTER TABLE chat_room ADD COLUMN access_rev BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_room_member ADD COLUMN access_rev BIGINT NOT NULL DEFAULT 0;
CREATE INDEX chat_room_member_access ON chat_room_member (room_id, access_rev);
