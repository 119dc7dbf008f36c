/** What the kernel says of a process and all its descendants. */
import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second in `/proc/PID/stat`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Stat {
  parent: number;
  /** User and system time of all threads, in seconds. */
  cpuSeconds: number;
}

/** Processor time used so far by a process tree, all threads, in seconds. Counted in steps of 10 ms. */
export const cpuSeconds = (root: number) => sum(tree(root).map((pid) => readStat(pid)?.cpuSeconds ?? 0));

/** Resident memory of a process tree, in bytes. */
export const residentBytes = (root: number) => sum(tree(root).map(residentOf));

function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of allProcesses()) {
    const parent = readStat(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

const allProcesses = () => readdirSync("/proc").map(Number).filter(Number.isInteger);

/** A process may end at any time, and then has nothing to tell. */
function readStat(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // the name before may hold anything
  return { parent: Number(fields[1]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND };
}

function residentOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return Number(kib ?? 0) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
