/** Failures and warnings that are no answer to a request. */
import type { Logger } from "pino";

export interface Report {
  /** Something has failed. @param what the hub was about. */
  failed(what: string, error: unknown): void;
  /** Nothing has failed, but whoever runs the hub should know. */
  warn(note: string): void;
}

export const reportTo = (logger: Logger): Report => ({
  failed: (what, error) => logger.error({ err: error }, `failed: ${what}`),
  warn: (note) => logger.warn(note),
});

/** Something that is done again and again: the same failure is told once, until another one comes or it works again. */
export class RepeatedWork {
  readonly #what: string;
  readonly #report: Report;
  #told: string | undefined;

  /** @param what the hub is about. */
  constructor(what: string, report: Report) {
    this.#what = what;
    this.#report = report;
  }

  failed(error: unknown): void {
    const said = String(error);
    if (said !== this.#told) this.#report.failed(this.#what, error);
    this.#told = said;
  }

  succeeded(): void {
    if (this.#told !== undefined) this.#report.warn(`works again: ${this.#what}`);
    this.#told = undefined;
  }
}
