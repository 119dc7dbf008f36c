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
