import { HubUnreachable } from "../../sdk/index.ts";
import type { ErrorReport } from "./printer.ts";

/** What to tell of an error: its sentence, a word for machines, and what else is known. Of a defect, where it is. */
export function errorReport(error: unknown): ErrorReport {
  const { code, details, task } = error as { code?: unknown; details?: unknown; task?: unknown };
  if (!(error instanceof Error) || typeof code !== "string") {
    return { error: error instanceof Error && error.stack ? error.stack : String(error), code: "internal" };
  }
  const known = details ?? (task && { task });
  return { error: sentence(error), code, ...(known !== undefined && { details: known }) };
}

function sentence(error: Error): string {
  if (!(error instanceof HubUnreachable)) return error.message;
  const cause = innermost(error.cause);
  return cause === undefined || cause.code === "ECONNREFUSED" ? error.message : `${error.message} (${cause.message})`;
}

/** What lies behind a failed request: `fetch failed` itself says nothing. */
function innermost(error: unknown): (Error & { code?: string }) | undefined {
  if (!(error instanceof Error)) return undefined;
  return innermost(error.cause) ?? error;
}
