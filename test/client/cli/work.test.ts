/** `coord work` with real commands, which are shell scripts, and what becomes of their process groups. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { groupIsAlive } from "../../../client/cli/work/groupIsAlive.ts";
import { CLOSE, fits, LIMITS } from "../../../shared/index.ts";
import { defer } from "../../support/defer.ts";
import { startHub } from "../../support/hub.ts";
import { FaultProxy } from "../../support/proxy.ts";
import { repository } from "../../support/repository.ts";
import { tempDir } from "../../support/tempDir.ts";
import { join as connectAs, Heard, later, through } from "../sdk/support.ts";
import { CoordInside, CoordProcess, runInside } from "./coord.ts";

let url: string;
let port: number;
let offices = 0;
beforeAll(async () => {
  ({ url, port } = await startHub());
});

async function office() {
  const name = `bob${++offices}`;
  const ada = await connectAs(url, { as: `ada${offices}` });
  const folder = tempDir();
  const where = { url, as: name, env: { FOLDER: folder } };
  const lineOf = (script: string, options: readonly string[]) => ["work", ...options, "--", "sh", "-c", script];
  return {
    ada,
    where,
    file: (name: string) => join(folder, name),
    send: (task: string, more = {}) => ada.send({ to_claude: name, task, backoff_ms: 0, ...more }),
    /** Bob works, each task with a script. */
    work: (script: string, ...options: string[]) => new CoordInside(lineOf(script, options), where),
    workProcess: (script: string, ...options: string[]) => new CoordProcess(lineOf(script, options), where),
    /** Where nothing can be written to stdout. */
    workFull: (script: string, ...options: string[]) =>
      new CoordProcess(lineOf(script, options), { ...where, stdout: "/dev/full" }),
  };
}

/** A script's own group, which it says on its first line of stderr. */
const SAY_GROUP = "echo group $$. >&2";

/** The group that a command has said; killed when the test ends, whatever happens. */
async function groupOf(coord: CoordInside | CoordProcess): Promise<number> {
  await coord.prints(/group \d+\./, "stderr");
  const group = Number(/group (\d+)\./.exec(coord.stderr)?.[1]);
  defer(async () => {
    if (await groupIsAlive(group)) process.kill(-group, "SIGKILL");
  });
  expect(await groupIsAlive(group)).toBe(true);
  return group;
}

async function goneAsAWhole(group: number): Promise<void> {
  while (await groupIsAlive(group)) await setTimeout(20);
}

/** It and what it has started ignore SIGTERM; one of them holds the pipes, the other does not. */
const STUBBORN = `trap '' TERM; sleep 1000 & sleep 1000 >/dev/null 2>&1 & ${SAY_GROUP}; wait`;

