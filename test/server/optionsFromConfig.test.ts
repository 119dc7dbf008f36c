/** What a hub is told by whoever starts it, from the variable or the flag to the option; and what it is when nothing is said. */
import { expect, test } from "vitest";
import { readConfig } from "../../server/config.ts";
import { optionsFrom } from "../../server/optionsFromConfig.ts";

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

test("by default a hub is for its own machine alone, and keeps everything", () => {
  const { host, port, json, logLevel, ...config } = readConfig({}, []);
  expect({ host, port, json, logLevel }).toEqual({ host: "127.0.0.1", port: 3000, json: false, logLevel: "info" });
  expect(optionsFrom(readConfig({}, []))).toEqual({
    db: "data/coordination.db",
    open: false,
    allowHosts: [],
    lease: {
      graceMs: 30 * SECOND,
      detachedMs: 30 * MINUTE,
      backoffMs: 5 * SECOND,
      backoffMaxMs: 10 * MINUTE,
      maxAttempts: 3,
    },
    liveness: { pingMs: 25 * SECOND, leaveMs: 15 * SECOND },
    bounds: { pending_per_recipient: 1_000_000, pending_per_sender: 2_000_000, chain_hops: 100 },
    rates: { changes: 60_000, reads: 240_000, limitsLocal: false },
    retention: { completeMs: undefined, failedMs: undefined, logMs: undefined, maxBytes: undefined },
  });
  expect(Object.keys(config).toSorted()).toEqual(Object.keys(SAID).toSorted());
});

/** A value of its own for each setting that a hub has as an option. */
const SAID = {
  db: "team.db",
  open: true,
  allowHost: "my-server, hub.example",
  leaseGraceMs: 1,
  detachedLeaseMs: 2,
  backoffMs: 3,
  backoffMaxMs: 4,
  maxAttempts: 5,
  pingMs: 1_006,
  offlineAfterMs: 7,
  pendingPerRecipient: 8,
  pendingPerSender: 9,
  chainHops: 10,
  rate: 11,
  readRate: 12,
  rateLocal: true,
  keepComplete: "13h",
  keepFailed: "14h",
  keepLog: "15h",
  maxSize: "16mb",
};

const OPTIONS = {
  db: "team.db",
  open: true,
  allowHosts: ["my-server", "hub.example"],
  lease: { graceMs: 1, detachedMs: 2, backoffMs: 3, backoffMaxMs: 4, maxAttempts: 5 },
  liveness: { pingMs: 1_006, leaveMs: 7 },
  bounds: { pending_per_recipient: 8, pending_per_sender: 9, chain_hops: 10 },
  rates: { changes: 11, reads: 12, limitsLocal: true },
  retention: { completeMs: 13 * HOUR, failedMs: 14 * HOUR, logMs: 15 * HOUR, maxBytes: 16 * 2 ** 20 },
};

const words = (setting: string, between: string) => setting.replace(/[A-Z]/g, (letter) => between + letter);

test("each setting is an option of the hub, by its variable and by its flag", () => {
  const variables = Object.entries(SAID).map(([setting, value]) => [
    `COORDINATION_${words(setting, "_").toUpperCase()}`,
    String(value),
  ]);
  expect(optionsFrom(readConfig(Object.fromEntries(variables), []))).toEqual(OPTIONS);
  const flags = Object.entries(SAID).flatMap(([setting, value]) => {
    const flag = `--${words(setting, "-").toLowerCase()}`;
    return value === true ? [flag] : [flag, ...(setting === "allowHost" ? OPTIONS.allowHosts : [String(value)])];
  });
  expect(optionsFrom(readConfig({}, flags))).toEqual(OPTIONS);
});

test("the port may come as PORT, as hosts give it; one of our own goes before it", () => {
  expect(readConfig({ PORT: "4000" }, []).port).toBe(4000);
  expect(readConfig({ PORT: "4000", COORDINATION_PORT: "5000" }, []).port).toBe(5000);
  expect(readConfig({ COORDINATION_HOST: "::1", PORT: "4000" }, ["--port", "6000"])).toMatchObject({
    host: "::1",
    port: 6000,
  });
});
