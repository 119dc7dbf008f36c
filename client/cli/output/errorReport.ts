import { HubUnreachable } from "../../sdk/errors.ts";
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
  const cause = telling(error.cause);
  return cause === undefined || cause.code === "ECONNREFUSED" ? error.message : `${error.message} (${cause.message})`;
}

/** What lies behind a failed request: `fetch failed` itself says nothing, and has no code. */
function telling(error: unknown): (Error & { code?: string }) | undefined {
  if (!(error instanceof Error) || "code" in error) return error as Error | undefined;
  return telling(error.cause) ?? error;
}