describe("a command", () => {
  it("is given the task, and its output is the result", async () => {
    const { ada, where, send, work, file } = await office();
    const script = `cat; printf ' %s' "$COORDINATION_TASK_FROM" "$CLAUDE_ID" "$COORDINATION_TASK_ATTEMPT" \\
      "$COORDINATION_TASK_PRIORITY" "$COORDINATION_TASK_CONTEXT" "$(cat $COORDINATION_TASK_CONTEXT_FILE)" "$TRACEPARENT"
      echo $COORDINATION_TASK_CONTEXT_FILE > "$FOLDER/context"; ls -l $COORDINATION_TASK_CONTEXT_FILE >> "$FOLDER/context"
      echo; echo`;
    const bob = work(script, "--json");
    const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
    const task = await send("é\u{1F600}", { context: "c x", priority: "high", traceparent });
    const { result, claimed_by } = await task.result();
    expect([result, claimed_by]).toEqual([`é\u{1F600} ${ada.as} ${where.as} 1 high c x c x ${traceparent}`, where.as]);
    await bob.prints(/\n/);
    expect(bob.items).toMatchObject([
      { id: task.id, attempt: 1, from_claude: ada.as, outcome: "complete", exit_code: 0 },
    ]);
    const [path = "", listed] = readFileSync(file("context"), "utf8").split("\n");
    expect([existsSync(path), listed]).toEqual([false, expect.stringMatching(/^-rw-------/)]);
    expect(await bob.end()).toBe(130);
    expect(existsSync(join(path, ".."))).toBe(false);
  });

  it("that ends with another code than 0 fails the task with its last lines; 75 and a signal have it tried again", async () => {
    const { send, work } = await office();
    const bob = work(
      `read -r how; [ "$COORDINATION_TASK_ATTEMPT" = 2 ] && exit 0
      case $how in
        3) echo not me; echo one >&2; printf 'bar 1\\rbar 2\\r\\n' >&2; printf two >&2; exit 3 ;;
        quiet) echo said on stdout; exit 4 ;;
        75) exit 75 ;;
        signal) kill -9 $$ ;;
      esac`,
      "--json",
    );
    const results = [];
    for (const how of ["3", "quiet", "75", "signal"]) results.push(later((await send(`${how}\n`)).result()));
    const [three, quiet, again, killed] = await Promise.allSettled(results);
    expect(three).toMatchObject({ reason: { message: "one\nbar 2\ntwo\n(exit code 3)", task: { attempt: 1 } } });
    expect(quiet).toMatchObject({ reason: { message: "said on stdout\n(exit code 4)", task: { failure: "error" } } });
    expect([again, killed]).toMatchObject([{ value: { attempt: 2 } }, { value: { attempt: 2 } }]);
    await bob.end();
    const failures = bob.items.filter(({ outcome }) => outcome === "failed");
    expect(failures).toMatchObject([
      { exit_code: 3, retryable: false },
      { exit_code: 4, retryable: false },
      { exit_code: 75, retryable: true, tries_left: 2 },
      { signal: "SIGKILL", retryable: true },
    ]);
  });

  it("that fails and may be tried again says whether it will be", async () => {
    const { send, work } = await office();
    const bob = work("exit 75");
    const task = await send("x", { max_attempts: 2 });
    await expect(task.result()).rejects.toMatchObject({ task: { failure: "attempts_exhausted" } });
    await bob.prints(/last/);
    const lines = bob.stdout.split("\n").map((line) => line.replace(/^.*: /, ""));
    expect(lines).toEqual(["exit code 75, to be tried again", "exit code 75, and this was the last try", ""]);
  });

  it("says on stderr how far it is, which is no part of the error", async () => {
    const { ada, send, work, file } = await office();
    const told = new Heard(ada, "progress");
    work(`echo '::progress 40 half of it' >&2; echo wrong >&2; while [ ! -e "$FOLDER/go" ]; do sleep 0.02; done
      echo '::progress nearly' >&2; echo ::progressive >&2; exit 1`);
    const task = await send("x");
    const ended = later(task.result());
    expect(await told.find(({ message }) => message.id === task.id)).toMatchObject({
      message: { progress: { percent: 40, note: "half of it" } },
    });
    writeFileSync(file("go"), "");
    await expect(ended).rejects.toMatchObject({ message: "wrong\n::progressive\n(exit code 1)" });
    expect((await ada.get({ id: task.id })).progress).toMatchObject({ note: "nearly" });
  });

  it("need not read its task", async () => {
    const { send, work } = await office();
    work("exec <&-; echo done");
    const tasks = await Promise.all(Array.from({ length: 5 }, () => send("x".repeat(65_000))));
    for (const task of tasks) expect(await task.result()).toMatchObject({ result: "done", attempt: 1 });
  });

  it("may write anything, and too much of it: what does not fit is left out at the beginning, and that is said", async () => {
    const { send, work } = await office();
    work(`read -r how; if [ "$how" = odd ]; then printf 'a\\000\\377\\303\\251\\355\\240\\200\\n'; exit; fi
      yes 'é"' | head -n 700000; printf '\\360\\237\\230\\200 the end\\n'`);
    const [odd, long] = [await send("odd\n"), await send("long\n")];
    expect((await odd.result()).result).toBe("a\0\ufffd\u00e9\ufffd\ufffd\ufffd");
    const { result = "" } = await long.result();
    expect(result).toMatch(/^\[of 2800013 bytes of output, the beginning is left out\]\n/);
    expect(result.endsWith('\né"\n\u{1F600} the end')).toBe(true);
    expect([result.length > 500_000, fits(result, LIMITS.result_bytes)]).toEqual([true, true]);
  });

  it("runs so many times at once", async () => {
    const { send, work } = await office();
    const bob = work(
      'id=$COORDINATION_TASK_ID; touch "$FOLDER/$id"; while [ $(ls "$FOLDER" | wc -l) -lt 3 ]; do sleep 0.02; done',
      ...["--concurrency", "3", "--verbose"],
    );
    const tasks = [await send("1"), await send("2"), await send("3")];
    await Promise.all(tasks.map((task) => task.result()));
    await bob.end();
    expect(bob.stdout.match(/complete/g)).toHaveLength(3);
  });

  it("that leaves something behind in the background does not keep the task, nor does that outlive it", async () => {
    const { send, work } = await office();
    const bob = work(
      `sleep 1000 & sleep 1000 >/dev/null 2>&1 & ${SAY_GROUP}; echo done`,
      "--verbose",
      "--kill-after",
      "200ms",
    );
    const task = await send("x");
    expect(await task.result()).toMatchObject({ result: "done" });
    const group = Number(/group (\d+)\./.exec(bob.stderr)?.[1]);
    expect(await groupIsAlive(group)).toBe(false);
  });

  it("is shown with --verbose, made harmless", async () => {
    const { send, work } = await office();
    const bob = work("printf 'out\\033[31m\\n'; echo err >&2", "--verbose");
    const { id } = await send("x");
    await bob.prints(/err/, "stderr");
    await bob.prints(/complete/);
    expect(bob.stderr).toContain(`${id.slice(-6)} | out\\x1b[31m\n`);
    expect(bob.stderr).toContain(`${id.slice(-6)} | err\n`);
  });

  it("may use coord itself, which speaks of its task as its worker, and claims others under its name alone", async () => {
    const { ada, where, send, work } = await office();
    const told = new Heard(ada, "progress");
    work(`coord() { "${process.execPath}" "${repository}dist/bin/coord.mjs" "$@"; }
      coord progress $COORDINATION_TASK_ID half && other=$(coord send $CLAUDE_ID x) && coord claim $other >&2 && echo $other`);
    const task = await send("x");
    const { result: id = "" } = await task.result();
    expect(await told.find(({ message }) => message.id === task.id)).toMatchObject({
      message: { attempt: 1, progress: { note: "half" } },
    });
    expect(await ada.get({ id })).toMatchObject({ from_claude: where.as, claimed_by: where.as, lease: "detached" });
    const env = { COORDINATION_RUN: "any", COORDINATION_TASK_ID: task.id, COORDINATION_TASK_ATTEMPT: "9" };
    expect((await runInside(["release", id], { ...where, env })).code).toBe(0);
  });

  it("may confirm what it says of tasks with coord, and none of that is its result", async () => {
    const { ada, send, where, work } = await office();
    const { id: other } = await ada.send({ to_claude: `${where.as}_`, task: "y" });
    const bob = work(
      `coord() { "${process.execPath}" "${repository}dist/bin/coord.mjs" "$@"; }
      coord extend $COORDINATION_TASK_ID --lease 1h && coord cancel ${other} && echo done`,
      "--verbose",
    );
    const task = await send("x");
    expect(await task.result()).toMatchObject({ result: "done" });
    expect(bob.stderr).toMatch(
      new RegExp(`${task.id} is in_progress \\(${where.as}\\), safe until .*\n.* is failed: `),
    );
    const env = { COORDINATION_TASK_ID: task.id };
    const retried = await runInside(["retry", other, "--json"], { ...where, env });
    expect([retried.stderr, retried.json.id]).toEqual(["", other]);
  });

  it("has options of its own after --", async () => {
    const { send, where } = await office();
    const bob = new CoordInside(["work", "--", "sh", "-c", 'echo "$1"', "sh", "--json"], where);
    const task = await send("x");
    expect(await task.result()).toMatchObject({ result: "--json" });
    await bob.prints(new RegExp(`^${task.id} complete after`));
  });
});

