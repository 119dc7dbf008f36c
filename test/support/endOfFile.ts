/** Ends each test file: closes what it deferred, and fails it when a server, socket, worker or child process is left. */
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { closeAll } from "./defer.ts";

const kinds = new Set(["TCPServerWrap", "TCPSocketWrap", "PipeWrap", "ProcessWrap", "MessagePort"]);
const open = () =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.has(kind))
    .sort();

let before: string[];

/** What is open now and was not before; what an earlier file has left may go at any time. */
function left(): string[] {
  const known = [...before];
  return open().filter((kind) => {
    const at = known.indexOf(kind);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

beforeAll(() => {
  before = open();
});

afterAll(async () => {
  await closeAll();
  for (let i = 0; i < 600 && left().length > 0; i++) await setTimeout(10); // a connection kept alive goes after 5 s
  expect(left(), "left open by this file").toEqual([]);
});
