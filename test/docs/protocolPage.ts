/** The contract as one page for people: prose from a template, everything else from the contract itself. */
import { readFileSync } from "node:fs";
import { CLOSE } from "../../shared/closeCodes.ts";
import { LEASES, LIVENESS } from "../../shared/defaults.ts";
import { ERRORS } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { COMMON_ERRORS, OPERATION_NAMES } from "../../shared/operations/index.ts";
import { PROTOCOL_VERSION } from "../../shared/protocol.ts";
import { MISSED_AFTER_MS } from "../../shared/schedule.ts";
import { repository } from "../support/repository.ts";
import { ERROR_CODES } from "./errors.ts";
import { EXAMPLES } from "./examples.ts";
import { fieldTable, grouped, table } from "./markdown.ts";
import { AFTER_CLOSE, EVENT_MEANINGS, FAILURE_MEANINGS, LIMIT_MEANINGS, LOST_MEANINGS } from "./meanings.ts";
import { operationSection } from "./operationSection.ts";
import { contractSchemas, type Schema } from "./schemas.ts";
import { taskLife } from "./taskLife.ts";

const TEMPLATE = `${repository}test/docs/protocol.template.md`;

/** Types that get a table of their own; `hello` and its like stand in the prose. */
const TYPES = [
  ...[
    "Message",
    "Progress",
    "Attempts",
    "Attempt",
    "Receipts",
    "Receipt",
    "Received",
    "Retried",
    "Sent",
    "Recipient",
    "MessageList",
    "Deleted",
    "Stats",
    "Beat",
  ],
  ...["Page", "Event", "EventMessage", "Presence", "PresenceChanged", "Instance", "About", "Chain", "Info"],
  ...["Schedule", "MessageToSchedule", "ScheduledMessage", "ScheduleList", "ScheduleDeleted"],
  ...["Template", "TemplateMessage", "TemplateStep", "TemplateSummary", "TemplateList", "TemplateDeleted"],
];

/** Builds the page anew. @throws Error when the template names something that is not there. */
export function protocolPage(): string {
  const contract = contractSchemas();
  const type = (name: string) => fieldTable(contract.named[name] as Schema);
  const parts: Record<string, () => string> = {
    version: () => String(PROTOCOL_VERSION),
    hello: () => type("Hello"),
    welcome: () => type("Welcome"),
    closing: () => type("Closing"),
    page: () => JSON.stringify({ jsonrpc: "2.0", method: "events", params: EXAMPLES.events.result }),
    pageBody: () => JSON.stringify(EXAMPLES.events.result),
    cursor: () => EXAMPLES.events.result.cursor,
    restError: () => JSON.stringify({ success: false, error: "Message not found", code: "not_found" }),
    lease_grace_s: () => String(LEASES.grace_ms / 1_000),
    detached_minutes: () => String(LEASES.detached_ms / 60_000),
    fresh_min_s: () => String(LIVENESS.fresh_min_ms / 1_000),
    forget_days: () => String(LIVENESS.forget_ms / 86_400_000),
    lately_days: () => String(LIVENESS.lately_ms / 86_400_000),
    missed_seconds: () => String(MISSED_AFTER_MS / 1_000),
    taskLife,
    lostReasons: () => table(["reason", "what happened"], wordRows(LOST_MEANINGS)),
    eventKinds: () => table(["kind", "what happened"], wordRows(EVENT_MEANINGS)),
    failures: () => table(["failure", "what happened"], wordRows(FAILURE_MEANINGS)),
    closeCodes: () =>
      table(
        ["code", "reason", "the client"],
        Object.values(CLOSE).map(({ code, reason, client }) => [String(code), reason, AFTER_CLOSE[client]]),
      ),
    operations: () => OPERATION_NAMES.map((name) => operationSection(name, contract)).join("\n\n"),
    commonErrors: () => COMMON_ERRORS.map((code) => `\`${code}\``).join(", "),
    errors: () => table(["code", "HTTP", "JSON-RPC", "repeat?", "what to do"], ERROR_CODES.map(errorRow)),
    types: () => TYPES.map((name) => typeSection(name, contract.named[name] as Schema)).join("\n\n"),
    limits: () => table(["name", "at most", "of"], Object.entries(LIMIT_MEANINGS).map(limitRow)),
  };
  return readFileSync(TEMPLATE, "utf8").replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    if (name in LIMITS) return grouped(LIMITS[name as keyof typeof LIMITS]);
    if (name in LIVENESS) return String(LIVENESS[name as keyof typeof LIVENESS] / 1_000);
    const part = parts[name];
    if (!part) throw new Error(`the template names {{${name}}}, which nothing fills`);
    return part();
  });
}

const wordRows = (meanings: Record<string, string>) =>
  Object.entries(meanings).map(([word, meaning]) => [`\`${word}\``, meaning]);

const limitRow = ([name, of]: [string, string]) => [`\`${name}\``, grouped(LIMITS[name as keyof typeof LIMITS]), of];

function errorRow(code: keyof typeof ERRORS): string[] {
  const { http, rpc, retryable, action } = ERRORS[code];
  return [`\`${code}\``, String(http), String(rpc), retryable ? "yes" : "", action];
}

function typeSection(name: string, schema: Schema): string {
  return [`### ${name} object`, ...(schema.description ? [schema.description] : []), fieldTable(schema)].join("\n\n");
}
