import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createHub } from "../../server/index.ts";
import { startHub } from "../support/hub.ts";
import { tempDir } from "../support/tempDir.ts";

it.each([
  [{ dbb: "x" }, 'there is no option dbb (did you mean "db"?)'],
  [{ port: 3000 }, /^there is no option port: there is db, open, allowHosts, .*, store$/],
  [{ lease: { graceMS: 1 } }, 'there is no option graceMS in lease (did you mean "graceMs"?)'],
  [{ liveness: { ping_ms: 1 } }, 'there is no option ping_ms in liveness (did you mean "pingMs"?)'],
  [{ bounds: { hops: 1 } }, /^there is no option hops in bounds: there is pending_per_recipient, /],
  [{ rates: { change: 1 } }, 'there is no option change in rates (did you mean "changes"?)'],
  [{ retention: { logDays: 1 } }, /^there is no option logDays in retention/],
])("createHub refuses %j, and makes no database", async (options, sentence) => {
  const db = join(tempDir(), "hub.db");
  await expect(createHub({ db, ...(options as object) })).rejects.toThrow(sentence);
  expect(existsSync(db)).toBe(false);
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
