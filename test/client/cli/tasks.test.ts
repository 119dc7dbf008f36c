import { describe, expect, it } from "vitest";
import { connect } from "../../../client/sdk/index.ts";
import type { Presence } from "../../../shared/index.ts";
import { crowd } from "../../support/crowd.ts";
import { startHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { CoordInside, runInside, shell } from "./coord.ts";

const ID = /^[0-9a-f]{32}$/;

async function twoShells() {
  const { url } = await startHub();
  return { url, ada: shell(url, "ada"), bob: shell(url, "bob") };
}

async function sent(by: ReturnType<typeof shell>, ...args: string[]): Promise<string> {
  return (await by("send", ...args)).stdout.trim();
}

describe("a task", () => {
  it("goes from one shell to another, and its result back", async () => {
    const { url, ada, bob } = await twoShells();
    const { code, stdout, stderr } = await ada("send", "bob", "run the tests", "--priority", "high");
    const id = stdout.trim();
    expect([code, id, stderr]).toEqual([
      0,
      expect.stringMatching(ID),
      "nobody of the name bob was ever here; this is all that waits for it\n",
    ]);
    const inbox = await bob("inbox");
    expect(inbox.stdout).toMatch(/^ID +FROM +TYPE +STATUS +SENT +TEXT\n/);
    expect(inbox.stdout).toMatch(new RegExp(`\n${id}  ada   task, high  pending  .*  run the tests\n$`));
    const claimed = await bob("next", "--json");
    expect(claimed.json).toMatchObject({ id, status: "in_progress", claimed_by: "bob", attempt: 1 });
    const done = await runInside(["complete", id, "-"], { url, as: "bob", input: "all\ngreen" });
    expect([done.code, done.stdout]).toEqual([0, `${id} is complete\n`]);
    const page = (await ada("get", id)).stdout;
    expect(page).toMatch(/^from +ada → bob$/m);
    expect(page).toMatch(/^status +complete, attempt 1 \(2 left\)$/m);
    expect(page).toContain("\nrun the tests\n\nresult\n  all\n  green\n");
  });

  it("carries everything that the command line can say", async () => {
    const { ada } = await twoShells();
    const parent = await sent(ada, "bob", "the whole");
    const options = {
      context: "in src",
      priority: "urgent",
      thread: "release-7",
      "reply-to": parent,
      parent,
      "not-before": "10m",
      "expires-at": "2099-01-01T00:00:00Z",
      timeout: "1.5h",
      "max-attempts": "7",
      backoff: "250ms",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const { json } = await ada("send", "bob", "a part", ...flags, "--json");
    expect(json.message).toMatchObject({
      context: "in src",
      priority: "urgent",
      thread_id: "release-7",
      reply_to: parent,
      parent_id: parent,
      expires_at: "2099-01-01T00:00:00.000Z",
      timeout_ms: 5_400_000,
      max_attempts: 7,
      backoff_ms: 250,
      traceparent: options.traceparent,
    });
    const page = (await ada("get", json.message.id)).stdout;
    for (const fact of [`not before  ${json.message.not_before}, in`, `trace       ${options.traceparent}`]) {
      expect(page).toContain(`\n${fact}`);
    }
    expect(page).toMatch(/^tries +at most 7\nback-off +250 ms after/m);
    const ahead = Date.parse(json.message.not_before) - Date.parse(json.message.created_at);
    expect(ahead).toBeGreaterThan(595_000);
    expect(ahead).toBeLessThanOrEqual(600_000);
  });

  it("sent twice with a key is sent once", async () => {
    const { ada } = await twoShells();
    const first = await ada("send", "bob", "once", "--key", "k1");
    const again = await ada("send", "bob", "once", "--key", "k1");
    expect(again.stdout).toBe(first.stdout);
    expect(again.stderr).toContain("sent before with this key");
  });

  it("claimed in one process is completed in another of the same name, and of no other", async () => {
    const { ada, bob } = await twoShells();
    const id = await sent(ada, "bob", "x");
    expect((await bob("claim", id)).stdout).toMatch(/^status +in_progress \(bob\), attempt 1/m);
    const other = await ada("complete", id, "not mine", "--json");
    expect([other.code, other.stdout]).toEqual([1, ""]);
    expect(JSON.parse(other.stderr)).toMatchObject({ code: "lease_lost", details: { id, claimed_by: "bob" } });
    expect((await bob("complete", id, "mine", "--attempt", "1")).code).toBe(0);
  });

  it("is given back, failed for another try, and failed for good", async () => {
    const { ada, bob } = await twoShells();
    const id = await sent(ada, "bob", "x", "--backoff", "0");
    await bob("claim", id);
    expect((await bob("release", id)).stdout).toBe(`${id} is pending\n`);
    await bob("claim", id);
    const stale = await bob("fail", id, "late", "--attempt", "1");
    expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining("attempt 1 is over; the present one is 2")]);
    const early = await bob("fail", id, "early", "--attempt", "9");
    expect(early.stderr).toContain("attempt 9 has not begun; the present one is 2");
    expect((await bob("fail", id, "busy", "--retryable")).stdout).toBe(`${id} is pending\n`);
    await bob("claim", id);
    expect((await bob("fail", id, "no such branch", "--json")).json).toMatchObject({ error: "no such branch" });
    expect((await ada("get", id)).stdout).toMatch(/^status +failed: error, attempt 3/m);
    const last = await sent(ada, "bob", "y", "--max-attempts", "2");
    await bob("claim", last);
    expect((await bob("fail", last, "busy", "--retryable")).stdout).toMatch(/ is pending \(in \d s\)\n$/);
    const dead = await sent(ada, "bob", "z", "--max-attempts", "1");
    await bob("claim", dead);
    await bob("fail", dead, "still busy", "--retryable");
    expect((await ada("dead")).stdout).toMatch(/TRIES +ENDED +ERROR +TEXT\n.* bob +1 +.* +still busy +z\n$/);
  });
});

