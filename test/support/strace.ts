/**
 * What a process asks of the system, in the order that decides durability. A write counts from where it begins, a
 * sync from where it ends, because that is the least that is certain.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { HubProcess, type ProcessOptions } from "./processes.ts";
import { tempDir } from "./tempDir.ts";

export interface WriteOp {
  kind: "write";
  file: string;
  bytes: Buffer;
}

export interface SyncOp {
  kind: "sync";
  file: string;
  /** The index of the first operation that it need not cover, because it came after the sync began. */
  began: number;
}

/** What leaves through a socket. */
interface SendOp {
  kind: "send";
  bytes: Buffer;
}

export type Op = WriteOp | SyncOp | SendOp;

const CALLS = "pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg";

/**
 * Starts a hub under strace.
 *
 * @returns the hub, and `trace`, which gives what it did once it has ended.
 */
export async function straceHub(strace: string, options: ProcessOptions = {}) {
  const file = join(tempDir(), "trace.txt");
  // -D: the hub is our own child and strace only looks on, so that signals reach the hub itself
  const under = [
    strace,
    "-D",
    "-f",
    "--seccomp-bpf",
    "-y",
    "-xx",
    "-s",
    "8000000",
    "-e",
    `trace=${CALLS}`,
    "-e",
    "signal=none",
    "-o",
    file,
  ];
  const hub = await HubProcess.start({ ...options, under });
  const tracer = /^TracerPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${hub.pid}/status`, "utf8"))?.[1];
  const trace = async (): Promise<Op[]> => {
    await hub.exited;
    while (isRunning(tracer)) await setTimeout(5); // it writes the rest of its file when it ends
    return parseTrace(readFileSync(file, "latin1"));
  };
  return { hub, trace };
}

function isRunning(pid: string | undefined): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Of the writes before the operation at `index`, those to matching files that no finished sync covers. */
export function unsyncedBefore(ops: readonly Op[], index: number, matches: (file: string) => boolean): WriteOp[] {
  const syncs = ops.slice(0, index).filter((op) => op.kind === "sync");
  const covered = (write: WriteOp, at: number) => syncs.some((sync) => sync.file === write.file && at < sync.began);
  return ops
    .slice(0, index)
    .filter((op, at): op is WriteOp => op.kind === "write" && matches(op.file) && !covered(op, at));
}

/** Reads strace's lines; joins the halves of calls that another thread interrupted. */
export function parseTrace(text: string): Op[] {
  const ops: (Op | undefined)[] = [];
  const begun = new Map<string, { line: string; slot: number }>();
  for (const line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (rest.endsWith("<unfinished ...>")) {
      begun.set(pid, { line: rest.slice(0, -"<unfinished ...>".length), slot: ops.push(undefined) - 1 });
    } else if (resumed) {
      const half = begun.get(pid);
      begun.delete(pid);
      if (half) place(ops, half.slot, half.line + resumed[1]);
    } else {
      place(ops, ops.push(undefined) - 1, rest);
    }
  }
  for (const { line, slot } of begun.values()) place(ops, slot, `${line}) = ?`); // cut off by the end of the process
  return compact(ops);
}

/** Puts a write where it began; a sync, which holds only from its end, at the end. */
function place(ops: (Op | undefined)[], slot: number, call: string): void {
  const op = parseCall(call, slot);
  if (op?.kind === "sync") ops.push(op);
  else ops[slot] = op;
}

function compact(ops: readonly (Op | undefined)[]): Op[] {
  const before: number[] = [];
  let count = 0;
  for (const op of ops) {
    before.push(count);
    if (op) count += 1;
  }
  const moved = (op: Op) => (op.kind === "sync" ? { ...op, began: before[op.began] as number } : op);
  return ops.filter((op) => op !== undefined).map(moved);
}

function parseCall(call: string, slot: number): Op | undefined {
  const match = /^(\w+)\(\d+<((?:\\x[0-9a-f]{2}|[^>\\])*)>(.*)\) += (\d+|\?)/.exec(call);
  if (!match) return undefined; // failed, or not about a file
  const [, name, path, args, result] = match as unknown as [string, string, string, string, string];
  const file = unhex(path).toString();
  const known = result !== "?";
  if (name === "fsync" || name === "fdatasync") return known ? { kind: "sync", file, began: slot } : undefined;
  const bytes = Buffer.concat([...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => unhex(hex as string)));
  const done = known ? bytes.subarray(0, Number(result)) : bytes; // the killed process may have done all of it
  if (/^(socket|TCP|TCPv6|UNIX)/.test(file)) return { kind: "send", bytes: done };
  return file.startsWith("/") ? { kind: "write", file, bytes: done } : undefined;
}

const unhex = (text: string) =>
  text.startsWith("\\x") ? Buffer.from(text.replaceAll("\\x", ""), "hex") : Buffer.from(text);
