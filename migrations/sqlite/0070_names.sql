-- Same schema as mysql/0070_names.sql.

-- Number of the latest change of anybody's names. What shows names and is kept in memory is kept with this number.
ALTER TABLE chat_system ADD COLUMN names_rev BIGINT NOT NULL DEFAULT 0;
