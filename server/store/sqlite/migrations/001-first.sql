-- Messages, the document's columns first and under its names. Times are ISO 8601 text, so that they read well
-- in a shell and sort as time; wake_at is in milliseconds.
CREATE TABLE coordination_messages (
  id           TEXT PRIMARY KEY NOT NULL,
  from_claude  TEXT NOT NULL,
  to_claude    TEXT NOT NULL,
  task         TEXT NOT NULL,
  context      TEXT,
  type         TEXT NOT NULL DEFAULT 'task',
  status       TEXT NOT NULL DEFAULT 'pending',
  result       TEXT,
  error        TEXT,
  created_at   TEXT NOT NULL,
  updated_at   TEXT NOT NULL,
  priority     TEXT,
  thread_id    TEXT,
  reply_to     TEXT,
  parent_id    TEXT,
  not_before   TEXT,
  expires_at   TEXT,
  timeout_ms   INTEGER,
  max_attempts INTEGER NOT NULL DEFAULT 3,
  backoff_ms   INTEGER NOT NULL DEFAULT 5000,
  traceparent  TEXT,
  attempt      INTEGER NOT NULL DEFAULT 0,
  tries_left   INTEGER NOT NULL DEFAULT 3,
  claimed_by   TEXT,
  claimed_run  TEXT,
  claim_key    TEXT,
  claimed_at   TEXT,
  lease_until  TEXT,
  delivered_at TEXT,
  completed_at TEXT,
  failure      TEXT,
  seq          INTEGER NOT NULL DEFAULT 0,
  claim_rank   INTEGER,
  wake_at      INTEGER
) STRICT;

-- Written once a message: who sent it, who it is for, which conversation it belongs to.
CREATE INDEX coordination_messages_to ON coordination_messages (to_claude);
CREATE INDEX coordination_messages_from ON coordination_messages (from_claude);
CREATE INDEX coordination_messages_thread ON coordination_messages (thread_id) WHERE thread_id IS NOT NULL;
-- Small, whatever the history: what waits for whom, what can be claimed in claim order, what is held by whom, what
-- failed, what time alone will change.
CREATE INDEX coordination_messages_pending ON coordination_messages (to_claude) WHERE status = 'pending';
CREATE INDEX coordination_messages_claimable ON coordination_messages (to_claude, claim_rank)
  WHERE claim_rank IS NOT NULL;
CREATE INDEX coordination_messages_held ON coordination_messages (claimed_by, claim_key)
  WHERE status = 'in_progress';
CREATE INDEX coordination_messages_failed ON coordination_messages (status) WHERE status = 'failed';
CREATE INDEX coordination_messages_wake ON coordination_messages (wake_at) WHERE wake_at IS NOT NULL;

-- The log. An entry's envelope is its event as JSON up to the bodies; bodies that the message does not hold
-- for good stand in coordination_bodies, so that deleting a message can erase them.
CREATE TABLE coordination_log (
  seq         INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  from_claude TEXT NOT NULL,
  to_claude   TEXT NOT NULL,
  envelope    TEXT NOT NULL
) STRICT;
CREATE INDEX coordination_log_from ON coordination_log (from_claude);
CREATE INDEX coordination_log_to ON coordination_log (to_claude);

CREATE TABLE coordination_bodies (
  seq        INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL,
  bodies     TEXT NOT NULL
) STRICT;
CREATE INDEX coordination_bodies_message ON coordination_bodies (message_id);

-- Idempotency keys outlive the messages they stand for.
CREATE TABLE coordination_keys (
  sender      TEXT NOT NULL,
  key         TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (sender, key)
) STRICT, WITHOUT ROWID;

-- Who was there when.
CREATE TABLE coordination_presence (
  id        INTEGER PRIMARY KEY,
  claude_id TEXT NOT NULL,
  state     TEXT NOT NULL,
  at        TEXT NOT NULL
) STRICT;
CREATE INDEX coordination_presence_of ON coordination_presence (claude_id);

CREATE TABLE coordination_instances (
  claude_id TEXT PRIMARY KEY NOT NULL,
  state     TEXT NOT NULL,
  since     TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  beat_ms   INTEGER
) STRICT;

-- What is written to find out whether the disk takes an ordinary message.
CREATE TABLE coordination_probe (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE coordination_counts (
  status TEXT PRIMARY KEY NOT NULL,
  count  INTEGER NOT NULL
) STRICT;
INSERT INTO coordination_counts VALUES ('pending', 0), ('in_progress', 0), ('complete', 0), ('failed', 0);
