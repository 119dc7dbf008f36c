/** `coord` as a process of its own, and inside this one where a terminal is needed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { main } from "../../../client/cli/program.ts";
import { defer } from "../../support/defer.ts";
import { repository } from "../../support/repository.ts";

const MAIN = `${repository}dist/client/cli/main.js`;

export interface Where {
  url?: string;
  as?: string;
  env?: Record<string, string>;
  /** What stdin says. */
  input?: string | Buffer;
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

/** A command under way; killed when the test ends. */
export class Coord {
  stdout = "";
  stderr = "";
  readonly child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  readonly #looks = new Set<() => void>();

  constructor(args: readonly string[], where: Where = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], { env: environment(where) });
    this.ended = once(this.child, "close").then(([code]) => code);
    this.#collect("stdout");
    this.#collect("stderr");
    this.child.stdin?.end(where.input);
    defer(async () => {
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Resolves when it has printed something like this. @throws Error when it ends before. */
  async prints(pattern: RegExp, on: "stdout" | "stderr" = "stdout"): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      const look = () => {
        if (pattern.test(this[on])) resolve();
      };
      this.#looks.add(look);
      look();
    });
    const over = this.ended.then((code) => {
      if (!pattern.test(this[on]))
        throw new Error(`ended with ${code} before ${pattern}: ${this.stdout}${this.stderr}`);
    });
    await Promise.race([printed, over]);
  }

  /** Sends a signal. @returns the exit code. */
  end(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }

  /** Lines of JSON on stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; the assertion is the check
  get items(): any[] {
    return this.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  #collect(on: "stdout" | "stderr"): void {
    this.child[on]?.setEncoding("utf8").on("data", (chunk: string) => {
      this[on] += chunk;
      for (const look of this.#looks) look();
    });
  }
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** The one document on stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  json: any;
}

/** Runs a command to its end, in a process of its own. */
export async function run(args: readonly string[], where: Where = {}): Promise<Outcome> {
  const coord = new Coord(args, where);
  const code = await coord.ended;
  return outcome(code, coord.stdout, coord.stderr);
}

/** The commands of one instance, inside this process: `const ada = shell(url, "ada"); await ada("inbox", "--json")`. */
export const shell =
  (url: string, as: string) =>
  (...args: string[]) =>
    runInside(args, { url, as });

export interface Terminal extends Where {
  /** Its width; undefined: no terminal. */
  columns?: number;
}

/** Runs a command to its end inside this process, on a terminal of our own. */
export async function runInside(argv: readonly string[], { columns, ...where }: Terminal = {}): Promise<Outcome> {
  const [stdout, stderr] = [new Screen(columns), new Screen(columns)];
  const code = await main({
    argv,
    env: environment(where),
    stdin: () => Readable.from([Buffer.from(where.input ?? "")]),
    stdout,
    stderr,
    interrupted: new AbortController().signal,
    now: Date.now,
  });
  return outcome(code, stdout.text, stderr.text);
}

class Screen extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns: number | undefined) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 0;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

const outcome = (code: number | null, stdout: string, stderr: string): Outcome => ({
  code,
  stdout,
  stderr,
  get json() {
    return JSON.parse(stdout);
  },
});