describe("send --wait", () => {
  it("prints the result and nothing else on stdout", async () => {
    const { url, bob } = await twoShells();
    const waiting = new CoordInside(["send", "bob", "add 2 and 2", "--wait"], { url, as: "ada" });
    const { json } = await bob("next", "--wait", "10", "--json");
    await bob("complete", json.id, "4");
    expect([await waiting.ended, waiting.stdout]).toEqual([0, "4\n"]);
    expect(waiting.stderr).toContain(json.id);
  });

  it("ends with 5 when the task fails, and with 4 when it takes too long", async () => {
    const { url, bob } = await twoShells();
    const failing = new CoordInside(["send", "bob", "divide by 0", "--wait", "--json"], { url, as: "ada" });
    const { json } = await bob("next", "--wait", "10", "--json");
    const late = new CoordInside(["send", "bob", "y", "--wait-timeout", "50ms", "--json"], { url, as: "ada" });
    await bob("fail", json.id, "undefined");
    expect([await failing.ended, failing.stdout]).toEqual([5, ""]);
    expect(JSON.parse(failing.stderr)).toMatchObject({ error: "undefined", code: "task_failed" });
    expect([await late.ended, late.stdout]).toEqual([4, ""]);
    expect(JSON.parse(late.stderr)).toMatchObject({
      error: expect.stringMatching(/^[0-9a-f]{32} has not ended within 50 ms: see `coord get [0-9a-f]{32}`/),
      details: { id: expect.stringMatching(ID), message: { task: "y", status: "pending" } },
    });
  });

  it("waits for any rung, and says that it is reached", async () => {
    const { url, ada, bob } = await twoShells();
    const send = (...args: string[]) => new CoordInside(args, { url, as: "ada" });
    const task = async (text: string) => (await bob("wait", "--json", "--timeout", "10", "--thread", text)).json.id;
    const seen = send("chat", "bob", "x", "--wait", "seen", "--thread", "t1");
    const first = await task("t1");
    await bob("seen", first);
    expect([await seen.ended, seen.stdout]).toEqual([0, `${first}\n`]);
    expect(seen.stderr).toMatch(new RegExp(`^${first} is seen\n$`, "m"));
    const read = send("chat", "bob", "x", "--wait", "--thread", "t3");
    await bob("complete", await task("t3"));
    expect([await read.ended, read.stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{32} is acknowledged\n$/)]);
    const claimed = send("send", "--wait=claimed", "bob", "x", "--json", "--thread", "t2");
    const second = await task("t2");
    await bob("claim", second);
    await claimed.ended;
    expect(claimed.items).toMatchObject([{ id: second, claimed_by: "bob" }]);
    const late = await ada("send", "bob", "x", "--wait", "delivered", "--wait-timeout", "50ms");
    expect([late.code, late.stderr]).toEqual([4, expect.stringMatching(/is not delivered within 50 ms/)]);
    expect((await ada("send", "bob", "x", "--wait", "stored")).stdout.trim()).toMatch(ID);
  });

  it("without a rung waits for the end, wherever it stands", async () => {
    const { url, bob } = await twoShells();
    const waiting = new CoordInside(["--as", "wait", "send", "--wait", "bob", "--", "--wait"], { url });
    const { json } = await bob("next", "--wait", "10", "--json");
    expect(json.task).toBe("--wait");
    await bob("complete", json.id, "4");
    expect([await waiting.ended, waiting.stdout]).toEqual([0, "4\n"]);
  });
});

