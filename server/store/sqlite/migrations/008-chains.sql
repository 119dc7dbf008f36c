-- Exchanges: which one a reply goes on with, and how far it has come. Whatever is no reply is in neither index.
ALTER TABLE coordination_messages ADD COLUMN chain_id TEXT;
ALTER TABLE coordination_messages ADD COLUMN hops INTEGER;
CREATE INDEX coordination_messages_chain ON coordination_messages (chain_id) WHERE chain_id IS NOT NULL;
CREATE INDEX coordination_messages_hops ON coordination_messages (chain_id, hops) WHERE chain_id IS NOT NULL;

-- Exchanges that a person lets go on, and how far.
CREATE TABLE coordination_chains (
  chain_id TEXT PRIMARY KEY NOT NULL,
  hops     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
