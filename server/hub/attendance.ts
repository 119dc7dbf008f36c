import type { Connection } from "../presence/instances.ts";
import type { Hub } from "./hub.ts";

/**
 * A connection of an instance has begun: the instance is there, and the connection's run keeps its leases.
 *
 * @returns what to call once it has ended. Its `goodbye`: whether the client said that it was leaving.
 */
export function connect(
  { presence, runs }: Pick<Hub, "presence" | "runs">,
  claudeId: string,
  connection: Connection,
): (goodbye: boolean) => void {
  const { run } = connection;
  presence.connect(claudeId, connection);
  if (run !== null) runs.attach(claudeId, run);
  return (goodbye) => {
    presence.disconnect(claudeId, connection, goodbye);
    if (run !== null) runs.detach(claudeId, run);
  };
}
