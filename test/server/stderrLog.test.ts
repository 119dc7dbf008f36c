/** The hub's log never stands in its way: not unread, not without a reader, not on a full disk. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { defer } from "../support/defer.ts";
import { http } from "../support/http.ts";
import { HubProcess } from "../support/processes.ts";
import { repository } from "../support/repository.ts";

/** A program that logs so many lines of 1 kB at once, says so on stdout, and ends. */
function logging(lines: number) {
  const program = `
    import { logToStderr } from "${repository}dist/server/stderrLog.js";
    const log = logToStderr(process.stderr, "info");
    for (let line = 1; line <= ${lines}; line++) log.logger.info({ line }, "x".repeat(1000));
    process.stdout.write("logged");
    await log.flush();
    process.exit(0);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  defer(() => child.kill("SIGKILL"));
  return child;
}

test("nobody has to read it", async () => {
  const child = logging(20_000);
  const [said, exit] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect([said, exit]).toEqual(["logged", [0, null]]);
});

test("whoever reads it has what was logged last", async () => {
  const child = logging(500);
  const [log] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(log).toMatch(/"line":500,[^\n]*\}\n$/);
  expect(log.trimEnd().split("\n")).toHaveLength(500);
});

describe("a hub goes on, and ends in good order,", () => {
  test.each([
    ["when the disk of its log is full", 'exec "$@" > /dev/full 2>&1'],
    ["when nobody listens to where it is", 'exec "$@" > >(exec true)'],
    ["when the reader of its log is gone", 'exec "$@" > >(exec true) 2>&1'],
  ])("%s", async (_, script) => {
    const hub = await HubProcess.start({ under: ["bash", "-c", script, "bash"] });
    const body = { from_claude: "ada", to_claude: "bob", task: "t" };
    expect((await http(`${hub.url}/message`, { method: "POST", body })).status).toBe(201);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });
});
