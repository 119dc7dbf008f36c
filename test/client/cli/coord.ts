/**
 * `coord` for tests: the built file in a process of its own, or the same program inside this process, where a test
 * wants many commands, or a terminal.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { Interrupted } from "../../../client/cli/process/errors.ts";
import { main } from "../../../client/cli/program.ts";
import { defer } from "../../support/defer.ts";
import { repository } from "../../support/repository.ts";

const MAIN = `${repository}dist/bin/coord.mjs`;

interface Where {
  url?: string;
  as?: string;
  env?: Record<string, string>;
  /** What stdin says. */
  input?: string | Buffer;
  /** Whether stdin stays open after that. Only in a process of its own. */
  goesOn?: boolean;
  /** The file that stdout is. Only in a process of its own. */
  stdout?: string;
  /** The terminal's width; left out, there is none. Only inside this process. */
  columns?: number;
}

/** Settings of whoever runs the tests must not reach the command. */
function environment({ url, as, env }: Where): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(COORDINATION_|CLAUDE_ID$|NO_COLOR$)/.test(name));
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    ...(url !== undefined && { COORDINATION_API_URL: url }),
    ...(as !== undefined && { CLAUDE_ID: as }),
    ...env,
  };
}

/** A command under way, ended when the test ends. */
abstract class Coord {
  stdout = "";
  stderr = "";
  /** The exit code. */
  abstract readonly ended: Promise<number | null>;
  readonly #looks = new Set<() => void>();

  /** Sends a signal. @returns the exit code. */
  abstract end(signal?: Interrupted["signal"]): Promise<number | null>;

  /** Resolves when it has printed something like this. @throws Error when it ends before. */
  async prints(pattern: RegExp, on: "stdout" | "stderr" = "stdout"): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      const look = () => pattern.test(this[on]) && resolve();
      this.#looks.add(look);
      look();
    });
    const over = this.ended.then((code) => {
      if (!pattern.test(this[on]))
        throw new Error(`ended with ${code} before ${pattern}: ${this.stdout}${this.stderr}`);
    });
    await Promise.race([printed, over]);
  }

  /** Lines of JSON on stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; the assertion is the check
  get items(): any[] {
    const lines = this.stdout.split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  }

  protected add(on: "stdout" | "stderr", text: string): void {
    this[on] += text;
    for (const look of this.#looks) look();
  }
}

/** The built file in a process of its own. */
export class CoordProcess extends Coord {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[], where: Where = {}) {
    super();
    const stdout = where.stdout === undefined ? "pipe" : openSync(where.stdout, "w");
    const stdio = ["pipe", stdout, "pipe"] as const;
    this.child = spawn(process.execPath, [MAIN, ...args], { env: environment(where), stdio: [...stdio] });
    if (typeof stdout === "number") closeSync(stdout);
    this.ended = once(this.child, "close").then(([code]) => code);
    for (const on of ["stdout", "stderr"] as const) {
      this.child[on]?.setEncoding("utf8").on("data", (text: string) => this.add(on, text));
    }
    if (where.input !== undefined) this.child.stdin?.write(where.input);
    if (!where.goesOn) this.child.stdin?.end();
    defer(async () => {
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }

  end(signal: Interrupted["signal"] = "SIGINT"): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** The program inside this process. */
export class CoordInside extends Coord {
  readonly ended: Promise<number>;
  readonly #interruption = new AbortController();
  #insisted = () => {};

  constructor(argv: readonly string[], { columns, input = "", ...where }: Where = {}) {
    super();
    this.ended = main({
      argv,
      env: environment(where),
      stdin: () => Readable.from([Buffer.from(input)]),
      stdout: new Paper(columns, (text) => this.add("stdout", text)),
      stderr: new Paper(columns, (text) => this.add("stderr", text)),
      interrupted: this.#interruption.signal,
      onInsisted: (handler) => {
        this.#insisted = handler;
      },
      now: Date.now,
    });
    defer(() => this.end());
  }

  end(signal: Interrupted["signal"] = "SIGINT"): Promise<number> {
    if (this.#interruption.signal.aborted) this.#insisted();
    this.#interruption.abort(new Interrupted(signal));
    return this.ended;
  }
}

class Paper extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly #write: (text: string) => void;

  constructor(columns: number | undefined, write: (text: string) => void) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 0;
    this.#write = write;
  }

  override _write(text: string, _: BufferEncoding, done: () => void): void {
    this.#write(text);
    done();
  }
}

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** The one document on stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  json: any;
}

/** Runs a command to its end, in a process of its own. */
export const run = (args: readonly string[], where?: Where) => outcome(new CoordProcess(args, where));

/** Runs a command to its end, inside this process. */
export const runInside = (args: readonly string[], where?: Where) => outcome(new CoordInside(args, where));

async function outcome(coord: Coord): Promise<Outcome> {
  const code = await coord.ended;
  const { stdout, stderr } = coord;
  return {
    code,
    stdout,
    stderr,
    get json() {
      return JSON.parse(stdout);
    },
  };
}

/** The commands of one instance, inside this process: `const ada = shell(url, "ada"); await ada("inbox", "--json")`. */
export const shell =
  (url: string, as: string) =>
  (...args: string[]) =>
    runInside(args, { url, as });
