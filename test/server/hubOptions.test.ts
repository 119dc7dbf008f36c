import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LONGEST_MS } from "../../server/hubOptions.ts";
import { createHub } from "../../server/index.ts";
import { iso } from "../../server/iso.ts";
import { ManualClock } from "../support/clock.ts";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import { tempDir } from "../support/tempDir.ts";
import { pass } from "./transport/pass.ts";

it.each([
  [{ dbb: "x" }, 'there is no option dbb (did you mean "db"?)'],
  [{ port: 3000 }, /^there is no option port: there is db, open, allowHosts, .*, retention$/],
  [{ lease: { graceMS: 1 } }, 'there is no option graceMS in lease (did you mean "graceMs"?)'],
  [{ liveness: { ping_ms: 1 } }, 'there is no option ping_ms in liveness (did you mean "pingMs"?)'],
  [{ bounds: { hops: 1 } }, /^there is no option hops in bounds: there is pending_per_recipient, /],
  [{ rates: { change: 1 } }, 'there is no option change in rates (did you mean "changes"?)'],
  [{ retention: { logDays: 1 } }, /^there is no option logDays in retention/],
  [{ db: 5 }, "db must be the path of a file: 5"],
  [{ db: "" }, 'db must be the path of a file: ""'],
  [{ open: "yes" }, 'open must be true or false: "yes"'],
  [{ allowHosts: "my-server" }, 'allowHosts must be an array of host names without scheme and port: "my-server"'],
  [{ allowHosts: [5] }, "allowHosts must be an array of host names without scheme and port: an array"],
  [{ allowHosts: ["my-server:3000"] }, /^allowHosts must be an array of host names without scheme and port/],
  [{ socketPath: "coord/ws" }, 'socketPath must be a path that begins with /: "coord/ws"'],
  [{ lease: 5 }, "lease must be an object, as { graceMs: … }: 5"],
  [{ lease: { graceMs: "1000" } }, 'lease.graceMs must be a number of milliseconds, from 0 up to 100 years: "1000"'],
  [{ lease: { maxAttempts: 1.5 } }, "lease.maxAttempts must be a whole number from 1: 1.5"],
  [
    { liveness: { pingMs: Number.NaN } },
    "liveness.pingMs must be a number of milliseconds, from 0 up to 100 years: NaN",
  ],
  [
    { lease: { detachedMs: 1e18 } },
    "lease.detachedMs must be a number of milliseconds, from 0 up to 100 years: 1000000000000000000",
  ],
  [{ liveness: { leaveMs: Number.POSITIVE_INFINITY } }, /^liveness.leaveMs must be .* up to 100 years: Infinity$/],
  [{ retention: { logMs: LONGEST_MS + 1 } }, /^retention.logMs must be .* up to 100 years: 3155760000001$/],
  [{ bounds: { chain_hops: "10" } }, 'bounds.chain_hops must be a number, from 0: "10"'],
  [{ rates: { changes: -1 } }, "rates.changes must be a number, from 0: -1"],
  [{ rates: { limitsLocal: 1 } }, "rates.limitsLocal must be true or false: 1"],
  [{ retention: { maxBytes: "1gb" } }, 'retention.maxBytes must be a number, from 0: "1gb"'],
  [{ logger: console.log }, "logger must be an object with the methods error, warn: a function"],
  [{ clock: {} }, "clock must be an object with the methods now, awake, after: an object"],
  [{ store: "sqlite" }, 'store must be an object with the methods open, commit: "sqlite"'],
])("createHub refuses %j, and makes no database", async (options, sentence) => {
  const db = join(tempDir(), "hub.db");
  const refusal = createHub({ db, ...(options as object) });
  await expect(refusal).rejects.toThrow(TypeError);
  await expect(refusal).rejects.toThrow(sentence);
  expect(existsSync(db)).toBe(false);
});

it("createHub takes its options as an object", async () => {
  await expect(createHub("hub.db" as never)).rejects.toThrow(
    TypeError('the options must be an object, as { db: … }: "hub.db"'),
  );
});

it("createHub takes every option there is", async () => {
  const { url } = await startHub({
    open: true,
    allowHosts: ["my-server"],
    lease: { graceMs: 1_000, detachedMs: 1_000, backoffMaxMs: 1_000, backoffMs: 10, maxAttempts: 2 },
    liveness: { pingMs: 5_000, leaveMs: 1_000 },
    bounds: { pending_per_recipient: 10, pending_per_sender: 10, chain_hops: 10 },
    rates: { changes: 10, reads: 10, windowMs: 1_000, limitsLocal: true },
    retention: { completeMs: 1_000, failedMs: 1_000, logMs: 1_000, maxBytes: undefined },
  });
  expect((await fetch(`${url}/stats`)).status).toBe(200);
});

it("a hub with the longest durations there are claims, fails and prunes", async () => {
  const clock = new ManualClock();
  const longest = { graceMs: LONGEST_MS, detachedMs: LONGEST_MS, backoffMs: LONGEST_MS, backoffMaxMs: LONGEST_MS };
  const retention = { completeMs: LONGEST_MS, failedMs: LONGEST_MS, logMs: LONGEST_MS };
  const { url, logged } = await startHub({ clock, lease: longest, retention });
  const post = (path: string, body: object) => http(`${url}/${path}`, { method: "POST", body });
  const { id } = (await post("message", { from_claude: "ada", to_claude: "bob", task: "t" })).body.data;
  expect((await post("claim", { for_claude: "bob" })).body.data.lease_until).toBe(iso(clock.now() + LONGEST_MS));
  expect((await post(`message/${id}/fail`, { error: "x", retryable: true })).status).toBe(200);
  await pass(clock, 61_000);
  expect((await http(`${url}/message/${id}`)).body.data.status).toBe("pending");
  expect(logged).toEqual([]);
});
