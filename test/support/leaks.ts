/** Fails a test file that leaves a server, socket, worker or child process behind. */
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";

const kinds = new Set(["TCPServerWrap", "TCPSocketWrap", "PipeWrap", "ProcessWrap", "MessagePort"]);
const open = () =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.has(kind))
    .sort();

let before: string[];

beforeAll(() => {
  before = open();
});

afterAll(async () => {
  for (let i = 0; i < 50 && open().length > before.length; i++) await setTimeout(10);
  expect(open(), "left open by this file").toEqual(before);
});
