-- What the bundled UI asks for. Twin of mysql/0006_shell.sql.

-- Pages of members: admins first, then moderators, then the rest, each first come first.
CREATE INDEX chat_room_member_roster ON chat_room_member (room_id, role, joined_at, id);
