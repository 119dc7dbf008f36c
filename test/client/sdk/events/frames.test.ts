import { expect, it } from "vitest";
import { type FrameEvents, FrameWriter, readFrame } from "../../../../client/sdk/connection/transports/frames.ts";
import type { Request } from "../../../../client/sdk/connection/transports/transport.ts";

const requests = (count: number): Request[] =>
  Array.from({ length: count }, (_, i) => ({ id: i + 1, operation: "get", params: { id: `m${i + 1}` } }));

function written(limits: { requests: number; bytes: number }, sent: readonly Request[], ack?: string) {
  const frames: string[] = [];
  const refused: { id: number; error: Error }[] = [];
  new FrameWriter(limits, (frame) => frames.push(frame)).write(sent, ack, (id, error) => refused.push({ id, error }));
  return { frames: frames.map((frame) => JSON.parse(frame)), texts: frames, refused };
}

const ROOMY = { requests: 1_000, bytes: 1_000_000 };

it("packs everything into one frame, the acknowledgement last", () => {
  const { frames } = written(ROOMY, requests(3), "c.1");
  expect(frames).toEqual([
    [
      { jsonrpc: "2.0", id: 1, method: "get", params: { id: "m1" } },
      { jsonrpc: "2.0", id: 2, method: "get", params: { id: "m2" } },
      { jsonrpc: "2.0", id: 3, method: "get", params: { id: "m3" } },
      { jsonrpc: "2.0", method: "ack", params: { cursor: "c.1" } },
    ],
  ]);
});

it("refuses alone what is no object of JSON's", () => {
  const odd = { id: 9, operation: "get", params: { toJSON: () => undefined } } as const;
  const { frames, refused } = written(ROOMY, [odd, ...requests(1)]);
  expect(refused).toMatchObject([{ id: 9, error: { name: "TypeError" } }]);
  expect(frames).toEqual([expect.objectContaining({ id: 1 })]);
});

it("sends one thing as it is, and nothing as nothing", () => {
  expect(written(ROOMY, requests(1)).frames).toEqual([expect.objectContaining({ id: 1 })]);
  expect(written(ROOMY, [], "c.1").frames).toEqual([expect.objectContaining({ method: "ack" })]);
  expect(written(ROOMY, []).frames).toEqual([]);
});

it("keeps frames below the limits of requests and of bytes", () => {
  const byCount = written({ requests: 4, bytes: 1_000_000 }, requests(10));
  expect(byCount.frames.map((frame) => frame.length)).toEqual([4, 4, 2]);
  const byBytes = written({ requests: 1_000, bytes: 2_000 }, requests(40));
  expect(byBytes.frames.flat().map(({ id }) => id)).toEqual(requests(40).map(({ id }) => id));
  for (const text of byBytes.texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2_000);
});

it("counts bytes, not characters, where it matters", () => {
  const wide = (characters: number) => [
    { id: 1, operation: "send", params: { task: "ü".repeat(characters) } } as const,
  ];
  const limits = { requests: 10, bytes: 11_024 };
  expect(written(limits, wide(4_900)).frames).toHaveLength(1);
  expect(written(limits, wide(5_100)).refused).toMatchObject([{ id: 1, error: { code: "too_large" } }]);
});

it("lets a request that cannot travel fail alone", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const [first, second] = requests(2) as [Request, Request];
  const { frames, refused } = written(ROOMY, [first, { ...second, params: circular }, { ...second, id: 3 }]);
  expect(frames.flat().map(({ id }) => id)).toEqual([1, 3]);
  expect(refused).toMatchObject([{ id: 2, error: { name: "TypeError" } }]);
});

it("reads what a frame holds in its order, and leaves alone what it does not know", () => {
  const heard: string[] = [];
  const events = new Proxy({} as FrameEvents, {
    get: (_, name) => (first: unknown) => heard.push(`${String(name)} ${JSON.stringify(first)}`),
  });
  const frame = [
    { jsonrpc: "2.0", id: 0, result: { cursor: "c" } },
    { jsonrpc: "2.0", method: "events", params: { after: "c" } },
    { jsonrpc: "2.0", id: 1, result: null },
    { jsonrpc: "2.0", method: "tomorrow", params: {} },
    { jsonrpc: "2.0", id: 2, error: { code: -32020, message: "Message not found", data: { code: "not_found" } } },
    { jsonrpc: "2.0", method: "closing", params: { code: 1012 } },
  ];
  expect(readFrame(JSON.stringify(frame), events)).toBe(true);
  expect(heard).toEqual([
    'welcomed {"cursor":"c"}',
    'page {"after":"c"}',
    "answered 1",
    "failed 2",
    'closing {"code":1012}',
  ]);
  expect(readFrame("<html>", events)).toBe(false);
});
