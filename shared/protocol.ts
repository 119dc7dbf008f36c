/**
 * The version of the wire protocol, one line a version. A test hashes the wire schema and fails unless the
 * version moves with it.
 *
 * 1  first version
 */
export const PROTOCOL_VERSION = 1;

/** The base of all REST paths and the place of the socket below it. */
export const BASE_PATH = "/api/coord";
export const SOCKET_PATH = `${BASE_PATH}/ws`;
