/** The largest that is legal, there and back byte for byte by every way that there is; and one byte more. */
import { beforeAll, describe, expect, test } from "vitest";
import { jsonBytes, LIMITS } from "../../../../shared/limits.ts";
import { CARRIERS } from "../../../conformance/readers.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { FACES, type Face } from "./faces.ts";

/** What grows when it is told as JSON, and what other languages trip over. */
const MIXED = '\u0000\u0001\u001f\u007f"\\/\n\r\t\u2028\u2029\ufeffé–👾\u{10ffff}e\u0301\u202e\ufffe';

/** Text of exactly so many JSON-encoded bytes. */
function filled(pattern: string, bytes: number): string {
  const text = pattern.repeat(Math.floor(bytes / jsonBytes(pattern)));
  return text + "x".repeat(bytes - jsonBytes(text));
}

const PATTERNS: Record<string, string> = {
  "control characters, six times as large in JSON": "\u0001",
  "characters of three bytes": "漢",
  "a bit of everything": MIXED,
};

let hub: TestHub;
beforeAll(async () => {
  hub = await startHub();
});

describe.each(Object.entries(PATTERNS))("%s", (_, pattern) => {
  const task = filled(pattern, LIMITS.task_bytes);
  const context = filled(pattern, LIMITS.context_bytes);
  const result = filled(pattern, LIMITS.result_bytes);
  const error = filled(pattern, LIMITS.error_bytes);
  const addresses = { from_claude: "ada", to_claude: "bob" };

  test.each(Object.keys(FACES))("at the limit come back unchanged over %s", async (face) => {
    const say = (await FACES[face]?.(hub)) as Face;
    const watcher = await RawSocket.greet(hub.wsUrl, { claude_id: "bob" });
    const sent = await say("send", { ...addresses, task, context });
    const { id } = sent.result.message;
    await say("update", { id, status: "complete", result, error });
    const { message } = await watcher.event("new", id);
    const { message: ended } = await watcher.event("completed", id);
    const { result: read } = await say("get", { id });
    const { result: list } = await say("list", { limit: 1, order: "desc" });
    const [listed] = list.data ?? list.messages;
    for (const { task: t, context: c } of [message, read, listed]) expect(t === task && c === context).toBe(true);
    for (const { result: r, error: e } of [ended, read, listed]) expect(r === result && e === error).toBe(true);
  });

  test.each(Object.keys(FACES))("one byte above are refused over %s", async (face) => {
    const say = (await FACES[face]?.(hub)) as Face;
    const { result: before } = await say("stats", {});
    const pending = await say("send", { ...addresses, task: "t" });
    const { id } = pending.result.message;
    const cases = [
      ["send", "task", { ...addresses, task: `${task}x` }, LIMITS.task_bytes],
      ["send", "context", { ...addresses, task, context: `${context}x` }, LIMITS.context_bytes],
      ["complete", "result", { id, result: `${result}x` }, LIMITS.result_bytes],
      ["fail", "error", { id, error: `${error}x` }, LIMITS.error_bytes],
      ["update", "result", { id, status: "complete", result: `${result}x` }, LIMITS.result_bytes],
    ] as const;
    for (const [operation, field, params, limit] of cases) {
      const refused = await say(operation, params);
      expect(refused).toEqual({
        code: "too_large",
        message: `${field} is longer than ${limit} bytes of JSON-encoded text`,
        details: { field, limit },
      });
    }
    const { result: after } = await say("stats", {});
    expect(after).toEqual({ ...before, total: before.total + 1, pending: before.pending + 1 });
  });
});

test("the largest there is fits a frame, alone in its page", async () => {
  const big = (bytes: number) => filled("\u0001", bytes);
  const reader = await CARRIERS[0]?.start(hub, { as: "cyd" });
  const socket = await RawSocket.greet(hub.wsUrl);
  const bodies = { task: big(LIMITS.task_bytes), context: big(LIMITS.context_bytes) };
  for (let i = 0; i < 3; i++) {
    const { message } = await socket.call("send", { from_claude: "ada", to_claude: "cyd", ...bodies });
    await socket.call("update", { id: message.id, status: "complete", result: big(LIMITS.result_bytes) });
  }
  for (let events = 0; events < 6; ) {
    const page = await reader?.nextPage();
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(LIMITS.frame_bytes);
    events += page?.events.length ?? 0;
  }
});
