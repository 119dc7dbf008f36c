/** Retention as people set it: quantities with units, and nothing that could be taken for another. */
import { expect, test } from "vitest";
import { ConfigExit, readConfig } from "../../server/config.ts";

const DAY = 86_400_000;

test("everything is kept unless something else is said", () => {
  expect(readConfig({}, [])).toMatchObject({
    keepComplete: undefined,
    keepFailed: undefined,
    keepLog: undefined,
    maxSize: undefined,
  });
});

test("by variables and by flags, which win", () => {
  const env = { COORDINATION_KEEP_COMPLETE: "30d", COORDINATION_KEEP_LOG: "12h", COORDINATION_MAX_SIZE: "1.5gb" };
  expect(readConfig(env, ["--keep-failed", "90m", "--keep-log", "1d"])).toMatchObject({
    keepComplete: 30 * DAY,
    keepFailed: 90 * 60_000,
    keepLog: DAY,
    maxSize: 1.5 * 2 ** 30,
  });
});

test.each([
  ["--keep-complete", "30"], // days? seconds?
  ["--keep-complete", "0d"],
  ["--keep-complete", "-1d"],
  ["--keep-complete", "a week"],
  ["--keep-failed", "1e3d"],
  ["--keep-log", "2gb"],
  ["--max-size", "2000"],
  ["--max-size", "2g"],
  ["--max-size", "0mb"],
  ["--max-size", "30d"],
])("%s %j is refused, with what it must be", (flag, value) => {
  const refused = (() => {
    try {
      return readConfig({}, [`${flag}=${value}`]);
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(ConfigExit);
  expect(refused).toMatchObject({ exitCode: 2 });
  expect((refused as Error).message).toMatch(
    new RegExp(`^${flag} \\(COORDINATION_.*\\): "${value}" must be a (duration|size) with its unit, as \\d+`),
  );
});

test("the help says what is kept by default", () => {
  const help = (() => {
    try {
      readConfig({}, ["--help"]);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(help).toMatch(/--keep-complete <duration>/);
  expect(help).not.toContain("undefined");
});
