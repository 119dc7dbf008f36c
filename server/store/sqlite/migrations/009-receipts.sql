-- How far a chat to everyone has come with each of those it is for.
CREATE TABLE coordination_receipts (
  message_id      TEXT NOT NULL,
  recipient       TEXT NOT NULL,
  delivered_at    TEXT,
  seen_at         TEXT,
  acknowledged_at TEXT,
  PRIMARY KEY (message_id, recipient)
) STRICT, WITHOUT ROWID;