describe("what a sender is told", () => {
  it("is how the recipient stands and how much waits for it", async () => {
    const { url, ada } = await twoShells();
    const bob = await connect({ url, as: "bob" });
    expect((await ada("chat", "bob", "one")).stderr).toBe("bob is online; this is all that waits for it\n");
    await bob.close();
    const { stderr } = await ada("chat", "bob", "two");
    expect(stderr).toMatch(
      /^bob is offline, last seen (now|\d+ s ago); 2 messages wait for it, the oldest for \d+ s\n$/,
    );
    expect((await ada("send", "@tester", "three")).stderr).toMatch(/^nobody here has the role tester; this is all/);
    expect((await ada("chat", "*", "three")).stderr).toBe("for everyone, whenever they look\n");
  });
});

describe("next", () => {
  it("ends with 4 when no task waits, chats or not", async () => {
    const { ada, bob } = await twoShells();
    await ada("chat", "bob", "hello");
    const nothing = await bob("next", "--json");
    expect([nothing.code, nothing.stdout]).toEqual([4, ""]);
    expect(JSON.parse(nothing.stderr)).toEqual({ error: "no task waits for bob", code: "nothing_came" });
  });

  it("says where a role is meant whose @ is missing", async () => {
    const { ada, bob } = await twoShells();
    await ada("send", "@tester", "run the suite");
    const nothing = await bob("next", "--for", "tester");
    expect([nothing.code, nothing.stderr]).toEqual([
      4,
      "error: no task waits for tester, but for the role: --for @tester\n",
    ]);
    expect((await bob("next", "--for", "@tester")).code).toBe(0);
    expect((await bob("next", "--for", "tester")).stderr).toBe("error: no task waits for tester\n");
  });

  it("waits for one over a restart of the hub, and is online meanwhile", async () => {
    const hub = await HubProcess.start();
    const ada = shell(hub.url, "ada");
    const waiting = new CoordInside(["next", "--wait", "15", "--json"], { url: hub.url, as: "bob" });
    const watching = new CoordInside(["watch", "--presence", "--json"], { url: hub.url });
    await watching.prints(/"claude_id":"bob","state":"online"/);
    await hub.kill();
    await startHub({ port: hub.port, db: hub.db });
    const id = await sent(ada, "bob", "after the restart");
    expect([await waiting.ended, waiting.items]).toMatchObject([0, [{ id, claimed_by: "bob" }]]);
  });
});

it("a claim without a name says in whose it was made, and one with a name does not", async () => {
  const { url, ada, bob } = await twoShells();
  const says = "claimed as bob: say --as NAME to claim in another's name\n";
  const [first, second, third, fourth] = await Promise.all(["1", "2", "3", "4"].map((text) => sent(ada, "bob", text)));
  const nameless = (...args: string[]) => runInside(args, { url });
  const claimed = await nameless("claim", first as string);
  expect(claimed.stderr).toBe(`${says}when it is done: coord complete ${first} RESULT\n`);
  expect(claimed.stdout).not.toContain("claimed as");
  expect((await bob("claim", second as string)).stderr).not.toContain("claimed as");
  expect((await nameless("claim", third as string, "--json")).stderr).toBe("");
  expect(await nameless("next", "--for", "bob")).toMatchObject({
    stdout: expect.stringContaining(fourth as string),
    stderr: expect.stringContaining(says),
  });
});

