/** What a section of the benchmark found: tables of systems side by side, and the budgets that are judged by them. */

/** A bound of `DESIGN.md` §13, and what was measured against it. */
export interface Budget {
  /** As a sentence would say it: "lifecycle throughput, hub ÷ JetStream". */
  what: string;
  measured: number;
  sense: "at least" | "at most";
  limit: number;
  /** The aim beyond the bound. */
  aim?: number;
  unit: string;
}

export interface Row {
  system: string;
  durability: string;
  /** One for each column of the table; undefined where nothing was measured. */
  values: (number | undefined)[];
  /** The hub's value divided by this system's. */
  ratio?: number | undefined;
  budget?: Budget | undefined;
}

export interface Table {
  title: string;
  /** Heads of the values, with their units. */
  columns: string[];
  rows: Row[];
  /** What one must know to read it, and what was skipped. */
  notes: string[];
}

export const isMet = ({ measured, sense, limit }: Budget) =>
  sense === "at least" ? measured >= limit : measured <= limit;
