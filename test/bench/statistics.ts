/** Numbers that stand for many. */

export const median = (values: number[]) => percentile(values, 50);

/** The smallest value that `percent` of all values do not exceed. */
export function percentile(values: number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}
