/** Reads the lists of an open file: short ones at once, a long one step by step, one at a time. */
import type Database from "better-sqlite3";
import type { ListFilter, MessageSlice } from "../../store.ts";
import { unavailable } from "../unavailable.ts";
import { ListConnection, MessageList } from "./list.ts";

export class ListReader {
  readonly #short: ListConnection;
  readonly #long: ListConnection;
  readonly #graceMs: number;
  #list: MessageList | undefined;

  /** @param reader a connection of its own for long lists, which hold a snapshot over several steps. */
  constructor(db: Database.Database, reader: Database.Database, graceMs: number) {
    this.#short = new ListConnection(db);
    this.#long = new ListConnection(reader);
    this.#graceMs = graceMs;
  }

  /** A list that takes one step only, whatever other list is under way; null: it takes more. */
  atOnce(filter: ListFilter, now: number, head: number): MessageSlice | null {
    const list = new MessageList(this.#short, filter, { now, graceMs: this.#graceMs }, head);
    try {
      return list.step();
    } finally {
      list.close();
    }
  }

  /** Begins a long list, in the place of another one; null: it takes more steps. */
  begin(filter: ListFilter, now: number, head: number): MessageSlice | null {
    this.end();
    this.#list = new MessageList(this.#long, filter, { now, graceMs: this.#graceMs }, head);
    return this.goOn();
  }

  /** Goes on with the list; null: it takes more steps. */
  goOn(): MessageSlice | null {
    if (!this.#list) throw unavailable("it was opened anew while a list was read");
    try {
      const slice = this.#list.step();
      if (slice) this.#list = undefined;
      return slice;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Lets go of a list that is not read to its end: its snapshot would keep the write-ahead log from being emptied. */
  end(): void {
    this.#list?.close();
    this.#list = undefined;
  }
}
