-- How far a chat to everyone has come with each of those it is for.
CREATE TABLE coordination_receipts (
  message_id      TEXT NOT NULL,
  recipient       TEXT NOT NULL,
  delivered_at    TEXT,
  seen_at         TEXT,
  acknowledged_at TEXT,
  said            TEXT,
  late            INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (message_id, recipient)
) STRICT, WITHOUT ROWID;
-- What one recipient has not acknowledged yet.
CREATE INDEX coordination_receipts_open ON coordination_receipts (recipient, message_id)
  WHERE acknowledged_at IS NULL;

-- Who is not there, in the order of being forgotten.
CREATE INDEX coordination_instances_offline ON coordination_instances (last_seen) WHERE state = 'offline';
