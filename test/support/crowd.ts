import { http } from "./http.ts";

const ROLES = Array.from({ length: 29 }, (_, i) => `${i}_`.padEnd(125, "r")).join(",");
/** In more bytes than characters. */
const ABOUT = `{"note":"${"\\u00e9".repeat(200)}"}`;
const AT_ONCE = 50;

/** Has instances known that tell of themselves about as much as one may, and are not there. @returns their names, sorted. */
export async function crowd(url: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `${i}`);
  const calls = names.map((name) => () => call(url, name));
  while (calls.length > 0) await Promise.all(calls.splice(0, AT_ONCE).map((one) => one()));
  return names.toSorted();
}

const call = (url: string, name: string) =>
  http(`${url}/stats`, { headers: { "x-claude-id": name, "x-claude-roles": ROLES, "x-claude-about": ABOUT } });
