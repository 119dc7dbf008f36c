/** What workers write down as it happens, each run in a file of its own, which outlives it. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";

export type Note =
  /** It has a line to the hub, since then. */
  | { says: "online"; at: number }
  | { says: "begins"; id: string; attempt: number }
  /** It is about to tell the hub. */
  | { says: "gives"; id: string; attempt: number; result: string }
  /** What the hub answered. */
  | { says: "accepted"; id: string; attempt: number; result: string }
  | { says: "refused"; id: string; attempt: number; code: string };

export const writeNote = (file: string, note: Note) => appendFileSync(file, `${JSON.stringify(note)}\n`);

/** All that was written down whole. */
export function readNotes(file: string): Note[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Note);
}
