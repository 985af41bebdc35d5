-- Notifications. Same schema as sqlite/0040_notifications.sql.

-- Mentions, invitations and system notices. A plain message has no row: its notification is derived from the rooms of
-- the user and what they have read.
CREATE TABLE chat_notification (
    id                BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id           BIGINT  NOT NULL,
    -- Number of the latest change of this row in the user's stream.
    rev               BIGINT  NOT NULL DEFAULT 0,
    notification_type VARCHAR(32) NOT NULL,
    -- Of a mention: 'reply' for a reply to one's own message, NULL for one's name in the text.
    reason            VARCHAR(16),
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
-- Resume of the user's stream.
CREATE INDEX chat_notification_rev ON chat_notification (user_id, rev);
-- One of a type for each user and message: a mention, or the mark that this one notification was read (type 'message',
-- while the read mark is below its message).
CREATE UNIQUE INDEX chat_notification_about ON chat_notification (user_id, notification_type, message_id);
-- For an edit or a deletion, which changes who is mentioned, and for the foreign key.
CREATE INDEX chat_notification_of_message ON chat_notification (message_id);
