-- Notifications. Same schema as mysql/0040_notifications.sql.

-- Mentions, invitations and system notices. A plain message has no row: its notification is derived from the rooms of
-- the user and what they have read.
CREATE TABLE chat_notification (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id           BIGINT  NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    -- Number of the latest change of this row in the user's stream.
    rev               BIGINT  NOT NULL DEFAULT 0,
    notification_type TEXT    NOT NULL,
    -- Of a mention: 'reply' for a reply to one's own message, NULL for one's name in the text.
    reason            TEXT,
    room_id           BIGINT  NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    message_id        BIGINT  REFERENCES chat_message (id) ON DELETE CASCADE,
    title             TEXT    NOT NULL,
    content           TEXT    NOT NULL,
    is_read           BOOLEAN NOT NULL DEFAULT FALSE,
    created_at        BIGINT  NOT NULL
);
CREATE INDEX chat_notification_of_user ON chat_notification (user_id, created_at, id);
-- Resume of the user's stream.
CREATE INDEX chat_notification_rev ON chat_notification (user_id, rev);
-- One of a type for each user and message: a mention, or the mark that this one notification was read (type 'message',
-- while the read mark is below its message).
CREATE UNIQUE INDEX chat_notification_about ON chat_notification (user_id, notification_type, message_id);
-- For an edit or a deletion, which changes who is mentioned, and for the foreign key.
CREATE INDEX chat_notification_of_message ON chat_notification (message_id) WHERE message_id IS NOT NULL;
