import { HubError } from "../../../shared/index.ts";
import { HubUnreachable } from "../../sdk/errors.ts";
import type { ErrorReport } from "./printer.ts";

/** What to print of an error: its sentence, a word for machines, and what else is known; of a defect, where it is. */
export function errorReport(error: unknown): ErrorReport {
  const { code, details, task } = error as { code?: unknown; details?: unknown; task?: unknown };
  if (!(error instanceof Error) || typeof code !== "string") {
    return { error: error instanceof Error && error.stack ? error.stack : String(error), code: "internal" };
  }
  const known = details ?? (task && { task });
  return { error: sentence(error), code, ...(known !== undefined && { details: known }) };
}

function sentence(error: Error): string {
  if (error instanceof HubError) return [error.message, ...whatNext(error)].join("; ");
  if (!(error instanceof HubUnreachable)) return error.message;
  const why = behind(error.cause);
  return why === undefined ? error.message : `${error.message} (${why})`;
}

/** Who holds the task that the hub's sentence is about, or which command leads on. */
function whatNext({ code, details = {} }: HubError): string[] {
  const { id, status, attempt, claimed_by, waits_for } = details;
  if (code === "not_a_task" && id) return [`\`coord complete ${id}\` acknowledges it`];
  if (code === "not_ready" && waits_for) return [`\`coord get ${id}\` says for which`];
  const isTask = attempt !== undefined;
  if (code !== "wrong_status" || !isTask) return [];
  if (status === "pending") return [`nobody holds it: \`coord claim ${id}\` takes it`];
  if (status === "in_progress") return claimed_by ? [`${claimed_by} holds it`] : [];
  if (status === "complete") return [`\`coord get ${id}\` shows its result`];
  return [`\`coord get ${id}\` says why, \`coord retry ${id}\` has it tried again`];
}

/** What became of a request or of a line, where that says more than that nobody answered. */
function behind(cause: unknown): string | undefined {
  if (typeof cause === "string") return cause;
  if (!(cause instanceof Error)) return undefined;
  const { code, message } = telling(cause);
  return code === "ECONNREFUSED" ? undefined : message;
}

/** What lies behind a failed request: `fetch failed` itself says nothing, and has no code. */
function telling(error: Error & { code?: string }): Error & { code?: string } {
  return error.code === undefined && error.cause instanceof Error ? telling(error.cause) : error;
}
