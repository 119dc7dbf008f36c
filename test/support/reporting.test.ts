/** That a run says the truth in its last line, and that nothing can be left behind unnoticed. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { repository } from "./repository.ts";

/** Runs one fixture in a vitest of its own. */
function run(fixture: string, env: Record<string, string> = {}) {
  const { CI, ...inherited } = process.env;
  const args = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/support/fixture/vitest.config.ts", fixture];
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: repository,
    encoding: "utf8",
    env: { ...inherited, NO_COLOR: "1", ...env },
  });
  const lines = stdout.trimEnd().split("\n");
  return { status, closing: lines.at(-1), lines };
}

describe("the closing line", () => {
  test("counts; says what was skipped and why", () => {
    const { closing, lines, status } = run("outcomes");
    expect(closing).toBe("2 passed, 1 failed, 1 skipped");
    expect(lines.at(-2)).toBe("skipped: needs strace: apt-get install strace");
    expect(status).toBe(1);
  });

  test("in CI a missing part is a failure", () => {
    const { closing, status } = run("outcomes", { CI: "true" });
    expect(closing).toBe("0 passed, 1 failed");
    expect(status).toBe(1);
  });

  test("counts a run without any test as a failure", () => {
    expect(run("nothing of this name")).toMatchObject({ closing: "0 passed, 1 failed", status: 1 });
  });

  test("counts a file that does not load as a failure", () => {
    expect(run("unloadable")).toMatchObject({ closing: "0 passed, 1 failed", status: 1 });
  });
});

describe("a leak fails its file:", () => {
  test("nothing", () => {
    expect(run("leak")).toMatchObject({ closing: "1 passed, 0 failed", status: 0 });
  });
  test.each(["server", "worker", "child"])("a %s", (LEAK) => {
    expect(run("leak", { LEAK })).toMatchObject({ closing: "1 passed, 1 failed", status: 1 });
  });
});
