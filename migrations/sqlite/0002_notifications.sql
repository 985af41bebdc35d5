-- Notifications by message. Twin of mysql/0002_notifications.sql.

-- One of a kind for each person and message: a mention, or the mark that this one
-- notification was read (type 'message', where reading itself has not come so far).
CREATE UNIQUE INDEX chat_notification_about ON chat_notification (user_id, notification_type, message_id);
-- For an edit or a deletion, which change who is mentioned, and for the foreign key.
CREATE INDEX chat_notification_of_message ON chat_notification (message_id) WHERE message_id IS NOT NULL;
