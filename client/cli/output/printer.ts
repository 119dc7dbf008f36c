/**
 * The one way out. A result goes to stdout: for machines as JSON, for people as a text. Everything else goes to stderr;
 * in a command of `coord work`, whose stdout is the task's result, so does the notice that something was done. Whatever
 * is shown to people is made harmless here, before it is laid out, so that no command can forget it.
 */
import pc from "picocolors";
import type { Output } from "../process/outside.ts";
import { harmless, harmlessly } from "./sanitize.ts";

type Paint = ReturnType<typeof pc.createColors>;

/** How a text for people is laid out. */
export interface Layout {
  readonly paint: Paint;
  /** Columns of the terminal; infinite where the output is none, so that nothing is cut. */
  readonly width: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface PrinterOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether machines read. */
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

export class Printer {
  readonly json: boolean;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #paint: Paint;
  readonly #paintErrors: Paint;
  readonly #now: () => number;
  readonly #doesTask: boolean;

  constructor({ stdout, stderr, json, env, now }: PrinterOptions) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#now = now;
    this.#doesTask = Boolean(env.COORDINATION_TASK_ID);
    const paint = (output: Output) => pc.createColors(output.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb");
    this.#paint = paint(stdout);
    this.#paintErrors = paint(stderr);
  }

  get layout(): Layout {
    return { paint: this.#paint, width: this.#stdout.columns || Number.POSITIVE_INFINITY, now: this.#now() };
  }

  /** A result, or one item of a stream of them: a line of JSON, or the text that `show` makes of its harmless copy. */
  result<T>(value: T, show: (value: T, layout: Layout) => string): void {
    this.#stdout.write(`${this.json ? JSON.stringify(value) : show(harmlessly(value), this.layout)}\n`);
  }

  /** That something was done, where there is nothing else to say. */
  confirmation<T>(value: T, show: (value: T, layout: Layout) => string): void {
    if (this.#doesTask && !this.json) this.notice(show(harmlessly(value), this.layout));
    else this.result(value, show);
  }

  /** Something for people besides the result. */
  aside(text: string): void {
    if (!this.json) this.notice(text);
  }

  /** Where a list goes on that was not printed in full. */
  more({ next }: { readonly next?: string | undefined }): void {
    if (next !== undefined) this.aside(`there is more: --next ${next}`);
  }

  /** Something that machines should know, too. */
  notice(text: string): void {
    this.#stderr.write(`${this.json ? JSON.stringify({ note: text }) : this.#paintErrors.dim(harmless(text))}\n`);
  }

  error(error: ErrorReport): void {
    const { red } = this.#paintErrors;
    this.#stderr.write(`${this.json ? JSON.stringify(error) : `${red("error:")} ${harmless(error.error)}`}\n`);
  }
}

/** An error as machines read it. */
export interface ErrorReport {
  /** A sentence for a person. */
  readonly error: string;
  readonly code: string;
  readonly details?: unknown;
}