it("what is ended without a name says in whose it was, and with one does not", async () => {
  const { url, ada, bob } = await twoShells();
  const nameless = (...args: string[]) => runInside(args, { url });
  const [first, second] = [await sent(ada, "bob", "1"), await sent(ada, "bob", "2", "--backoff", "0")];
  for (const id of [first, second]) await bob("claim", id);
  const says = (id: string, what: string) => `${id} is ${what}, in the name of bob\n`;
  expect((await nameless("complete", first)).stdout).toBe(says(first, "complete"));
  expect((await nameless("fail", second, "busy", "--retryable")).stdout).toBe(says(second, "pending"));
  await bob("claim", second);
  expect((await nameless("release", second)).stdout).toBe(says(second, "pending"));
  const chat = (await ada("chat", "bob", "hello")).stdout.trim();
  expect((await nameless("complete", chat)).stdout).toBe(says(chat, "complete"));
  expect((await bob("complete", chat)).stdout).toBe(`${chat} is complete\n`);
});

it("what is refused is told with who holds it, or which command leads on", async () => {
  const { url, ada, bob } = await twoShells();
  const carl = shell(url, "carl");
  const says = async (...args: string[]) => (await carl(...args)).stderr;
  const id = await sent(ada, "bob", "x");
  const pending = "Task is pending: progress is not possible";
  expect(await says("progress", id, "half")).toBe(
    `error: ${pending}; nobody holds it: \`coord claim ${id}\` takes it\n`,
  );
  await bob("claim", id);
  expect(await says("claim", id)).toBe("error: Task is in_progress: claim is not possible; bob holds it\n");
  await bob("complete", id, "done");
  expect(await says("claim", id)).toBe(
    `error: Task is complete: claim is not possible; \`coord get ${id}\` shows its result\n`,
  );
  const other = await sent(ada, "bob", "y");
  const waiting = await sent(ada, "bob", "z", "--after", other);
  expect(await says("claim", waiting)).toContain(`to be complete; \`coord get ${waiting}\` says for which\n`);
  await ada("cancel", other);
  expect(await says("claim", other)).toContain(
    `; \`coord get ${other}\` says why, \`coord retry ${other}\` has it tried again\n`,
  );
  const chat = (await ada("chat", "bob", "hello")).stdout.trim();
  expect(await says("claim", chat)).toContain(`; \`coord complete ${chat}\` acknowledges it\n`);
  await bob("complete", chat);
  expect((await bob("release", chat)).stderr).toBe("error: Chat is complete: release is not possible\n");
});

describe("lists", () => {
  it("show what every filter of the table asks for, and go on from their mark", async () => {
    const { ada, bob } = await twoShells();
    const first = await sent(ada, "bob", "one", "--thread", "t1");
    const second = await sent(ada, "carol", "two");
    await bob("chat", "ada", "three");
    await bob("complete", first, "done");
    const ids = async (...filters: string[]) =>
      (await ada("list", "--json", ...filters)).json.messages.map(({ id }: { id: string }) => id);
    expect(await ids("--status", "complete")).toEqual([first]);
    expect(await ids("--thread", "t1", "--type", "task")).toEqual([first]);
    expect(await ids("--from", "ada", "--order", "desc")).toEqual([second, first]);
    expect(await ids("--to", "carol", "--offset", "1")).toEqual([]);
    const { stderr } = await ada("list", "--from", "ada", "--limit", "1");
    const [, mark] = /^there is more: --next (\S+)$/m.exec(stderr) as unknown as [string, string];
    expect(await ids("--from", "ada", "--limit", "1", "--next", mark)).toEqual([second]);
    expect((await ada("list", "--status", "failed")).stdout).toBe("no messages\n");
    await ada("send", "bob", "four", "--not-before", "1h");
    expect((await bob("inbox")).stdout).toMatch(/ {2}pending \(in (59 min|1 h)\) {2}.* {2}four\n$/);
    expect((await bob("inbox", "--type", "chat")).stdout).toBe("nothing waits\n");
  });
});

