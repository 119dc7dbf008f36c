/** Where one run of the benchmark works: a temporary folder and the processes it started. It leaves nothing behind. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface StartOptions {
  env?: Record<string, string>;
  /** Opens a channel for messages; only for Node programs. */
  ipc?: boolean;
}

/** A process of this run, and the file that holds what it printed. */
export interface Started {
  child: ChildProcess;
  logFile: string;
}

const STOP_MS = 5_000;

export class Workplace {
  readonly path = mkdtempSync(join(tmpdir(), "coordination-bench-"));
  readonly #children = new Set<ChildProcess>();
  #serial = 0;

  /** A new folder, on the same disk as everything else that is measured. */
  folder(name: string): string {
    const path = join(this.path, `${++this.#serial}-${name}`);
    mkdirSync(path);
    return path;
  }

  start(command: string, args: string[], { env = {}, ipc = false }: StartOptions = {}): Started {
    const logFile = join(this.path, `${++this.#serial}-${basename(command)}.log`);
    const log = openSync(logFile, "w");
    const stdio: StdioOptions = ipc ? ["ignore", log, log, "ipc"] : ["ignore", log, log];
    const child = spawn(command, args, { stdio, env: { ...process.env, NODE_ENV: "production", ...env } });
    closeSync(log);
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    child.once("error", () => this.#children.delete(child));
    return { child, logFile };
  }

  /** Starts a compiled module of the benchmark as a Node program that is asked over its channel. */
  fork(module: URL, options: StartOptions = {}): Started {
    return this.start(process.execPath, [fileURLToPath(module)], { ...options, ipc: true });
  }

  async stop(child: ChildProcess): Promise<void> {
    if (!this.#children.has(child)) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const late = await Promise.race([exit, sleep(STOP_MS, "late", { ref: false })]);
    if (late !== "late") return;
    child.kill("SIGKILL");
    await exit;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.stop(child)));
    this.abandon();
  }

  /** The last resort, when there is no time left to be polite. */
  abandon(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The last lines that a process printed: why it did not start. */
export const lastWords = (logFile: string) => readFileSync(logFile, "utf8").trim().split("\n").slice(-5).join("\n");
