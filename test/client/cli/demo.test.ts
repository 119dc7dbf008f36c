import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tempDir } from "../../support/tempDir.ts";
import { CoordProcess } from "./coord.ts";

const FILES: Record<string, string> = {
  "a.txt": "one\ntwo\n",
  "b.txt": "",
  "c.txt": "no newline at the end",
  "d\x1b[31m.txt": "\n".repeat(1_000),
  "below/e.txt": "é\n",
};

/** A folder with these files, and what the demo passes over. */
function folder(): string {
  const place = tempDir();
  for (const below of ["below", "node_modules", ".git", "dist"]) mkdirSync(join(place, below));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(place, name), text);
  for (const below of ["node_modules", ".git", "dist"]) writeFileSync(join(place, below, "x.txt"), "x");
  return place;
}

/** The demo, with a place of its own for what it must not leave behind. */
function startDemo(...args: string[]) {
  const temp = tempDir();
  const demo = new CoordProcess(["demo", ...args], {
    env: { TMPDIR: temp, COORDINATION_PORT: "1", COORDINATION_OPEN: "1" },
  });
  return { demo, left: () => readdirSync(temp) };
}

const pids = (printed: string) => [...printed.matchAll(/\bpid (\d+)/g)].map(([, pid]) => Number(pid));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it("indexes each file once, though a worker is killed, and leaves nothing behind", async () => {
  const { demo, left } = startDemo(folder());
  expect([await demo.ended, demo.stderr]).toEqual([0, ""]);
  const { stdout } = demo;
  const [, victim, file] = /✗ (worker-\d) is killed \(SIGKILL, pid \d+\) while it holds (.+)/.exec(stdout) as string[];
  for (const told of ["is given back", "can be claimed again", `is claimed by worker-`])
    expect(stdout).toContain(`${file} ${told}`);
  expect(stdout).toContain(
    `5 files, each with exactly one result. ${file}, which ${victim} took with it, was done by worker-`,
  );
  expect(stdout).toContain("d\\x1b[31m.txt");
  expect(pids(stdout).length).toBeGreaterThanOrEqual(5);
  expect([left(), pids(stdout).filter(isAlive)]).toEqual([[], []]);
});

it("tells programs what was found, by whom and when", async () => {
  const { demo } = startDemo(folder(), "--agents", "2", "--json");
  expect([await demo.ended, demo.stderr, demo.items.length]).toEqual([0, "", 1]);
  const [{ files, workers, accident }] = demo.items;
  const expected = Object.entries(FILES).map(([file, text]) => {
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { file, found: { lines: text.split("\n").length - 1, sha256 } };
  });
  const byName = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
  expect(files.toSorted(byName)).toMatchObject(expected.toSorted(byName));
  expect(accident.ended_attempt).toBeGreaterThan(accident.attempt);
  expect(accident.ended_by).not.toBe(accident.killed);
  expect(workers.map(({ done }: { done: number }) => done).reduce((sum: number, done: number) => sum + done)).toBe(5);
});

it("interrupted, it leaves nothing behind either", async () => {
  const { demo, left } = startDemo(folder(), "--files", "4");
  await demo.prints(/a task to @indexers for each of the first 4 files/);
  expect([await demo.end("SIGINT"), demo.stderr]).toEqual([130, ""]);
  expect([left(), pids(demo.stdout).filter(isAlive)]).toEqual([[], []]);
});

it("has nothing to do in an empty folder, or in none", async () => {
  const { demo } = startDemo(tempDir());
  const none = startDemo(join(tempDir(), "nowhere")).demo;
  expect([await demo.ended, demo.stderr]).toEqual([2, expect.stringContaining("there are no files in")]);
  expect([await none.ended, none.stderr]).toEqual([2, expect.stringContaining("cannot read")]);
});
