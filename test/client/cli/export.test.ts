/** `coord export`: every line once, whole, and nothing overwritten. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Message } from "../../../shared/index.ts";
import { ManualClock } from "../../support/clock.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { freePort } from "../../support/ports.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { tempDir } from "../../support/tempDir.ts";
import { CoordProcess, run, runInside } from "./coord.ts";

const DAY = 86_400_000;

const newFile = () => join(tempDir(), "export.jsonl");
const parsed = (text: string) =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line): Message => JSON.parse(line));
const tasks = (text: string) => parsed(text).map(({ task }) => task);

let hub: TestHub;
let socket: RawSocket;
const clock = new ManualClock();
const started = new Date(clock.now()).toISOString();

/** Three days, a message on each; the first is done. */
beforeAll(async () => {
  hub = await startHub({ clock });
  for (const [day, to_claude] of ["bob", "bob", "cyd"].entries()) {
    if (day > 0) clock.advance(DAY);
    socket = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
    const { message } = await socket.call("send", { to_claude, task: `day ${day}` });
    if (day > 0) continue;
    await socket.call("claim", { id: message.id });
    await socket.call("complete", { id: message.id, result: "line\nline" });
  }
});

const exported = (...args: string[]) => runInside(["export", ...args], { url: hub.url, as: "bob" });

describe("messages", () => {
  it("go to stdout, a line each, as they are, oldest first; how many is told beside", async () => {
    const { code, stdout, stderr } = await exported();
    expect([code, stderr]).toEqual([0, "3 messages\n"]);
    expect(parsed(stdout)).toEqual((await socket.call("list", {})).messages);
    expect(await exported("--json", "--out", "-")).toMatchObject({ stdout, stderr: "" });
  });

  it("or to a new file that nobody else may read", async () => {
    const file = newFile();
    const { code, stdout, stderr } = await exported("--out", file);
    expect([code, stdout, stderr]).toEqual([0, `${file} holds 3 messages\n`, ""]);
    expect(readFileSync(file, "utf8")).toBe((await exported()).stdout);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("one is one", async () => {
    const file = newFile();
    const one = ["--to", "cyd"] as const;
    expect((await exported(...one)).stderr).toBe("1 message\n");
    expect((await exported(...one, "--out", file)).stdout).toBe(`${file} holds 1 message\n`);
  });

  it.each([
    [["--status", "complete"], ["day 0"]],
    [
      ["--to", "bob"],
      ["day 0", "day 1"],
    ],
    [
      ["--since", "1d"],
      ["day 1", "day 2"],
    ],
    [["--until", "1d"], ["day 0"]],
    [
      ["--since", started, "--until", "2026-01-03"],
      ["day 0", "day 1"],
    ],
    [["--status", "failed"], []],
  ])("%j: only what is asked for", async (args, wanted) => {
    expect(tasks((await exported(...args)).stdout)).toEqual(wanted);
  });
});

describe("the log", () => {
  it("is everybody's, whoever asks, and ends where it stood", async () => {
    const { stdout } = await exported("--events");
    const { events } = await socket.call("events", { after: "start", for: "ada" });
    expect(parsed(stdout)).toEqual(events);
    expect(events.map(({ kind }) => kind)).toEqual(["new", "claimed", "completed", "new", "new"]);
  });

  it("goes on from a cursor; one that is lost is refused, and no file is left", async () => {
    const { cursor } = await socket.call("events", { after: "start", for: "ada", limit: 2 });
    expect(parsed((await exported("--events", "--next", cursor)).stdout)).toHaveLength(3);
    const file = newFile();
    const { code, stderr } = await exported("--events", "--next", "0123456789ab.1", "--out", file);
    expect([code, stderr]).toEqual([1, expect.stringContaining("does not go on from this cursor (epoch)")]);
    expect(existsSync(file)).toBe(false);
  });
});

describe("nothing is overwritten or made in vain", () => {
  it("a file that is there stays as it is", async () => {
    const file = newFile();
    writeFileSync(file, "precious");
    const { code, stderr } = await exported("--out", file);
    expect([code, stderr]).toEqual([
      1,
      `error: ${file} cannot be written: it exists already, and an export overwrites nothing\n`,
    ]);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  it.each([
    [["--since", "yesterday"], "--since must be a day, a time with its zone, or how long ago"],
    [["--until", "30"], "--until must be a day"],
    [["--events", "--status", "complete"], "--events writes the log of all messages"],
    [["--status", "done"], "Allowed choices are"],
  ])("%j is refused before anything is read", async (args, says) => {
    const file = newFile();
    const { code, stderr } = await exported(...args, "--out", file);
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
    expect(existsSync(file)).toBe(false);
  });

  it("where no hub answers, there is no file", async () => {
    const file = newFile();
    const url = `http://127.0.0.1:${await freePort()}/api/coord`;
    expect((await runInside(["export", "--out", file], { url })).code).toBe(3);
    expect(existsSync(file)).toBe(false);
  });
});

describe("many messages", () => {
  let big: TestHub;
  const texts = Array.from({ length: 1_100 }, (_, i) => `\u001b[31m${i} “done”`);

  beforeAll(async () => {
    big = await startHub();
    const ada = await RawSocket.greet(big.wsUrl, { claude_id: "ada" });
    const said = { to_claude: "bob", context: "c".repeat(4_000) };
    await Promise.all(texts.map((task) => ada.call("send", { ...said, task })));
  });

  it("are all there, page after page; a mark leads to exactly the rest", async () => {
    const file = newFile();
    await runInside(["export", "--out", file], { url: big.url });
    expect(tasks(readFileSync(file, "utf8"))).toEqual(texts);
    const { next } = (await runInside(["list", "--limit", "450", "--json"], { url: big.url })).json;
    const rest = await runInside(["export", "--next", next], { url: big.url });
    expect(tasks(rest.stdout)).toEqual(texts.slice(450));
  });

  it("on a terminal, progress is shown while a file is written, and lines are harmless", async () => {
    const where = { url: big.url, columns: 100 };
    expect((await runInside(["export", "--out", newFile()], where)).stderr).toMatch(/1100\/1100 messages/);
    const shown = await runInside(["export"], where);
    expect(shown.stderr).not.toMatch(/\d+\/1100/);
    expect(shown.stdout).not.toContain("\u001b[31m");
  });

  it("whoever closes the pipe early ends it quietly", async () => {
    const coord = new CoordProcess(["export"], { url: big.url });
    await coord.prints(/done/);
    coord.child.stdout?.destroy();
    expect(await coord.ended).toBe(0);
    expect(coord.stderr).toBe("");
  });

  it("in a process of its own, too", async () => {
    const { code, stdout } = await run(["export", "--status", "pending"], { url: big.url });
    expect([code, tasks(stdout).length]).toEqual([0, texts.length]);
  });
});

it("chats to everyone are written with their receipts", async () => {
  const { message } = await socket.call("send", { to_claude: "*", task: "hello", type: "chat" });
  await runInside(["seen", message.id], { url: hub.url, as: "bob" });
  const { receipts } = await socket.call("receipts", { id: message.id });
  expect(receipts).toMatchObject([{ recipient: "bob", seen_at: expect.any(String) }]);
  expect(parsed((await exported("--to", "*")).stdout)).toEqual([{ ...message, receipts }]);
});
