import Table from "cli-table3";
import type { Layout } from "./printer.ts";

const GAP = 2;
/** The least width of a column that takes what is left. */
const LEAST = 16;

const BARE = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
    "middle",
  ].map((name) => [name, ""]),
);

/**
 * Rows in columns without lines between them. The last column takes the width that the others leave, and is cut there.
 *
 * @param rows of cells in one line each, painted or not.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], { paint, width }: Layout): string {
  const drawn = new Table({
    chars: BARE,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
    head: head.map((title) => paint.dim(title)),
    ...(Number.isFinite(width) && { colWidths: [...head.slice(1).map(() => null), lastWidth(head, rows, width)] }),
  });
  drawn.push(...rows.map((row) => row.map((cell) => oneLine(cell))));
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

function lastWidth(head: readonly string[], rows: readonly (readonly string[])[], width: number): number {
  const others = head.slice(0, -1).map((title, column) => {
    return GAP + Math.max(...[title, ...rows.map((row) => row[column] ?? "")].map((cell) => visible(cell)));
  });
  return GAP + Math.max(LEAST, width - others.reduce((sum, wide) => sum + wide, 0)); // its own gap is trimmed away
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours, the only control characters that are left
const visible = (cell: string) => cell.replace(/\x1b\[\d+m/g, "").length;

/** @example oneLine("a\n  b") === "a b" */
const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

/** A text cut to this many columns, in one line. */
export function cut(text: string, columns: number): string {
  const line = oneLine(text);
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1)).toWellFormed()}…`;
}
