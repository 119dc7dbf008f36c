/**
 * Randomness that can be had again: a failing test shows its seed, and `SEED=… npx vitest run FILE` repeats it.
 */
export interface Random {
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  pick<T>(items: readonly T[]): T;
  /** A new array in random order. */
  shuffle<T>(items: readonly T[]): T[];
}

/** The seed of this run: `SEED`, or one drawn now. Also a good `seed` for fast-check. */
export const seed = process.env.SEED ? Number(process.env.SEED) : Math.floor(Math.random() * 2 ** 31);

/** A generator (mulberry32) that starts at `from`, by default at the seed of this run, which it prints. */
export function seededRandom(from = announced()): Random {
  let state = from;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number) => Math.floor(next() * below);
  const shuffle = <T>(items: readonly T[]) => {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = int(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  };
  return { seed: from, next, int, shuffle, pick: (items) => items[int(items.length)] as never };
}

function announced(): number {
  console.info(`random: repeat with SEED=${seed}`);
  return seed;
}
