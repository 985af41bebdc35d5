-- Sessions, tokens, and how every node learns that a credential has ended. Same schema as mysql/0050_credentials.sql.

-- Sessions of the bundled UI.
CREATE TABLE session (
    -- SHA-256 (hex) of the cookie's value.
    id         TEXT   NOT NULL PRIMARY KEY,
    data       TEXT   NOT NULL,
    user_id    BIGINT REFERENCES user (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);

-- Refresh tokens that were issued, until they expire or are ended.
CREATE TABLE refresh_token (
    jti        TEXT   NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    -- The sign-in it belongs to: the id of its first token. Rotation keeps it.
    sign_in    TEXT   NOT NULL,
    -- The client's User-Agent.
    agent      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_token_of_user ON refresh_token (user_id, created_at);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);
CREATE INDEX refresh_token_sign_in ON refresh_token (sign_in);

-- Refresh tokens that ended before they expired.
CREATE TABLE token_blacklist (
    jti         TEXT   NOT NULL PRIMARY KEY,
    expires_at  BIGINT NOT NULL,
    -- A token that was rotated away stays valid until this time; 0: it was ended.
    grace_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX token_blacklist_expiry ON token_blacklist (expires_at);

-- Each session, sign-in or user whose credentials ended. A node reads the rows above the number it knows, and closes
-- what they had opened.
CREATE TABLE credential_end (
    -- The next chat_system.credential_rev, taken under that row's lock: numbers become visible in order.
    rev     BIGINT NOT NULL PRIMARY KEY,
    -- 'session', 'sign_in' or 'person'.
    kind    TEXT   NOT NULL,
    -- session.id or the sign-in's id; empty for a person.
    ref     TEXT   NOT NULL,
    -- Not a foreign key: on MySQL it would lock the user's row after chat_system's, and a password change locks them
    -- in the other order.
    user_id BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX credential_end_ref ON credential_end (kind, ref);
CREATE INDEX credential_end_at ON credential_end (at);
