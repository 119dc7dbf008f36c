/** `::progress`, then a percentage, a note, or both. */
const PROGRESS = /^::progress(?=\s|$)(?:\s+(\d{1,3}(?:\.\d+)?)%?(?=\s|$))?(?:\s+(\S.*))?\s*$/;

export interface Said {
  readonly percent: number | undefined;
  readonly note: string | undefined;
}

/**
 * How far a command says it is, when a line of its stderr says that.
 *
 * @example progressIn("::progress 40 compiling") // { percent: 40, note: "compiling" }
 */
export function progressIn(line: string): Said | undefined {
  const [said, percent, note] = PROGRESS.exec(line) ?? [];
  if (said === undefined) return undefined;
  return { percent: percent === undefined ? undefined : Number(percent), note: note?.trimEnd() };
}
