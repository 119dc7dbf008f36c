import type { Layout } from "./printer.ts";

type Fact = readonly [title: string, said: string | number | false | undefined];

/** What is known of something, a line each: the titles in a column, and nothing of what is empty. */
export function factLines(facts: readonly Fact[], { paint }: Layout): string[] {
  const columns = 2 + Math.max(...facts.map(([title]) => title.length));
  return facts.filter(([, said]) => said).map(([title, said]) => `${paint.dim(title.padEnd(columns))}${said}`);
}
