import { expect, test } from "vitest";
import { parseTrace, unsyncedBefore } from "./strace.ts";

const hex = (text: string) => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
const WAL = hex("/tmp/hub.db-wal");
const SOCKET = hex("socket:[49947]");
const wal = (file: string) => file.endsWith("-wal");

const pwrite = (pid: number, text: string) =>
  `${pid} pwrite64(17<${WAL}>, "${hex(text)}", ${text.length}, 0) = ${text.length}`;
const send = (pid: number, text: string) =>
  `${pid} write(25<${SOCKET}>, "${hex(text)}", ${text.length}) = ${text.length}`;
const sync = (pid: number) => `${pid} fdatasync(17<${WAL}>) = 0`;

const trace = (...lines: string[]) => parseTrace(`${lines.join("\n")}\n`);
const dirty = (ops: ReturnType<typeof parseTrace>) =>
  unsyncedBefore(
    ops,
    ops.findIndex((op) => op.kind === "send"),
    wal,
  ).map((write) => write.bytes.toString());

test("reads writes, syncs and what is sent, also in pieces", () => {
  const vector = `[{iov_base="${hex("HTTP")}", iov_len=4}, {iov_base="${hex("/1.1")}", iov_len=4}]`;
  expect(trace(pwrite(2, "row"), sync(2), `1 writev(25<${SOCKET}>, ${vector}, 2) = 8`)).toEqual([
    { kind: "write", file: "/tmp/hub.db-wal", bytes: Buffer.from("row") },
    { kind: "sync", file: "/tmp/hub.db-wal", began: 1 },
    { kind: "send", bytes: Buffer.from("HTTP/1.1") },
  ]);
});

test("an answer after the sync is clean, before it is not", () => {
  expect(dirty(trace(pwrite(2, "row"), sync(2), send(1, "ok")))).toEqual([]);
  expect(dirty(trace(pwrite(2, "row"), send(1, "ok"), sync(2)))).toEqual(["row"]);
});

test("a failed sync, or one of another file, covers nothing", () => {
  const failed = `2 fdatasync(17<${WAL}>) = -1 EIO (Input/output error)`;
  const other = `2 fdatasync(18<${hex("/tmp/hub.db")}>) = 0`;
  expect(dirty(trace(pwrite(2, "row"), failed, other, send(1, "ok")))).toEqual(["row"]);
});

test("halves of interrupted calls are joined: a write counts from its beginning, a sync from its end", () => {
  const begun = [`2 fdatasync(17<${WAL}> <unfinished ...>`];
  const ended = ["2 <... fdatasync resumed>) = 0"];
  expect(dirty(trace(pwrite(2, "row"), ...begun, send(1, "ok"), ...ended))).toEqual(["row"]);
  expect(dirty(trace(pwrite(2, "row"), ...begun, ...ended, send(1, "ok")))).toEqual([]);
  const half = `3 pwrite64(17<${WAL}>, "${hex("late")}", 4, 0 <unfinished ...>`;
  expect(dirty(trace(half, send(1, "ok"), "3 <... pwrite64 resumed>) = 4"))).toEqual(["late"]);
});

test("a sync covers nothing that was written after it began", () => {
  const lines = [
    ...Array<string>(3).fill("1 +++ a line about something else +++"),
    pwrite(2, "row"),
    `2 fdatasync(17<${WAL}> <unfinished ...>`,
    pwrite(3, "late"),
    "2 <... fdatasync resumed>) = 0",
  ];
  expect(dirty(trace(...lines, send(1, "ok")))).toEqual(["late"]);
});

test("a short write counts what was taken; other descriptors and failures do not count", () => {
  const ops = trace(
    `1 write(25<${SOCKET}>, "${hex("abcdef")}", 6) = 2`,
    `1 write(5<${hex("pipe:[50450]")}>, "${hex("*")}", 1) = 1`,
    `1 write(25<${SOCKET}>, "${hex("abc")}", 3) = -1 EAGAIN (Resource temporarily unavailable)`,
    "1 +++ killed by SIGKILL +++",
  );
  expect(ops).toEqual([{ kind: "send", bytes: Buffer.from("ab") }]);
});

test("what a killed process had begun counts as done, except a sync", () => {
  const begunSend = `1 write(25<${SOCKET}>, "${hex("ok")}", 2 <unfinished ...>`;
  const begunSync = `2 fdatasync(17<${WAL}>) = ?`;
  expect(dirty(trace(pwrite(2, "row"), begunSync, begunSend))).toEqual(["row"]);
  expect(trace(begunSend)).toEqual([{ kind: "send", bytes: Buffer.from("ok") }]);
});
