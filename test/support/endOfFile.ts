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

/** For how many turns of 10 ms to wait for it to go: a connection that is kept alive goes after 5 s. */
function patience(kinds: string[]): number {
  if (kinds.length === 0) return 0;
  return kinds.every((kind) => kind === "TCPSocketWrap") ? 600 : 100;
}

beforeAll(() => {
  before = open();
});

afterAll(async () => {
  await closeAll();
  for (let i = 0; i < patience(left()); i++) await setTimeout(10);
  expect(left(), "left open by this file").toEqual([]);
});
