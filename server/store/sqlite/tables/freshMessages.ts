/**
 * What the present batch has sent. It is written when the batch ends, as it is then, or before a query that must see it:
 * a task that a worker waits for is claimed by the batch that sends it, and so is written once, and never into the indexes
 * of what waits.
 *
 * Invariants: between batches there is nothing here. What is here was sent after everything in the table.
 */
import type Database from "better-sqlite3";
import type { MessageState } from "../../../core/message.ts";
import { CHANGING, SAID, toChanges, toSaid } from "./rows.ts";

interface Row {
  /** Its rowid. */
  place: number;
  state: MessageState;
  /** Whether something has happened to it since. */
  hasChanged: boolean;
}

/** Which of CHANGING a new message does not have. */
const IS_LATER = CHANGING.map((column) => !(SAID as readonly string[]).includes(column));

const laterOnly = <Value>(values: readonly Value[]) => values.filter((_, i) => IS_LATER[i]);

const insertInto = (db: Database.Database, columns: readonly string[]) =>
  db.prepare(
    `INSERT INTO coordination_messages (rowid, ${columns.join(", ")}) VALUES (?${", ?".repeat(columns.length)})`,
  );

export class FreshMessages {
  readonly #insert: Database.Statement;
  readonly #insertChanged: Database.Statement;
  readonly #rows = new Map<string, Row>();

  constructor(db: Database.Database) {
    this.#insert = insertInto(db, SAID);
    this.#insertChanged = insertInto(db, [...SAID, ...laterOnly(CHANGING)]);
  }

  get(id: string): MessageState | undefined {
    return this.#rows.get(id)?.state;
  }

  add(place: number, state: MessageState): void {
    this.#rows.set(state.id, { place, state, hasChanged: false });
  }

  /** @returns whether it is one of these, and need not be updated in the table. */
  change(state: MessageState): boolean {
    const row = this.#rows.get(state.id);
    if (row === undefined) return false;
    row.state = state;
    row.hasChanged = true;
    return true;
  }

  /** The first that was sent, of those that are wanted. */
  find(isWanted: (state: MessageState) => boolean): MessageState | undefined {
    for (const { state } of this.#rows.values()) if (isWanted(state)) return state;
    return undefined;
  }

  /** The first in claim order that a recipient can claim. */
  next(recipient: string): MessageState | undefined {
    let first: MessageState | undefined;
    for (const { state } of this.#rows.values()) {
      if (state.to_claude !== recipient || state.claim_rank === null) continue;
      if (first === undefined || state.claim_rank < (first.claim_rank as number)) first = state;
    }
    return first;
  }

  write(): void {
    for (const { place, state, hasChanged } of this.#rows.values()) {
      if (hasChanged) this.#insertChanged.run(place, ...toSaid(state), ...laterOnly(toChanges(state)));
      else this.#insert.run(place, ...toSaid(state));
    }
    this.#rows.clear();
  }

  /** Their batch is undone. */
  forget(): void {
    this.#rows.clear();
  }
}
