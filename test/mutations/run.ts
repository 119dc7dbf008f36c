/**
 * Plants each bug of the list in a copy of the repository and runs the tests of the core and the store there:
 * `node dist/test/mutations/run.js [WORD…]`, by default all of them. Exits with 1 when one survives, or when the
 * model-based test, which is asked first, catches fewer of all than it must.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repository } from "../support/repository.ts";
import { ALL_MUTATIONS } from "./all.ts";
import type { Mutation } from "./mutations.ts";

/** Tests that must notice, and what they are given. */
const SUITES = {
  model: ["test/server/store/model"],
  core: ["test/server/core"],
  store: ["test/server/store", "--exclude", "test/server/store/model/**"],
};

type Suite = keyof typeof SUITES;

/** How many of all bugs the model must catch by itself. */
const MODEL_CATCHES = 10;

/** Which suite noticed first; the others after it were not asked. */
type Verdict = Suite | undefined;

/** The same walks in every run, so that a verdict can be had again. */
const ENV = { ...process.env, SEED: process.env.SEED ?? "1", NO_COLOR: "1" };

function main(words: string[]): void {
  const chosen = ALL_MUTATIONS.filter(({ breaks }) => words.every((word) => breaks.includes(word)));
  const folder = mkdtempSync(join(tmpdir(), "hub-mutations-"));
  try {
    const original = join(folder, "original");
    copyRepository(original);
    expectPassing(original);
    const verdicts = chosen.map((mutation, i) => verdictOn(mutation, original, join(folder, `${i}`)));
    const [caught, byModel] = [verdicts.filter(Boolean).length, verdicts.filter((suite) => suite === "model").length];
    console.log(`\n${caught} of ${chosen.length} planted bugs caught, ${byModel} by the model alone`);
    const isModelBlind = words.length === 0 && byModel < MODEL_CATCHES;
    process.exitCode = caught < chosen.length || isModelBlind ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything that git knows or would know, with the modules of the original. */
function copyRepository(target: string): void {
  const listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", listing, { cwd: repository, encoding: "utf8" }).split("\0");
  for (const file of files.filter((name) => name && existsSync(join(repository, name)))) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(repository, file), join(target, file));
  }
  symlinkSync(join(repository, "node_modules"), join(target, "node_modules"));
}

/** @throws Error when the tests fail without a planted bug: then their failing says nothing. */
function expectPassing(original: string): void {
  if (!builds(original)) throw new Error("the repository does not build");
  for (const suite of Object.keys(SUITES) as Suite[]) {
    const { status, stdout } = test(suite, original);
    if (status !== 0) throw new Error(`${suite}: the tests fail without a planted bug\n${stdout}`);
  }
  console.log(`${"planted bug".padEnd(84)} caught by  seconds`);
}

function verdictOn(mutation: Mutation, original: string, copy: string): Verdict {
  const began = performance.now();
  cpSync(original, copy, { recursive: true, verbatimSymlinks: true });
  plant(mutation, copy);
  if (!builds(copy)) throw new Error(`${mutation.breaks}: the planted bug does not build`);
  const verdict = (Object.keys(SUITES) as Suite[]).find((suite) => notices(suite, copy));
  rmSync(copy, { recursive: true, force: true });
  console.log(line(mutation, verdict, Math.round((performance.now() - began) / 1000)));
  return verdict;
}

/** @throws Error when the text is not there exactly once: then the list is out of date. */
function plant({ file, search, replace, breaks }: Mutation, copy: string): void {
  const path = join(copy, file);
  const [before, after, ...more] = readFileSync(path, "utf8").split(search);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${breaks}: its text must stand in ${file} exactly once:\n${search}`);
  }
  writeFileSync(path, before + replace + after);
}

const builds = (copy: string) => spawnSync(process.execPath, ["build.mjs"], { cwd: copy, env: ENV }).status === 0;

const notices = (suite: Suite, copy: string) => test(suite, copy).status !== 0;

function test(suite: Suite, copy: string) {
  const vitest = join(copy, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--bail", "1", ...SUITES[suite]];
  return spawnSync(process.execPath, args, { cwd: copy, env: ENV, encoding: "utf8" });
}

function line({ breaks }: Mutation, verdict: Verdict, seconds: number): string {
  return `${breaks.padEnd(84)} ${(verdict ?? "SURVIVED").padEnd(9)}  ${seconds}`;
}

main(process.argv.slice(2));
