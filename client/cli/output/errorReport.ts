import { HubUnreachable } from "../../sdk/index.ts";
import type { ErrorReport } from "./printer.ts";

/** What to tell of an error: its sentence, a word for machines, and what else is known. */
export function errorReport(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { error: String(error), code: "internal" };
  const { code, details, task } = error as { code?: unknown; details?: unknown; task?: unknown };
  const known = details ?? (task && { task });
  return {
    error: sentence(error),
    code: typeof code === "string" ? code : "internal",
    ...(known !== undefined && { details: known }),
  };
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