describe("a task that is taken away ends its whole group", () => {
  it("when it is cancelled, also what ignores SIGTERM; and the next task is done", async () => {
    const { ada, send, work } = await office();
    const bob = work(`read -r how; [ "$how" = next ] && exit; ${STUBBORN}`, "--verbose", "--kill-after", "100ms");
    const { id } = await send("hang\n");
    const group = await groupOf(bob);
    await ada.cancel({ id });
    await bob.prints(new RegExp(`^${id} cancelled after`, "m"));
    expect(await groupIsAlive(group)).toBe(false);
    await (await send("next\n")).result();
  });

  it("when its time is up, first with SIGTERM", async () => {
    const { send, work, file } = await office();
    const bob = work(`trap 'echo asked > "$FOLDER/asked"; exit 0' TERM; ${SAY_GROUP}; sleep 1000 & wait`, "--verbose");
    const task = await send("hang", { timeout_ms: 1_000, max_attempts: 1 });
    const ended = later(task.result());
    const group = await groupOf(bob);
    await bob.prints(new RegExp(`^${task.id} timed_out after`, "m"));
    expect([existsSync(file("asked")), await groupIsAlive(group)]).toEqual([true, false]);
    await expect(ended).rejects.toMatchObject({ task: { status: "failed", attempt: 1 } });
  });
});

