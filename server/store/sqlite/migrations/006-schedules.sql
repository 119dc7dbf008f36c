-- Messages that are sent again and again. The message is JSON, times are ISO 8601 text; next_at is in milliseconds.
-- There are never more than a few: the hub bounds them.
CREATE TABLE coordination_schedules (
  name            TEXT PRIMARY KEY NOT NULL,
  cron            TEXT NOT NULL,
  timezone        TEXT NOT NULL,
  missed          TEXT NOT NULL,
  overlap         TEXT NOT NULL,
  enabled         INTEGER NOT NULL,
  message         TEXT NOT NULL,
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  next_at         INTEGER,
  last_at         TEXT,
  last_id         TEXT,
  skipped_at      TEXT,
  skipped_because TEXT
) STRICT;
