-- The log by who may see its entries: whom each is for, and who sent it (is_sender) where that is somebody else. Filled by
-- blocks of 64 entries: what fills no block yet is not in it. The indexes that it replaces give the order to fill it in.
CREATE TABLE coordination_log_index (
  name      TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  is_sender INTEGER NOT NULL,
  PRIMARY KEY (name, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO coordination_log_index (name, seq, is_sender)
  SELECT to_claude, seq, 0 FROM coordination_log INDEXED BY coordination_log_to
  WHERE seq <= (SELECT max(seq) - max(seq) % 64 FROM coordination_log) ORDER BY to_claude, seq;
INSERT INTO coordination_log_index (name, seq, is_sender)
  SELECT from_claude, seq, 1 FROM coordination_log INDEXED BY coordination_log_from
  WHERE seq <= (SELECT max(seq) - max(seq) % 64 FROM coordination_log) AND from_claude <> to_claude
  ORDER BY from_claude, seq;
DROP INDEX coordination_log_from;
DROP INDEX coordination_log_to;

-- How many messages of each status there are, as JSON: the last entry of a batch says so.
ALTER TABLE coordination_log ADD COLUMN counts TEXT;
UPDATE coordination_log SET counts = (SELECT json_group_object(status, count) FROM coordination_counts)
  WHERE seq = (SELECT max(seq) FROM coordination_log);
DROP TABLE coordination_counts;

-- Whoever deletes an entry: it is in the index no more, and what the one before it says is no longer the last word.
CREATE TRIGGER coordination_log_deleted AFTER DELETE ON coordination_log BEGIN
  DELETE FROM coordination_log_index WHERE name IN (old.to_claude, old.from_claude) AND seq = old.seq;
  UPDATE coordination_log SET counts = NULL WHERE seq = old.seq - 1;
END;
