import { describe, expect, it } from "vitest";
import { ManualClock } from "../../support/clock.ts";
import { startHub } from "../../support/hub.ts";
import { runInside, shell } from "./coord.ts";

async function scene() {
  const { url } = await startHub({ clock: new ManualClock(Date.UTC(2099, 2, 28, 12)) });
  return { url, ops: shell(url, "ops") };
}

const NIGHTLY = ["schedule", "put", "nightly", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--to", "ada"];

describe("a schedule", () => {
  it("is put, shown with its times on its own clock, listed, paused, resumed and deleted", async () => {
    const { ops } = await scene();
    const put = await ops(...NIGHTLY, "run the backup");
    expect([put.code, put.stderr]).toEqual([0, ""]);
    expect(put.stdout).toContain("\nnext, in Europe/Berlin\n  Sun, 2099-03-29 03:30:00  in ");
    expect(put.stdout).toContain("\n  Mon, 2099-03-30 02:30:00  in ");
    expect((await ops("schedule", "show", "nightly")).stdout).toBe(put.stdout);
    expect(put.stdout).toMatch(/^overlap +is skipped while the message before has not ended$/m);
    const allowed = await ops(...NIGHTLY, "run the backup", "--overlap", "allow");
    expect(allowed.stdout).toMatch(/^overlap +is skipped only while the message before waits untaken$/m);
    await ops(...NIGHTLY, "run the backup");
    expect((await ops("schedule")).stdout).toMatch(/^NAME +CRON .*\nnightly +30 2 \* \* \* +Europe\/Berlin +ada +in /);
    expect((await ops("schedule", "pause", "nightly")).stdout).toMatch(/^name +nightly \(paused\)\n/);
    expect((await ops("schedule", "list")).stdout).toMatch(/ada +paused +- +run the backup\n$/);
    expect((await ops("schedule", "resume", "nightly")).stdout).toBe(put.stdout);
    for (const word of ["show", "delete"]) {
      expect((await ops("schedule", word, "nigthly")).stderr).toMatch(/name nigthly \(did you mean "nightly"\?\)/);
    }
    expect((await ops("schedule", "delete", "nightly")).stdout).toBe("nightly is deleted\n");
    expect((await ops("schedule")).stdout).toBe("there are no schedules\n");
  });

  it("carries everything that the command line can say", async () => {
    const { url } = await scene();
    const options = {
      missed: "skip",
      overlap: "allow",
      context: "in src",
      priority: "high",
      thread: "nights",
      timeout: "1h",
      "max-attempts": "7",
      backoff: "250ms",
      "expires-after": "2h",
    };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const args = [...NIGHTLY, "-", "--paused", ...flags, "--json"];
    const { json } = await runInside(args, { url, as: "ops", input: "two\nlines" });
    expect(json).toMatchObject({ missed: "skip", overlap: "allow", enabled: false });
    expect(json.message).toEqual({
      from_claude: "ops",
      to_claude: "ada",
      task: "two\nlines",
      context: "in src",
      priority: "high",
      thread_id: "nights",
      timeout_ms: 3_600_000,
      max_attempts: 7,
      backoff_ms: 250,
      expires_after_ms: 7_200_000,
    });
  });
});

it.each([
  [["schedule", "dance"], 2, /dance is not one of: list, show, put, pause, resume, delete/],
  [["schedule", "pasue"], 2, /delete \(did you mean "pause"\?\)/],
  [["schedule", "constructor"], 2, /constructor is not one of/],
  [["schedule", "show"], 2, /missing required argument 'name'/],
  [["schedule", "pause", "q", "--to", "carol"], 2, /--to does not belong to 'pause'/],
  [["schedule", "resume", "q", "extra"], 2, /too many arguments for 'resume'/],
  [["schedule", "list", "q"], 2, /too many arguments for 'list'/],
  [["schedule", "put", "x", "--cron", "* * * * *", "text"], 2, /Missing field: --to/],
  [["schedule", "put", "x", "--to", "ada", "text"], 2, /Missing field: --cron/],
  [["schedule", "put", "x", "--cron", "* * * * *", "--to", "ada"], 2, /Missing field: <task>/],
  [["schedule", "put", "x", "--cron", "61 * * * *", "--to", "ada", "text"], 1, /cron "61" is not a minute/],
  [["schedule", "put", "x", "--cron", "0 0 30 2 *", "--to", "ada", "text"], 1, /never comes/],
  [["schedule", "show", "nobodys"], 1, /There is no schedule of the name nobodys/],
])("coord %j ends with %i and says why", async (args, code, sentence) => {
  const { ops } = await scene();
  expect(await ops(...args)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(sentence) });
});
