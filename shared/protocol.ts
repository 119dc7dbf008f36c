/**
 * The version of the wire protocol, one line per version. A test hashes the wire schema and fails unless the
 * version moves with it.
 *
 * 1  first version
 */
export const PROTOCOL_VERSION = 1;

/** The base of all REST paths. */
export const BASE_PATH = "/api/coord";
/** Where the socket is, relative to the base of a hub wherever that is mounted. */
export const SOCKET_BELOW_BASE = "/ws";
export const SOCKET_PATH = `${BASE_PATH}${SOCKET_BELOW_BASE}`;
