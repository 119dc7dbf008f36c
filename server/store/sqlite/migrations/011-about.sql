-- What an instance tells of itself, as JSON: whoever sends to a role is told the truth after a restart, too.
ALTER TABLE coordination_instances ADD COLUMN about TEXT;
