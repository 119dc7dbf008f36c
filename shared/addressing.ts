/** Who a message is for. */

/** The address of a chat for everyone. */
export const EVERYONE = "*";

/** The characters of an instance's name, and of an address: a name, `@` and a role for a pool, or `*` for everyone. */
export const NAME_PATTERN = /^[A-Za-z0-9_.:-]+$/;
export const ADDRESS_PATTERN = /^(\*|@?[A-Za-z0-9_.:-]+)$/;

interface Addressed {
  readonly from_claude: string;
  readonly to_claude: string;
}

/**
 * Whether a message is for an instance: sent to one of its addresses, or by another instance to everyone.
 *
 * @param addresses the instance's name, then its pools; none for an observer.
 * @example isFor({ from_claude: "ada", to_claude: "@tester" }, ["bob", "@tester"]) // true
 */
export const isFor = ({ from_claude, to_claude }: Addressed, addresses: readonly string[]): boolean =>
  addresses.includes(to_claude) || (to_claude === EVERYONE && addresses.length > 0 && addresses[0] !== from_claude);
