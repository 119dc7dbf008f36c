import { describe, expect, it } from "vitest";
import { harmless, harmlessly } from "../../../client/cli/output/sanitize.ts";
import { span } from "../../../client/cli/output/time.ts";
import { parseDuration } from "../../../shared/index.ts";
import { startHub } from "../../support/hub.ts";
import { CoordInside, run, runInside, shell } from "./coord.ts";

/** Clears the screen, retitles the window, reddens, hides by reversing, and breaks the line. */
const HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31mred\u202egnp.exe\u2028next\r\u{e0041}";
const SHOWN = "\\x1b[2J\\x1b]0;owned\\x07\\x9b31mred\\u202egnp.exe\\u2028next\\x0d\\u{e0041}";

// biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the test
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
const COLOUR = /\x1b\[\d+m/g;

describe("text from agents", () => {
  it("is shown harmless, and given to programs as it is", async () => {
    const { url } = await startHub();
    const [ada, bob] = [shell(url, "ada"), shell(url, "bob")];
    const { json } = await ada("send", "bob", HOSTILE, "--context", HOSTILE, "--json");
    expect(json.message.task).toBe(HOSTILE);
    const watching = new CoordInside(["watch"], { url, as: "bob" });
    await watching.prints(/waiting/);
    for (const { stdout } of [
      await bob("inbox"),
      await bob("get", json.message.id),
      await run(["claim", json.message.id], { url, as: "bob" }),
      watching,
    ]) {
      expect(stdout).toContain(SHOWN);
      expect(stdout).not.toMatch(CONTROL);
    }
    const failing = new CoordInside(["send", "bob", "x", "--wait"], { url, as: "ada" });
    const next = await bob("next", "--wait", "10", "--json");
    await bob("fail", next.json.id, HOSTILE);
    await failing.ended;
    expect(failing.stderr).toContain(`error: ${SHOWN}`);
    expect(failing.stderr).not.toMatch(CONTROL);
  });

  it("keeps lines, tabs, emoji, and every script", () => {
    const text = "a\n\tb 👩‍👩‍👧 שלום مرحبا नमस्ते می‌خواهم";
    expect(harmless(text)).toBe(text);
    expect(harmless("a\r\nb")).toBe("a\nb");
    expect(harmlessly({ "\x1b": [{ deep: "\x07" }, 1, null] })).toEqual({ "\\x1b": [{ deep: "\\x07" }, 1, null] });
  });
});

describe("a terminal", () => {
  it("gets colours, unless NO_COLOR is set or it is none", async () => {
    const { url } = await startHub();
    await shell(url, "ada")("send", "bob", "x");
    const shown = async (columns?: number, env = {}) =>
      (await runInside(["list"], { url, env, ...(columns && { columns }) })).stdout;
    expect(await shown(100)).toMatch(COLOUR);
    expect(await shown(100, { NO_COLOR: "1" })).not.toMatch(COLOUR);
    expect(await shown()).not.toMatch(COLOUR);
    expect((await runInside(["list", "--json"], { url, columns: 100 })).stdout).not.toMatch(COLOUR);
  });

  it("gets columns that fit it, ids in full; elsewhere nothing is cut", async () => {
    const { url } = await startHub();
    const long = "word ".repeat(100).trim();
    const id = (await shell(url, "ada")("send", "bob", `${long}\n日本語`)).stdout.trim();
    const { stdout } = await runInside(["list"], { url, columns: 100 });
    for (const line of stdout.replace(COLOUR, "").split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(stdout).toContain(id);
    expect(stdout).toContain("…");
    expect((await runInside(["list"], { url })).stdout).toContain(`${long} 日本語\n`);
  });
});

describe("durations", () => {
  it.each([
    ["30", 30_000],
    ["1.5h", 5_400_000],
    ["500ms", 500],
    ["10m", 600_000],
    ["10min", 600_000],
    ["2d", 172_800_000],
    ["0", 0],
    ["-1", undefined],
    ["1 h", undefined],
    ["1w", undefined],
    ["", undefined],
  ])("%j", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    [0, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [21_700_000, "6 h"],
    [864_000_000, "10 d"],
  ])("%d ms", (ms, text) => expect(span(ms)).toBe(text));
});
