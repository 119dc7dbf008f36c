-- Tasks that wait for others: a row for each that is not complete yet.
ALTER TABLE coordination_messages ADD COLUMN after TEXT;
ALTER TABLE coordination_messages ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;

CREATE TABLE coordination_after (
  message_id TEXT NOT NULL,
  awaited_id TEXT NOT NULL,
  PRIMARY KEY (message_id, awaited_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX coordination_after_awaited ON coordination_after (awaited_id);
