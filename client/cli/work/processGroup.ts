/**
 * A command with everything that it starts: a process group of its own, which signals of our terminal do not reach, and
 * which ends as a whole. What has left the group (`setsid`) is out of reach.
 *
 * On Windows there are no groups and no SIGTERM: `taskkill` ends the tree at once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { CannotStart } from "../process/errors.ts";
import { groupIsAlive } from "./groupIsAlive.ts";

const hasGroups = process.platform !== "win32";

interface GroupOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text for stdin; the command need not read it. */
  readonly input: string;
  /** How long after SIGTERM what is left is killed, in milliseconds. */
  readonly killAfterMs: number;
  /** Are given what the command writes. */
  readonly onStdout: (bytes: Buffer) => void;
  readonly onStderr: (bytes: Buffer) => void;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether `stop` came before its end. */
  readonly stopped: boolean;
}

/** How often to check whether a group is gone. */
const LOOK_MS = 50;
/** How long killed processes may take to end, and pipes held by a process outside the group to close. */
const AFTER_KILL_MS = 1_000;

export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #killAfterMs: number;
  readonly #stopping = new AbortController();
  #killedAt = Number.POSITIVE_INFINITY;
  /** Settles when the command has ended, what it wrote was read, and nothing of its group is left. */
  readonly ended: Promise<Ended>;

  private constructor(child: ChildProcess, killAfterMs: number) {
    this.#child = child;
    this.#killAfterMs = killAfterMs;
    this.ended = this.#end();
  }

  /** @throws CannotStart */
  static async start(command: string, args: readonly string[], options: GroupOptions): Promise<ProcessGroup> {
    const { env, input, killAfterMs, onStdout, onStderr } = options;
    try {
      const child = spawn(command, args, { env: { ...env }, detached: hasGroups, windowsHide: true });
      const started = once(child, "spawn");
      child.stdout.on("data", onStdout);
      child.stderr.on("data", onStderr);
      child.stdin.on("error", () => {}); // it has not read all of it, which is its own business
      await started;
      child.on("error", () => {}); // a signal that came too late
      child.stdin.end(input);
      return new ProcessGroup(child, killAfterMs);
    } catch (error) {
      throw new CannotStart(`${command} cannot be started: ${(error as Error).message}`, { cause: error });
    }
  }

  /** The group's id. */
  get id(): number {
    return this.#child.pid as number;
  }

  /** Asks all of it to end, and kills later what did not. */
  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#kill(), this.#killAfterMs);
    void this.ended.finally(() => clearTimeout(timer));
  }

  async #end(): Promise<Ended> {
    const closed = once(this.#child, "close");
    const [code, signal] = (await once(this.#child, "exit")) as [number | null, NodeJS.Signals | null];
    const stopped = this.#stopping.signal.aborted;
    if (!stopped) await waitAtMost(closed, this.#killAfterMs, this.#stopping.signal); // what it left may still write
    this.stop();
    while (this.#mayLive() && (await groupIsAlive(this.id))) await sleep(LOOK_MS);
    await waitAtMost(closed, AFTER_KILL_MS);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    return { code, signal, stopped };
  }

  #mayLive(): boolean {
    return hasGroups && performance.now() < this.#killedAt + AFTER_KILL_MS;
  }

  #kill(): void {
    this.#killedAt = performance.now();
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (hasGroups) process.kill(-this.id, signal);
      else this.#endTree();
    } catch {
      // Nothing is left, or nothing that we may signal.
    }
  }

  #endTree(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    spawn("taskkill", ["/pid", `${this.id}`, "/T", "/F"], { stdio: "ignore", windowsHide: true }).on("error", () => {});
  }
}

/** Waits for something, but not for ever. */
async function waitAtMost(event: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = signal ? AbortSignal.any([over.signal, signal]) : over.signal;
  await Promise.race([event, sleep(ms, undefined, { signal: either }).catch(() => {})]);
  over.abort();
}
