/** Who is known, as it follows from everything that happened to instances. */
import type { KnownInstance, PresenceTransition } from "../store.ts";

export type Known = Pick<KnownInstance, "claude_id" | "state" | "last_seen">;

export function knownFrom(transitions: readonly PresenceTransition[]): Known[] {
  const known = new Map<string, Known>();
  for (const { claude_id, state, at } of transitions) {
    const before = known.get(claude_id)?.state ?? "online";
    known.set(claude_id, { claude_id, state: state === "heartbeat" ? before : state, last_seen: at });
  }
  return [...known.values()];
}
