import { networkInterfaces } from "node:os";

/** An address of this machine that is not loopback: whoever calls by it comes from elsewhere, as far as a hub can tell. */
export const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === "IPv4" && !found.internal)?.address;
