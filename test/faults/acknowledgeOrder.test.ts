/**
 * Nothing is acknowledged before it is on disk: in the order of the hub's system calls, no answer and no event leaves
 * through a socket while the write-ahead log holds writes that no sync covers. A kill cannot show this, because what a
 * killed process wrote is still in the system's cache; only power loss, or this order, can.
 */
import { describe, expect, test } from "vitest";
import { http } from "../support/http.ts";
import type { HubProcess } from "../support/processes.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { requires } from "../support/requires.ts";
import { straceHub } from "../support/strace.ts";
import { early, isWal, sentBy } from "./support/acknowledgements.ts";
import { type Bug, DATABASE_THREAD, plant } from "./support/plant.ts";

const BATCH = 300;

/** Lets the hub acknowledge changes of every kind. @returns texts by which the acknowledgements are known. */
async function change(hub: HubProcess): Promise<string[]> {
  const watcher = await RawSocket.greet(hub.wsUrl, { scope: "all" });
  const bob = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1", receives: true });
  const ids: string[] = [];
  const send = (task: string) => ({ from_claude: "ada", to_claude: "bob", task });

  for (const task of ["by socket", "to fail", "to release"]) {
    const { id } = (await bob.call("send", send(task))).message;
    const { attempt = 0 } = await bob.call("claim", { id });
    if (task === "by socket") await bob.call("complete", { id, attempt, result: "done" });
    if (task === "to fail") await bob.call("fail", { id, attempt, error: "no" });
    if (task === "to release") await bob.call("release", { id, attempt });
    ids.push(id);
  }
  const rest = async (method: string, path: string, body: object) => {
    const answer = await http(`${hub.url}${path}`, { method, body, headers: { "x-claude-id": "bob" } });
    expect(answer.body.success).toBe(true);
    return answer.body.data;
  };
  for (const last of ["complete", "fail"]) {
    const { id } = await rest("POST", "/message", send(`by REST, to ${last}`));
    const { attempt } = await rest("POST", `/message/${id}/claim`, {});
    await rest("POST", `/message/${id}/${last}`, { attempt });
    ids.push(id);
  }
  const requests = Array.from({ length: BATCH }, (_, i) => ({ jsonrpc: "2.0", id: `group-${i}`, method: "send" }));
  for (let at = 0; at < BATCH; at += 100) {
    bob.send(requests.slice(at, at + 100).map((request, i) => ({ ...request, params: send(`${at + i}`) })));
  }
  const answers = await Promise.all(requests.map(({ id }) => bob.answer(id)));
  for (const { result } of answers) ids.push((result as { message: { id: string } }).message.id);
  await watcher.event("new", ids.at(-1));
  return [...ids, ...requests.map(({ id }) => `"id":"${id}"`)];
}

async function earlyOf(strace: string, env: Record<string, string> = {}) {
  const { hub, trace } = await straceHub(strace, { env });
  const acknowledgements = await change(hub);
  await hub.kill();
  const ops = await trace();
  const sent = sentBy(ops);
  expect(
    acknowledgements.filter((word) => !sent.includes(word)),
    "not in the trace",
  ).toEqual([]);
  return { early: early(ops), syncs: ops.filter((op) => op.kind === "sync" && isWal(op.file)).length };
}

describe("in the order of system calls", () => {
  const strace = requires("strace");

  test("no acknowledgement leaves before the write-ahead log is synced", async () => {
    const { early, syncs } = await earlyOf(strace);
    expect(early).toEqual([]);
    expect(syncs, "the batch shares commits").toBeLessThan(BATCH);
  });

  const bugs: Record<string, Bug> = {
    "commits that are not synced": {
      file: DATABASE_THREAD,
      replace: [
        ["synchronous = FULL", "synchronous = NORMAL"],
        ["level !== 2", "level !== 1"],
      ],
    },
    "answers given while the commit is under way": {
      file: DATABASE_THREAD,
      replace: [
        ["open.commit.run();", "queueMicrotask(() => open.db.inTransaction && open.commit.run());"],
        ["open.begin.run();", "if (open.db.inTransaction) open.commit.run(); open.begin.run();"],
      ],
    },
  };

  test.each(Object.entries(bugs))("this check sees %s", async (_, bug) => {
    const { early } = await earlyOf(strace, plant(bug));
    expect(early.length).toBeGreaterThan(10);
  });
});
