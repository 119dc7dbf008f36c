-- What has ended, by when: the oldest go first where the hub is told not to keep everything.
CREATE INDEX coordination_messages_finished ON coordination_messages (status, completed_at)
  WHERE completed_at IS NOT NULL;
