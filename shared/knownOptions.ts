/** Refuses unknown option names of our functions: JavaScript callers have no types that would. */
import { nearest } from "./suggest.ts";

/**
 * @param known an object that has all options there are.
 * @param where of which option these are the parts.
 * @throws TypeError for an option that there is not: a slip would change what happens without a word.
 * @example assertKnown({ dbb: "x" }, { db: true }) // there is no option dbb (did you mean "db"?)
 */
export function assertKnown(options: object, known: object, where?: string): void {
  const names = Object.keys(known);
  const name = Object.keys(options).find((option) => !names.includes(option));
  if (name === undefined) return;
  const near = nearest(name, names);
  const advice = near === undefined ? `: there is ${names.join(", ")}` : ` (did you mean "${near}"?)`;
  throw new TypeError(`there is no option ${name}${where ? ` in ${where}` : ""}${advice}`);
}
