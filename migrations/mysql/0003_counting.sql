-- Nothing is counted where it is read. Twin of sqlite/0003_counting.sql.

-- The how-manieth message of its sender in its room this is: 1, 2, 3 … without a hole.
-- How many of one's own stand above a place is a difference of two of these.
ALTER TABLE chat_message ADD COLUMN sender_seq BIGINT NOT NULL DEFAULT 0;
-- The sender_seq of the member's newest message, also when they left and came back.
ALTER TABLE chat_room_member ADD COLUMN sent BIGINT NOT NULL DEFAULT 0;

UPDATE chat_message m
JOIN (SELECT id, ROW_NUMBER() OVER (PARTITION BY room_id, sender_id ORDER BY seq) AS n FROM chat_message) numbered
    ON numbered.id = m.id
SET m.sender_seq = numbered.n;

-- Takes the place of the index that the foreign key made for itself.
CREATE INDEX chat_message_of_sender ON chat_message (sender_id, room_id, seq);

UPDATE chat_room_member SET sent = COALESCE(
    (SELECT MAX(m.sender_seq) FROM chat_message m
     WHERE m.sender_id = chat_room_member.user_id AND m.room_id = chat_room_member.room_id), 0);

-- The first members of a room in the order in which they came, however many there are.
CREATE INDEX chat_room_member_listed ON chat_room_member (room_id, left_at, joined_at);
-- Is there another admin?
CREATE INDEX chat_room_member_role ON chat_room_member (room_id, role);
