/** Where a request comes from: the address at the other end, and whether that is this machine. */
import type { Socket } from "node:net";
import { BlockList, isIP } from "node:net";

export interface Origin {
  readonly address: string;
  /** Also true of everything that comes through a proxy on this machine. */
  readonly isLocal: boolean;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

export function isLoopback(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  const family = isIP(plain);
  return family !== 0 && loopback.check(plain, family === 4 ? "ipv4" : "ipv6");
}

export function originOf({ remoteAddress: address = "" }: Pick<Socket, "remoteAddress">): Origin {
  return { address, isLocal: isLoopback(address) };
}