it("what a task waits for is said wherever it is shown, until it is over", async () => {
  const { ada, bob } = await twoShells();
  const [first, second] = [await sent(ada, "bob", "one"), await sent(ada, "bob", "two")];
  const third = await sent(ada, "bob", "three", "--after", first, second);
  const shown = async () => [(await ada("get", third)).stdout, (await ada("list")).stdout, (await bob("inbox")).stdout];
  for (const text of await shown()) expect(text).toContain(`pending, waits for ${first} and 1 more`);
  await bob("complete", first, "done");
  const [page, ...lists] = await shown();
  expect(page).toContain(`pending, waits for ${second}\n`);
  expect(page).toMatch(new RegExp(`^after +${first}, ${second}$`, "m"));
  for (const list of lists) expect(list).toMatch(new RegExp(`pending, waits for ${second} +(now|\\d+ s ago) +three`));
  await bob("complete", second, "done");
  expect((await shown()).join("")).not.toContain("waits for");
});

it("why a task failed is said wherever it is shown, and which are brought back", async () => {
  const { ada } = await twoShells();
  const first = await sent(ada, "bob", "one");
  const second = await sent(ada, "bob", "two", "--after", first);
  expect((await ada("cancel", first)).stdout).toBe(`${first} is failed: cancelled\n`);
  expect((await ada("get", second)).stdout).toMatch(/^status +failed: dependency$/m);
  const { stdout } = await ada("list");
  expect(stdout).toMatch(new RegExp(`^${first} .* failed: cancelled  .* one$`, "m"));
  expect(stdout).toMatch(new RegExp(`^${second} .* failed: dependency  .* two$`, "m"));
  const third = await sent(ada, "bob", "three");
  const retry = async () => (await ada("retry", "--failure", "cancelled")).stdout;
  expect(await retry()).toBe(`${first} is pending again\n`);
  for (const id of [first, third]) await ada("cancel", id);
  expect(await retry()).toBe(`${first}\n${third}\nare pending again\n`);
});

it("whoever sends a task that waits in vain is told at once that it has failed", async () => {
  const { ada } = await twoShells();
  const first = await sent(ada, "bob", "one");
  await ada("cancel", first);
  const { stderr } = await ada("send", "bob", "two", "--after", first);
  expect(stderr).toMatch(new RegExp(`^it has failed: .*${first}`));
  expect(stderr).not.toContain("wait for it");
});

it("deletes what it can, and says what it cannot", async () => {
  const { ada } = await twoShells();
  const [first, second] = [await sent(ada, "bob", "one"), await sent(ada, "bob", "two")];
  const { code, stdout, stderr } = await ada("delete", first, "nope", second);
  expect([code, stdout, stderr]).toEqual([
    1,
    `${first} is deleted\n${second} is deleted\n`,
    "error: nope: Message not found\n",
  ]);
  expect((await ada("stats", "--json")).json).toEqual({ total: 0, pending: 0, in_progress: 0, complete: 0, failed: 0 });
});

it("a heartbeat shows in who, once and again and again", async () => {
  const { url, ada, bob } = await twoShells();
  expect((await ada("who")).stdout).toBe("nobody was here yet\n");
  expect((await bob("heartbeat", "--json")).json).toEqual({ timestamp: expect.any(String), claude_id: "bob" });
  const carol = new CoordInside(["heartbeat", "--interval", "20ms"], { url, as: "carol" });
  await carol.prints(/carol is alive\n.*carol is alive\n/);
  expect(await carol.end()).toBe(130);
  const { stdout } = await ada("who");
  expect(stdout).toMatch(
    /^NAME +STATE +FOR +SEEN +CONNECTED +HOST +ROLES +DOING +WAITING\nbob +online .*\ncarol +online /,
  );
  expect((await ada("who", "bob", "--json")).json.instances).toMatchObject([{ claude_id: "bob", state: "online" }]);
  expect((await ada("who", "nobody")).code).toBe(1);
});

it("who shows everybody, however many there are", async () => {
  const { url, ada } = await twoShells();
  const names = await crowd(url, 300);
  const { instances } = (await ada("who", "--json")).json as Presence;
  expect(instances.map(({ claude_id }) => claude_id).filter((name) => name !== "ada")).toEqual(names);
});
