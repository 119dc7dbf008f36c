-- How far work is, who has seen what, and what became of each try.
ALTER TABLE coordination_messages ADD COLUMN progress TEXT;
ALTER TABLE coordination_messages ADD COLUMN seen_at TEXT;
ALTER TABLE coordination_messages ADD COLUMN extended_until TEXT;

-- Tries that ended otherwise than by completion.
CREATE TABLE coordination_attempts (
  message_id  TEXT NOT NULL,
  attempt     INTEGER NOT NULL,
  claimed_by  TEXT NOT NULL,
  claimed_run TEXT,
  claimed_at  TEXT NOT NULL,
  ended_at    TEXT NOT NULL,
  outcome     TEXT NOT NULL,
  error       TEXT,
  late        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (message_id, attempt)
) STRICT, WITHOUT ROWID;
