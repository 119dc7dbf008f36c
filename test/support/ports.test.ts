import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { defer } from "./defer.ts";
import { freePort, SLICE } from "./ports.ts";

const EPHEMERAL = "/proc/sys/net/ipv4/ip_local_port_range";

it("nobody is given a port that somebody listens on", async () => {
  const taken = await freePort();
  const server = createServer().listen(taken, "127.0.0.1");
  defer(() => void server.close());
  await once(server, "listening");
  const given = [];
  while (given.length < SLICE) given.push(await freePort());
  expect(given).not.toContain(taken);
});

it.skipIf(!existsSync(EPHEMERAL))("the system gives it to nobody who asks for any", async () => {
  const lowest = Number.parseInt(readFileSync(EPHEMERAL, "utf8"), 10);
  expect(await freePort()).toBeLessThan(lowest);
});
