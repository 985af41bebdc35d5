-- Sign-ins, and how every node learns that a credential has ended. Twin of sqlite/0009_credentials.sql.

-- chat_system.credential_rev numbers the rows of credential_end. Accounts that were deactivated are rows of it too, so
-- they need no number of their own.
DROP INDEX user_access ON user;
ALTER TABLE user DROP COLUMN access_rev;
ALTER TABLE chat_system CHANGE COLUMN access_rev credential_rev BIGINT NOT NULL DEFAULT 0;

-- Each session, sign-in or person whose credentials ended. A node reads the rows above the number that it knows and
-- closes what they had opened.
CREATE TABLE credential_end (
    -- The next chat_system.credential_rev, taken under that row's lock: numbers become visible in their order.
    rev     BIGINT NOT NULL PRIMARY KEY,
    -- 'session', 'sign_in' or 'person'.
    kind    VARCHAR(16) NOT NULL,
    -- session.id or the sign-in's id; empty for a person.
    ref     VARCHAR(64) NOT NULL,
    -- Whose. Not a foreign key: it would lock the user's row after chat_system's, and a password change locks them in
    -- the other order.
    user_id BIGINT NOT NULL,
    at      BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX credential_end_ref ON credential_end (kind, ref);
CREATE INDEX credential_end_at ON credential_end (at);

-- session.id is now the SHA-256 (hex) of the cookie's value. Those stored in clear cannot be used any more.
DELETE FROM session;

-- The sign-in that a refresh token belongs to: the id of its first token. Rotation keeps it.
ALTER TABLE refresh_token ADD COLUMN sign_in VARCHAR(64) NOT NULL DEFAULT '';
UPDATE refresh_token SET sign_in = jti;
CREATE INDEX refresh_token_sign_in ON refresh_token (sign_in);

-- A token that was rotated away stays good until this moment; 0: it was ended.
ALTER TABLE token_blacklist ADD COLUMN grace_until BIGINT NOT NULL DEFAULT 0;
