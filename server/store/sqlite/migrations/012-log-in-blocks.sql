-- Who may see which entries of the log: whom it is for, and who sent it (1) where that is somebody else. Noted by blocks
-- of 512 entries; the log itself tells of those that fill no block yet.
CREATE TABLE coordination_log_names (
  name TEXT NOT NULL,
  seq  INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  PRIMARY KEY (name, seq)
) STRICT, WITHOUT ROWID;
DROP INDEX coordination_log_from;
DROP INDEX coordination_log_to;
INSERT INTO coordination_log_names (name, seq, sent)
  WITH blocks AS (SELECT * FROM coordination_log WHERE seq <= (SELECT max(seq) - max(seq) % 512 FROM coordination_log))
  SELECT to_claude, seq, 0 FROM blocks
  UNION ALL SELECT from_claude, seq, 1 FROM blocks WHERE from_claude <> to_claude;

-- How many messages of each status there are, as JSON: the last entry of a batch says so.
ALTER TABLE coordination_log ADD COLUMN counts TEXT;
UPDATE coordination_log SET counts = (SELECT json_group_object(status, count) FROM coordination_counts)
  WHERE seq = (SELECT max(seq) FROM coordination_log);
DROP TABLE coordination_counts;
