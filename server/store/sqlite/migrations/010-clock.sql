-- When the time of an attempt is over, which is no longer its claim and its time-out alone: clocks are set.
ALTER TABLE coordination_messages ADD COLUMN timeout_at TEXT;
UPDATE coordination_messages
  SET timeout_at = strftime('%Y-%m-%dT%H:%M:%fZ', claimed_at, (timeout_ms / 1000.0) || ' seconds')
  WHERE status = 'in_progress' AND type = 'task' AND timeout_ms IS NOT NULL;

-- The wall clock as the hub last saw it, in milliseconds.
CREATE TABLE coordination_clock (
  id  INTEGER PRIMARY KEY,
  now INTEGER NOT NULL
) STRICT;
