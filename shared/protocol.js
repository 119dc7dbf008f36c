/**
 * The version of the wire protocol, one line a version. A test hashes the wire schema and fails unless the
 * version moves with it.
 *
 * 1  first version
 */
export const PROTOCOL_VERSION = 1;
