/**
 * A copy of an object with more fields. For hot paths: a literal that spreads an object and then adds to it gives each
 * copy a hidden class of its own on Node 20, which takes ten times as long and slows down whoever reads the copy.
 *
 * @example extended(params, { claim_key: newKey() })
 */
export const extended = <T extends object, More extends object>(object: T, more: More): T & More =>
  Object.assign({}, object, more);
