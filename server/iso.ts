const MOMENTS = 4096;
const moments = new Float64Array(MOMENTS).fill(Number.NaN);
const texts = new Array<string>(MOMENTS).fill("");

/** ISO 8601 with milliseconds. A live message's moments lie close together, so the last few seconds are kept. */
export function iso(ms: number): string {
  const slot = ms % MOMENTS;
  if (moments[slot] !== ms) {
    texts[slot] = new Date(ms).toISOString();
    moments[slot] = ms;
  }
  return texts[slot] as string;
}

export const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms));

/** Milliseconds since 1970. */
export const msOrNull = (text: string | null) => (text === null ? null : Date.parse(text));