it("a result that the hub refuses is told as lost, not as complete", async () => {
  const { url, port } = await startHub({ lease: { graceMs: 50, backoffMs: 0 } });
  const proxy = await FaultProxy.start({ port });
  const [ada, other] = [await connectAs(url, { as: "ada" }), await connectAs(url, { as: "bob" })];
  const folder = tempDir();
  const script = `${SAY_GROUP}; while [ ! -e "${folder}/go" ]; do sleep 0.02; done; echo done`;
  const line = ["work", "--verbose", "--", "sh", "-c", script];
  const bob = new CoordInside(line, { url: through(proxy), as: "bob" });
  const { id } = await ada.send({ to_claude: "bob", task: "x" });
  const group = await groupOf(bob);
  proxy.faults.refuse = "connections";
  proxy.cut();
  expect(await other.claimNext({ wait_ms: 10_000 })).toMatchObject({ id, attempt: 2 });
  writeFileSync(join(folder, "go"), "");
  await goneAsAWhole(group);
  proxy.faults.refuse = undefined;
  await bob.prints(/\n/);
  expect(bob.stdout).toMatch(new RegExp(`^${id} lease_lost after [^\n]*\n$`));
});

describe("the end", () => {
  it("comes after what is under way at the first signal", async () => {
    const { ada, send, work, file } = await office();
    const bob = work(`${SAY_GROUP}; while [ ! -e "$FOLDER/go" ]; do sleep 0.02; done; echo done`, "--verbose");
    const [first, second] = [await send("first"), await send("second")];
    await groupOf(bob);
    const ended = bob.end();
    expect(bob.stderr).toContain("finishing 1 under way");
    writeFileSync(file("go"), "");
    expect(await ended).toBe(130);
    expect(await first.result()).toMatchObject({ result: "done" });
    expect(await ada.get({ id: second.id })).toMatchObject({ status: "pending", attempt: 0 });
  });

  it("comes so, too, when the output cannot be written", async () => {
    const { send, workFull, file } = await office();
    const bob = workFull(
      'read -r how; while [ ! -e "$FOLDER/$how" ]; do sleep 0.02; done; echo done',
      "--concurrency",
      "2",
    );
    const [first, second] = [await send("first\n"), await send("second\n")];
    writeFileSync(file("second"), "");
    await bob.prints(/finishing/, "stderr");
    expect(await second.result()).toMatchObject({ attempt: 1, result: "done" });
    writeFileSync(file("first"), "");
    expect(await first.result()).toMatchObject({ attempt: 1, result: "done" });
    expect([await bob.ended, bob.stderr]).toEqual([1, expect.stringMatching(/error: cannot write the output: .*\n$/)]);
  });

  it("comes at once at the second one, and the task is given back untried", async () => {
    const { ada, send, workProcess } = await office();
    const bob = workProcess(STUBBORN, "--verbose", "--kill-after", "100ms");
    const { id } = await send("hang");
    const group = await groupOf(bob);
    bob.child.kill("SIGTERM");
    await bob.prints(/finishing 1 under way/, "stderr");
    expect(await bob.end("SIGINT")).toBe(143);
    expect(await groupIsAlive(group)).toBe(false);
    expect(await ada.get({ id })).toMatchObject({ status: "pending", attempt: 1, tries_left: 3 });
  });

  it("does not wait longer than --drain says", async () => {
    const { ada, send, work } = await office();
    const bob = work(STUBBORN, "--verbose", "--kill-after", "100ms", "--drain", "50ms");
    const { id } = await send("hang");
    const group = await groupOf(bob);
    expect(await bob.end()).toBe(130);
    expect(await groupIsAlive(group)).toBe(false);
    expect(bob.stdout).toMatch(new RegExp(`^${id} given back after`, "m"));
    expect(await ada.get({ id })).toMatchObject({ status: "pending", tries_left: 3 });
  });

  it.each(["idle", "busy"])("comes at the second one, too, while no hub answers (%s)", async (how) => {
    const { ada, send, where } = await office();
    const proxy = await FaultProxy.start({ port });
    const line = ["sh", "-c", `${SAY_GROUP}; sleep 1000`];
    const options = ["--verbose", "--kill-after", "100ms"];
    const bob = new CoordInside(["work", ...options, "--", ...line], { ...where, url: through(proxy) });
    await bob.prints(/does tasks/, "stderr");
    const { id } = await send("x");
    const group = await groupOf(bob);
    if (how === "idle") await ada.cancel({ id }).then(() => bob.prints(/cancelled/));
    proxy.faults.refuse = "connections";
    proxy.cut();
    await bob.prints(/reconnecting/, "stderr");
    void bob.end("SIGTERM");
    expect(await bob.end("SIGTERM")).toBe(143);
    expect(await groupIsAlive(group)).toBe(false);
  });

  it("comes with the hub's word when the hub refuses it for good", async () => {
    const { send, where } = await office();
    const proxy = await FaultProxy.start({ port });
    const script = `${SAY_GROUP}; sleep 1000`;
    const bob = new CoordInside(["work", "--verbose", "--", "sh", "-c", script], { ...where, url: through(proxy) });
    await send("x");
    const group = await groupOf(bob);
    proxy.say(Buffer.from([0x88, 2, ...[CLOSE.policy.code >> 8, CLOSE.policy.code & 0xff]])); // the frame that closes
    expect(await bob.ended).toBe(1);
    expect(bob.stderr.match(/the hub refused this client/g)).toHaveLength(1);
    expect(bob.stderr).toMatch(/^error: the hub refused this client: .* \(close code 1008\)\n$/m);
    expect(await groupIsAlive(group)).toBe(false);
  });

  it("by SIGKILL leaves neither a command nor a context behind", async () => {
    const { send, workProcess, file } = await office();
    const script = `echo $COORDINATION_TASK_CONTEXT_FILE > "$FOLDER/context"; ${STUBBORN}`;
    const bob = workProcess(script, "--verbose", "--kill-after", "100ms");
    await send("hang", { context: "c" });
    const group = await groupOf(bob);
    const context = readFileSync(file("context"), "utf8").trim();
    expect(existsSync(context)).toBe(true);
    bob.child.kill("SIGKILL");
    await goneAsAWhole(group);
    while (existsSync(join(context, ".."))) await setTimeout(20);
  });
});

