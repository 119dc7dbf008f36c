/**
 * An fsync fails. What it covered may be lost although a later fsync of the same file succeeds, so nothing is
 * acknowledged until the file was opened anew and what it holds written and synced once more; then the hub goes on by
 * itself, and everything that it acknowledged before, meanwhile and afterwards is there.
 */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import type { HubProcess } from "../support/processes.ts";
import { requires } from "../support/requires.ts";
import { type Op, straceHub } from "../support/strace.ts";
import { tempDir } from "../support/tempDir.ts";
import { early, seqsIn } from "./support/acknowledgements.ts";
import { eventually } from "./support/eventually.ts";
import { type Acknowledged, LogChecker } from "./support/logChecker.ts";
import { DATABASE_THREAD, plant } from "./support/plant.ts";

/** Syncs of a start, at least: the ones that fail come later. */
const OF_A_START = 16;
const UNAVAILABLE = { status: 503, body: { success: false, code: "storage_unavailable" } };

/** An strace that lets these syncs of a thread fail, counted from 1, beside what it is asked to do. */
function failing(strace: string, first: number, last: number): string {
  const script = join(tempDir(), "strace.sh");
  const inject = `inject=fsync,fdatasync:error=EIO:when=${first}..${last}`;
  writeFileSync(script, `#!/bin/sh\nexec '${strace}' -e ${inject} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

const send = (hub: HubProcess, task: string) =>
  http(`${hub.url}/message`, {
    method: "POST",
    body: { from_claude: "ada", to_claude: "bob", task, idempotency_key: task },
  });

/** Sends until syncs have failed and the hub has recovered. */
async function runInto(script: string, env: Record<string, string> = {}) {
  const { hub, trace } = await straceHub(script, { env });
  const acknowledged: Acknowledged[] = [];
  const refusals: unknown[] = [];
  const sendOnce = async (task: string) => {
    const answer = await send(hub, task);
    if (answer.status >= 400) return void refusals.push(answer);
    acknowledged.push({ kind: "new", id: answer.body.data.id, text: task });
    return answer;
  };
  for (let i = 0; refusals.length === 0; i++) await sendOnce(`before-${i}`);
  expect(refusals[0]).toMatchObject(UNAVAILABLE);
  await eventually("it recovers", () => sendOnce("while-it-recovers"));
  for (let i = 0; i < 5; i++) await sendOnce(`after-${i}`);
  await hub.kill();
  return { hub, acknowledged, refusals, ops: await trace() };
}

/** Whether the database itself was synced between the first refusal and the next acknowledgement. */
function isWrittenAnew(ops: readonly Op[], db: string): boolean {
  const refused = ops.findIndex((op) => op.kind === "send" && op.bytes.includes("storage_unavailable"));
  const last = ops.slice(0, refused).findLastIndex((op) => op.kind === "send" && seqsIn(op.bytes).length > 0);
  const next = ops.findIndex((op, at) => at > refused && op.kind === "send" && seqsIn(op.bytes).length > 0);
  return ops.slice(last, next).some((op) => op.kind === "sync" && op.file === db);
}

describe("when an fsync fails", () => {
  const strace = requires("strace");

  // one sync; also those by which the file is closed; for as long as it takes some attempts to open it
  test.each([0, 6])("and %i more after it, nothing is acknowledged that is not on disk", async (more) => {
    const first = OF_A_START + 4;
    const { hub, acknowledged, refusals, ops } = await runInto(failing(strace, first, first + more));
    for (const refusal of refusals) expect(refusal).toMatchObject(UNAVAILABLE);
    expect(early(ops)).toEqual([]);
    expect(isWrittenAnew(ops, hub.db)).toBe(true);
    const { url } = await startHub({ db: hub.db });
    const checker = new LogChecker();
    await checker.readOn(url);
    expect(checker.broken).toEqual([]);
    expect(checker.missing(acknowledged)).toEqual([]);
    expect(await checker.differences(url)).toEqual([]);
  });

  test("this check sees a hub that tries again on the same connection", async () => {
    const bug = plant({
      file: DATABASE_THREAD,
      replace: [['code === "SQLITE_FULL" || code === "SQLITE_BUSY"', "true"]],
    });
    const { hub, ops } = await runInto(failing(strace, OF_A_START + 4, OF_A_START + 4), bug);
    expect(isWrittenAnew(ops, hub.db)).toBe(false);
  });
});
