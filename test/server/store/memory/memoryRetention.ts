/** Retention in memory: the same answers as SQLite's. There is no file, so nothing has a size. */
import type { MessageState } from "../../../../server/core/message.ts";
import type {
  DueInstances,
  Finished,
  ForgottenInstances,
  GiveUp,
  RememberedKey,
  RetentionTables,
  StoredEntry,
} from "../../../../server/store/engine/ledger.ts";
import type { KeyCursor, PresenceTransition } from "../../../../server/store/storeCommands.ts";
import type { MemoryPresence } from "./memoryPresence.ts";

interface Tables {
  readonly messages: ReadonlyMap<string, MessageState>;
  readonly log: StoredEntry[];
  /** By sender and key. */
  readonly keys: Map<string, RememberedKey>;
  readonly presence: MemoryPresence;
}

export class MemoryRetention implements RetentionTables {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  get floor(): number {
    return (this.#tables.log[0]?.seq ?? 1) - 1;
  }

  finished(status: Finished, before: number, limit: number): MessageState[] {
    const endOf = (state: MessageState) => state.completed_at as number;
    return [...this.#tables.messages.values()]
      .filter((state) => state.status === status && endOf(state) < before)
      .sort((a, b) => endOf(a) - endOf(b))
      .slice(0, limit);
  }

  pruneLog(before: number, limit: number): number {
    const { log } = this.#tables;
    const kept = log.findIndex(({ envelope }) => timeOf(envelope) >= before);
    const older = kept === -1 ? log.length : kept;
    return log.splice(0, Math.min(older, limit, log.length - 1)).length;
  }

  pruneKeys(before: number, after: KeyCursor, limit: number) {
    const { keys, messages } = this.#tables;
    const places = [...keys.keys()].sort().filter((place) => place > after.join(" "));
    const looked = places.slice(0, limit);
    const useless = looked.filter((place) => {
      const { id, created_at } = keys.get(place) as RememberedKey;
      return created_at < before && !messages.has(id);
    });
    for (const place of useless) keys.delete(place);
    const last = looked[limit - 1]?.split(" ");
    const next: KeyCursor | null = last ? [last[0] as string, last.slice(1).join(" ")] : null;
    return { removed: useless.length, next };
  }

  forgetInstances({ seen_before, max_instances }: DueInstances, limit: number, giveUp: GiveUp): ForgottenInstances {
    const { presence } = this.#tables;
    const known = [...presence.known.values()];
    const tooMany = known.length - (max_instances ?? known.length);
    const gone = known.filter(({ state }) => state === "offline").sort((a, b) => a.last_seen - b.last_seen);
    const due = gone.filter(({ last_seen }, i) => last_seen < (seen_before ?? 0) || i < tooMany).slice(0, limit);
    const instances = due.map(({ claude_id }) => claude_id).filter((name) => presence.known.delete(name));
    for (const name of instances) giveUp(name, limit);
    return { instances, history: this.#keepHistory(({ claude_id }) => !instances.includes(claude_id)) };
  }

  pruneHistory(before: number, limit: number): number {
    return this.#keepHistory(({ at }, i) => i >= limit || at >= before);
  }

  /** @returns how many entries went. */
  #keepHistory(stays: (entry: PresenceTransition, i: number) => boolean): number {
    const { presence } = this.#tables;
    const before = presence.history.length;
    presence.history = presence.history.filter(stays);
    return before - presence.history.length;
  }

  usedBytes(): number {
    return 0;
  }

  giveBack(): number {
    return 0;
  }
}

const timeOf = (envelope: string) => Date.parse(/"at":"([^"]*)"/.exec(envelope)?.[1] as string);