describe("a command that cannot be started", () => {
  it.each(["no-such-command", "/no/such/command", "/etc/passwd", "/tmp"])(
    "%s: ends with 69 and takes nothing",
    async (line) => {
      const { ada, send, where } = await office();
      const { id } = await send("x");
      const bob = new CoordInside(["work", "--json", "--", line], where);
      expect([await bob.ended, bob.stdout]).toEqual([69, ""]);
      expect(JSON.parse(bob.stderr)).toMatchObject({ code: "cannot_start", error: expect.stringContaining(line) });
      expect(await ada.get({ id })).toMatchObject({ status: "pending", attempt: 0 });
    },
  );

  it("any more gives its task back, and leaves the others alone", async () => {
    const { ada, send, where, file } = await office();
    writeFileSync(file("script"), "#!/bin/sh\nrm $0\necho done\n", { mode: 0o700 });
    const bob = new CoordInside(["work", "--json", "--", file("script")], where);
    const tasks = [await send("1"), await send("2"), await send("3")] as const;
    await tasks[0].result();
    expect(await bob.ended).toBe(69);
    expect(bob.items.map(({ outcome }) => outcome)).toEqual(["complete", "given_back"]);
    expect(await ada.get({ id: tasks[1].id })).toMatchObject({ status: "pending", attempt: 1, tries_left: 3 });
    expect(await ada.get({ id: tasks[2].id })).toMatchObject({ status: "pending", attempt: 0 });
  });
});
