-- Messages and macros kept under a name. `body` is JSON: description, parameters, and message or steps; what the list
-- shows of it has columns of its own.
CREATE TABLE coordination_templates (
  name        TEXT PRIMARY KEY NOT NULL,
  kind        TEXT NOT NULL,
  description TEXT,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  updated_by  TEXT,
  body        TEXT NOT NULL
) STRICT;

-- What an idempotency key stands for that was given to a send by template: `sent` is JSON, the messages of it. Goes
-- with its key.
CREATE TABLE coordination_template_keys (
  sender TEXT NOT NULL,
  key    TEXT NOT NULL,
  sent   TEXT NOT NULL,
  PRIMARY KEY (sender, key),
  FOREIGN KEY (sender, key) REFERENCES coordination_keys (sender, key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
