-- Folded forms of names, written by the server, since databases fold differently; and why a mention is one. Twin of
-- mysql/0010_text.sql.

-- The UTS 39 skeleton of username_key: equal for names that look alike. Not unique: names of ASCII characters only may
-- have one in common ('l1' and '1l').
ALTER TABLE user ADD COLUMN username_skeleton TEXT NOT NULL DEFAULT '';
CREATE INDEX user_skeleton ON user (username_skeleton);
-- Username, first and last name, folded, for searches.
ALTER TABLE user ADD COLUMN search_key TEXT NOT NULL DEFAULT '';

-- The name, folded, for searches.
ALTER TABLE chat_room ADD COLUMN name_key TEXT NOT NULL DEFAULT '';

-- Of a mention: 'reply' for a reply to one's own message, NULL for one's name in the text.
ALTER TABLE chat_notification ADD COLUMN reason TEXT;
