/** "Did you mean …": the known name nearest to a mistyped one. */
import { distance } from "fastest-levenshtein";

/** The known name that `name` is a prefix of, or else the closest one if it is near enough to be a typo. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const longer = known.find((candidate) => candidate.startsWith(`${name.toLowerCase()}_`));
  if (longer !== undefined) return longer;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(name.length - candidate.length) >= bestDistance) continue;
    const d = distance(name.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/** ` (did you mean "limit"?)`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}
