/** What is seen of the demo while it runs: lines that stay, and on a terminal bars below them that move. */
import { type GenericFormatter, MultiBar, type SingleBar } from "cli-progress";
import type { Layout, Printer } from "../output/printer.ts";
import { harmless } from "../output/sanitize.ts";
import { cut } from "../output/table.ts";
import type { Output } from "../process/outside.ts";
import type { Job, Jobs } from "./jobs.ts";

type Colour = "red" | "yellow" | "cyan" | "green";

export interface Screen {
  /** A line that stays. */
  say(mark: string, text: string, colour?: Colour): void;
  begin(total: number, workers: readonly string[]): void;
  /** @param job what has just moved on; `isEnded` when it has its result. */
  moved(jobs: Jobs, job: Job, isEnded: boolean): void;
  /** A worker is no more. */
  lost(worker: string): void;
  end(): void;
}

export function openScreen(print: Printer, stdout: Output): Screen {
  if (print.json) return SILENT;
  return stdout.isTTY ? new LiveScreen(stdout, print.layout) : new PlainScreen(stdout, print.layout);
}

const SILENT: Screen = { say: () => {}, begin: () => {}, moved: () => {}, lost: () => {}, end: () => {} };

const line = (mark: string, text: string, paint: (text: string) => string = (same) => same) =>
  paint(`${mark} ${harmless(text)}`);

const resultOf = ({ file, found, error }: Job) =>
  found ? `${file}  ${found.lines} lines  ${found.sha256.slice(0, 12)}…` : `${file}  ${error}`;

/** Lines only: for files, pipes and logs. */
class PlainScreen implements Screen {
  readonly #stdout: Output;
  readonly #layout: Layout;

  constructor(stdout: Output, layout: Layout) {
    this.#stdout = stdout;
    this.#layout = layout;
  }

  say(mark: string, text: string, colour?: Colour): void {
    this.#stdout.write(`${line(mark, text, colour && this.#layout.paint[colour])}\n`);
  }

  begin(): void {}

  moved(_: Jobs, job: Job, isEnded: boolean): void {
    if (isEnded) this.say("✓", `${resultOf(job)}  ${job.by}`);
  }

  lost(): void {}

  end(): void {}
}

/** A bar for the whole, a line for each worker; what is said scrolls above them. */
class LiveScreen implements Screen {
  readonly #bars: MultiBar;
  readonly #layout: Layout;
  readonly #workers = new Map<string, SingleBar>();
  #whole: SingleBar | undefined;

  constructor(stdout: Output, layout: Layout) {
    this.#layout = layout;
    const terminal = { stream: stdout, hideCursor: true, gracefulExit: false, forceRedraw: true };
    this.#bars = new MultiBar({ ...terminal, format: wholeLine(layout) });
  }

  say(mark: string, text: string, colour?: Colour): void {
    this.#bars.log(`${line(mark, text, colour && this.#layout.paint[colour])}\n`);
    this.#bars.update();
  }

  begin(total: number, workers: readonly string[]): void {
    this.#whole = this.#bars.create(total, 0);
    for (const name of workers) {
      const bar = this.#bars.create(total, 0, { name, last: "" }, { format: workerLine(this.#layout) });
      this.#workers.set(name, bar);
    }
  }

  moved(jobs: Jobs, job: Job, isEnded: boolean): void {
    this.#whole?.update(jobs.ended);
    if (job.by === undefined) return;
    const said = isEnded ? { last: resultOf(job) } : {};
    this.#workers.get(job.by)?.update(jobs.doneBy(job.by).length, said);
  }

  lost(worker: string): void {
    this.#workers.get(worker)?.update({ last: "killed" });
  }

  end(): void {
    this.#bars.stop();
  }
}

const BAR_COLUMNS = 30;

const wholeLine =
  ({ paint }: Layout): GenericFormatter =>
  (_, { value, total }) => {
    const done = Math.round((BAR_COLUMNS * value) / Math.max(1, total));
    return `  ${paint.green("█".repeat(done))}${paint.dim("░".repeat(BAR_COLUMNS - done))}  ${value} of ${total} files`;
  };

const workerLine =
  ({ paint, width }: Layout): GenericFormatter =>
  (_, { value }, { name, last }: { name: string; last: string }) => {
    const standing = `${`${value}`.padStart(3)} done  `;
    return `  ${paint.bold(name)}${standing}${cut(harmless(last), width - name.length - standing.length - MARGIN)}`;
  };

const MARGIN = 3;
