/** A page on its way to readers: turned into text once, and shared by all whose cursor and view are the same. */
import { formatCursor } from "../../shared/cursor.ts";
import type { LogEntry } from "../store/store.ts";

export interface LogPage {
  /** The seq after which the page begins. */
  readonly after: number;
  /** The seq that it leads to. */
  readonly upTo: number;
  readonly entries: readonly LogEntry[];
  readonly json: string;
  /** Of its text. */
  readonly bytes: number;
  /** A transport may keep its own encoding here, made once for all its readers. */
  frame?: Buffer;
}

export function makePage(epoch: string, after: number, upTo: number, entries: readonly LogEntry[]): LogPage {
  const events = entries.length === 1 ? (entries[0] as LogEntry).json : entries.map((entry) => entry.json).join(",");
  const [from, to] = [formatCursor(epoch, after), formatCursor(epoch, upTo)];
  const json = `{"after":"${from}","cursor":"${to}","events":[${events}]}`;
  return { after, upTo, entries, json, bytes: Buffer.byteLength(json) };
}
