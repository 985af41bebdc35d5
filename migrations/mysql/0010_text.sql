-- Folded forms of names, written by the server, since databases fold differently; and why a mention is one. Twin of
-- sqlite/0010_text.sql.

-- Case folding can make a name longer. An index holds 3,072 bytes, at four a character.
ALTER TABLE user MODIFY COLUMN username_key VARCHAR(700) NOT NULL;
-- The UTS 39 skeleton of username_key: equal for names that look alike. Not unique: names of ASCII characters only may
-- have one in common ('l1' and '1l').
ALTER TABLE user ADD COLUMN username_skeleton VARCHAR(700) NOT NULL DEFAULT '';
CREATE INDEX user_skeleton ON user (username_skeleton);
-- Username, first and last name, folded, for searches.
ALTER TABLE user ADD COLUMN search_key VARCHAR(2000) NOT NULL DEFAULT '';

-- The name, folded, for searches.
ALTER TABLE chat_room ADD COLUMN name_key VARCHAR(2000) NOT NULL DEFAULT '';

-- Of a mention: 'reply' for a reply to one's own message, NULL for one's name in the text.
ALTER TABLE chat_notification ADD COLUMN reason VARCHAR(16);
