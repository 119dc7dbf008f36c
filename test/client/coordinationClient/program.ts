/** A TypeScript program that uses `./coordinationClient`, run in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { defer } from "../../support/defer.ts";
import type { Exit } from "../../support/processes.ts";
import { repository } from "../../support/repository.ts";
import { tempDir } from "../../support/tempDir.ts";

/** What the package gives as `coordination-hub/coordinationClient`. */
export const PACKAGE_FILE = `${repository}dist/client/coordinationClient/index.js`;
const PATIENCE_MS = 15_000;

/** Puts a program where its import of `./coordinationClient` finds the package's own file. @returns its path. */
export function place(code: string, folder = tempDir(), name = "program.ts"): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "coordinationClient.ts"), `export * from ${JSON.stringify(PACKAGE_FILE)};\n`);
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

interface ProgramOptions {
  /** Its whole environment, `PATH` apart. */
  env?: Record<string, string>;
}

export class Program {
  /** What it printed. */
  stdout = "";
  stderr = "";
  /** How it ended, once it has. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #looks = new Set<() => void>();

  private constructor(file: string, env: Record<string, string>) {
    const preload = new URL("./shortWaits.mjs", import.meta.url).href;
    const child = spawn(process.execPath, ["--import", preload, file], {
      env: { PATH: process.env.PATH ?? "", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdout.on("data", (chunk) => {
      this.stdout += chunk;
      for (const look of this.#looks) look();
    });
    child.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    child.stdin.on("error", () => {}); // it may end without reading
    this.#child = child;
    this.exited = once(child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** Starts a program; killed when the test ends. */
  static start(code: string, { env = {} }: ProgramOptions = {}): Program {
    const file = place(code);
    const outfile = file.replace(/ts$/, "mjs");
    buildSync({
      entryPoints: [file],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      external: [PACKAGE_FILE],
    });
    const program = new Program(outfile, env);
    defer(() => {
      program.kill();
      return program.exited;
    });
    return program;
  }

  /** Runs a program until it ends by itself. */
  static async run(code: string, options?: ProgramOptions): Promise<Exit & { stdout: string; stderr: string }> {
    const program = Program.start(code, options);
    const exit = await program.exited;
    return { ...exit, stdout: program.stdout, stderr: program.stderr };
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until it has printed something. */
  printed(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const missing = () => settle(new Error(`it did not print ${text}:\n${this.stdout}\n${this.stderr}`));
      const look = () => this.stdout.includes(text) && settle();
      const timer = setTimeout(missing, PATIENCE_MS);
      this.#looks.add(look);
      void this.exited.then(missing);
      look();
    });
  }

  /** Writes a line to its input. */
  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }
}
