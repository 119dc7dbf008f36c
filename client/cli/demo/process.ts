import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { builtProgram } from "../process/builtProgram.ts";
import { Failed } from "../process/errors.ts";
import type { Outside } from "../process/outside.ts";

/** A child process that runs a built program. */
export class Process {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #complaints = "";

  /** @param entry its file. */
  constructor(entry: string, args: readonly string[], env: Outside["env"]) {
    this.#child = fork(builtProgram(entry), args, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#exit = once(this.#child, "close");
    this.#child.stderr?.on("data", (chunk) => {
      this.#complaints += chunk;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Waits for its first message. @throws Failed when it ends before. */
  async ready(): Promise<void> {
    await Promise.race([once(this.#child, "message"), this.#endsEarly()]);
  }

  /** Waits until it prints a line like this. @returns what the first group matched. @throws Failed when it ends before. */
  async prints(pattern: RegExp): Promise<string> {
    return await Promise.race([lineLike(pattern, this.#child.stdout as Readable), this.#endsEarly()]);
  }

  /** Sends a signal. @returns when it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#exit;
  }

  async #endsEarly(): Promise<never> {
    await this.#exit;
    throw new Failed(this.#complaints.trim() || "a process of the demo ended before it began");
  }
}

function lineLike(pattern: RegExp, stdout: Readable): Promise<string> {
  const lines = createInterface(stdout); // reads on to the end: a full pipe would stop the process
  return new Promise((resolve) => {
    lines.on("line", (line) => {
      const [, found] = pattern.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
}
