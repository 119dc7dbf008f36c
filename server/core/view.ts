/**
 * Who sees what: the sender, the recipient, the members of a pool, everyone for `*`; observers (null) see all.
 *
 * A reader is named by its addresses, separated by spaces: its own name first, then its pools. Readers with the same
 * name and pools share a view.
 */
import { EVERYONE } from "../../shared/addressing.ts";

/** Whose part of the log: that of an instance and its pools, or (null) all of it. */
export type Reader = string | null;

/** @param roles what the instance says it can do: it is in the pool of each. */
export const readerOf = (name: string, roles: readonly string[] = []): string =>
  roles.length === 0 ? name : [name, ...new Set(roles.map((role) => `@${role}`).sort())].join(" ");

/** @example addressesOf("ada @reviewers") // ["ada", "@reviewers"] */
export const addressesOf = (reader: string): readonly string[] => reader.split(" ");

interface Addressed {
  readonly from: string;
  readonly to: string;
}

/** Whether a reader may see an entry. */
export function viewOf(reader: Reader): (entry: Addressed) => boolean {
  if (reader === null) return () => true;
  if (!reader.includes(" ")) return ({ from, to }) => from === reader || to === reader || to === EVERYONE;
  const addresses = new Set(addressesOf(reader));
  return ({ from, to }) => addresses.has(from) || addresses.has(to) || to === EVERYONE;
}
