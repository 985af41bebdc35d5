-- Rooms and memberships. Same schema as mysql/0020_rooms.sql.

CREATE TABLE chat_room (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL,
    -- The name, folded, for searches.
    name_key      TEXT    NOT NULL DEFAULT '',
    description   TEXT    NOT NULL DEFAULT '',
    room_type     TEXT    NOT NULL,
    created_by    BIGINT  NOT NULL REFERENCES user (id),
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    max_members   BIGINT  NOT NULL,
    -- Number of members who are in the room and not banned. Changed in the transaction that changes them.
    member_count  BIGINT  NOT NULL DEFAULT 0,
    -- Number of the newest message.
    seq           BIGINT  NOT NULL DEFAULT 0,
    -- Number of the oldest message that was not removed; seq + 1 if all were. Rows of older ones may still be there.
    first_seq     BIGINT  NOT NULL DEFAULT 1,
    -- Number of the latest change of the room, its messages or its members.
    rev           BIGINT  NOT NULL DEFAULT 0,
    -- Number of the latest change of the room itself.
    info_rev      BIGINT  NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    -- When the newest message was stored, or the room created: the order of the room list.
    active_at     BIGINT  NOT NULL
);
-- Without active_at, which every message moves: sorting the public rooms costs less than that.
CREATE INDEX chat_room_listed ON chat_room (is_active, room_type);

CREATE TABLE chat_room_member (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id         BIGINT  NOT NULL REFERENCES chat_room (id) ON DELETE CASCADE,
    user_id         BIGINT  NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    -- Number of the latest change of this membership in the room's stream.
    rev             BIGINT  NOT NULL DEFAULT 0,
    -- Number, in the user's stream, of the latest change of whether the user is a member.
    user_rev        BIGINT  NOT NULL DEFAULT 0,
    role            TEXT    NOT NULL,
    joined_at       BIGINT  NOT NULL,
    -- The room's seq when the user joined; later messages are theirs to read.
    joined_seq      BIGINT  NOT NULL DEFAULT 0,
    -- When they left. The row is kept: mute and ban stay in force.
    left_at         BIGINT,
    last_read_seq   BIGINT  NOT NULL DEFAULT 0,
    last_read_at    BIGINT,
    -- Number of their own messages above last_read_seq: chat_room.seq - last_read_seq - own_after_read is the number
    -- of unread messages.
    own_after_read  BIGINT  NOT NULL DEFAULT 0,
    -- Number of messages they have sent in the room, in all their times as a member.
    sent            BIGINT  NOT NULL DEFAULT 0,
    -- None of their own messages in the room is above this seq.
    sent_upto       BIGINT  NOT NULL DEFAULT 0,
    is_muted        BOOLEAN NOT NULL DEFAULT FALSE,
    is_banned       BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (room_id, user_id)
);
CREATE INDEX chat_room_member_of_user ON chat_room_member (user_id, left_at);
-- Resume and gap backfill.
CREATE INDEX chat_room_member_rev ON chat_room_member (room_id, rev);
-- The first members of a room in the order in which they joined.
CREATE INDEX chat_room_member_listed ON chat_room_member (room_id, left_at, joined_at);
-- Pages of members: admins first, then moderators, then members, each in the order in which they joined.
CREATE INDEX chat_room_member_roster ON chat_room_member (room_id, role, joined_at, id);
