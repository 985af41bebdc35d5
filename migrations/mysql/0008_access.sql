-- What an account is open with, so that its owner can see and end it. Twin of sqlite/0008_access.sql.

-- Tokens issued before this moment (a whole second, in microseconds) are worth nothing.
ALTER TABLE user ADD COLUMN tokens_from BIGINT NOT NULL DEFAULT 0;

-- Refresh tokens that were given out, until they expire or are ended.
CREATE TABLE refresh_token (
    jti        VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL,
    -- What the client called itself when it asked for it.
    agent      VARCHAR(250) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX refresh_token_of_user ON refresh_token (user_id, created_at);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);
