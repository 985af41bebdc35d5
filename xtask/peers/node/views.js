// What the API shows of rows.
const time = (milliseconds) => new Date(milliseconds).toISOString();

export function room(row, creator, members) {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    room_type: row.room_type,
    creator,
    max_members: row.max_members,
    member_count: members,
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}

// A row of the list, with its newest message.
export function listed(row) {
  const { username, first_name, last_name } = row;
  const view = room(row, { id: row.creator_id, username, first_name, last_name }, row.member_count);
  view.last_message = row.last_id && {
    id: row.last_id,
    content: row.last_content,
    sender: row.last_sender,
    created_at: time(row.last_at),
  };
  return view;
}

// A message with its room, for REST.
export function message(row) {
  return {
    id: row.id,
    room: { id: row.room_id, name: row.room_name },
    sender: {
      id: row.sender_id,
      username: row.username,
      first_name: row.first_name,
      last_name: row.last_name,
    },
    message_type: row.message_type,
    content: row.content,
    file_url: row.file_url,
    file_name: row.file_name,
    file_size: row.file_size,
    is_edited: row.is_edited === 1,
    is_deleted: row.is_deleted === 1,
    reply_to: row.reply_to,
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}

// A new message, for the sockets of its room.
export function delivered(id, sender, { content, message_type, reply_to }, now) {
  const at = time(now);
  return {
    id,
    content,
    message_type,
    timestamp: at,
    created_at: at,
    sender,
    reply_to,
    file_url: null,
    file_name: null,
    file_size: null,
    is_edited: false,
    is_deleted: false,
  };
}
