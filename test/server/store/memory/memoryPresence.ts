/** Who is known, and what happened to them. */
import type { KnownInstance } from "../../../../server/store/store.ts";
import type { PresenceTransition } from "../../../../server/store/storeCommands.ts";

export type Known = Pick<KnownInstance, "claude_id" | "state" | "last_seen">;

export class MemoryPresence {
  readonly known = new Map<string, Known>();
  history: PresenceTransition[] = [];

  record(transitions: readonly PresenceTransition[]): void {
    for (const { claude_id, state, at, seen = at } of transitions) {
      if (state === "about") continue;
      const before = this.known.get(claude_id)?.state ?? "online";
      this.known.set(claude_id, { claude_id, state: state === "heartbeat" ? before : state, last_seen: seen });
    }
    this.history.push(...transitions);
  }
}
