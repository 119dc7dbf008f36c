/**
 * What an operation answers, as finished JSON. Either one value, or named parts that each transport puts together in
 * its own way: JSON-RPC as one object under these names, REST as the operation's shape says.
 */
export type Answer = { readonly value: string } | { readonly parts: Readonly<Record<string, string>> };

/** One page of a list of finished JSON, as parts of an answer. @param next where the page ended, when there are more. */
export const listed = (name: string, items: readonly string[], next: string | null) => ({
  [name]: `[${items.join(",")}]`,
  ...(next !== null && { next: JSON.stringify(next) }),
});

/** The answer as one JSON value. */
export function answerJson(answer: Answer): string {
  if ("value" in answer) return answer.value;
  const fields = Object.entries(answer.parts).map(([name, json]) => `"${name}":${json}`);
  return `{${fields.join(",")}}`;
}
