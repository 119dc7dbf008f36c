/** The documents tell the truth: a real hub answers every operation, on both transports, as they say. */
import { expect, test } from "vitest";
import { ERRORS } from "../../shared/errors.ts";
import {
  OPERATION_NAMES,
  OPERATIONS,
  type Operation,
  type OperationName,
  type Result,
} from "../../shared/operations/index.ts";
import { type HttpResponse, http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { EXAMPLES } from "./examples.ts";
import { restRequest } from "./rest.ts";
import { faults, place } from "./schemaCheck.ts";

type Step = [name: OperationName, params: (id: string) => Record<string, unknown>, status?: number];

const { to_claude, ...said } = EXAMPLES.send.params;

/** Each step is about the message that was sent last. */
const STORY: Step[] = [
  ["send", () => ({ ...said, to_claude }), 201],
  ["send", () => ({ ...said, to_claude }), 200],
  ["get", (id) => ({ id })],
  ["list", () => EXAMPLES.list.params],
  ["claim", (id) => ({ id, claim_key: "k" })],
  ["release", (id) => ({ id, attempt: 1 })],
  ["claim_next", () => ({ for_claude: to_claude, wait_ms: 10 })],
  ["received", (id) => ({ ids: [id] })],
  ["seen", (id) => ({ id })],
  ["extend", (id) => ({ id, attempt: 2, lease_ms: 60_000 })],
  ["progress", (id) => ({ id, attempt: 2, percent: 40, note: "half" })],
  ["get", (id) => ({ id })],
  ["attempts", (id) => ({ id })],
  ["receipts", (id) => ({ id })],
  ["complete", (id) => ({ id, attempt: 2, result: "done" })],
  ["claim_next", () => ({ for_claude: to_claude })],
  ["send", () => ({ from_claude: "a", to_claude, task: "another", priority: "high", max_attempts: 1 }), 201],
  ["chain_lift", (id) => ({ chain_id: id, hops: 5 })],
  ["update", (id) => ({ id, status: "in_progress" })],
  ["fail", (id) => ({ id, error: "broken", retryable: true })],
  ["retry", (id) => ({ id })],
  ["cancel", (id) => ({ id, reason: "no need" })],
  ["retry_failed", () => ({ failure: "cancelled" })],
  ["attempts", (id) => ({ id })],
  ["heartbeat", () => EXAMPLES.heartbeat.params],
  ["presence", () => ({})],
  ["events", () => ({ after: "start", wait_ms: 10 })],
  ["delete", (id) => ({ id })],
  ["events", () => ({ after: "start", limit: 500 })],
  ["schedule_put", () => EXAMPLES.schedule_put.params],
  ["schedule_get", () => ({ name: "nightly" })],
  ["schedule_list", () => ({ limit: 10 })],
  ["schedule_delete", () => ({ name: "nightly" })],
  ["template_put", () => EXAMPLES.template_put.params],
  ["template_get", () => EXAMPLES.template_get.params],
  ["template_list", () => ({})],
  ["send", () => ({ from_claude: "a", template: "scrape", params: { feed: "rss" } }), 201],
  ["template_put", () => ({ name: "both", steps: [{ key: "a", template: "scrape", params: { feed: "x" } }] })],
  ["send", () => ({ from_claude: "a", template: "both" }), 201],
  ["template_delete", () => EXAMPLES.template_delete.params],
  ["stats", () => ({})],
  ["info", () => ({})],
];

test("the story asks every operation", () => {
  expect(new Set(STORY.map(([name]) => name))).toEqual(new Set(OPERATION_NAMES));
});

test("REST answers as openapi.json says", async () => {
  const hub = await startHub();
  let id = "";
  for (const [name, params, expected = 200] of STORY) {
    const { status, body } = await ask(hub, name, params(id));
    expect(status, name).toBe(expected);
    expect(faults(place.answer(name, status), body), name).toBe("");
    if (name === "send") id = body.data.id;
  }
});

test("the socket answers as openrpc.json says, with nothing beside it", async () => {
  const hub = await startHub();
  const socket = await RawSocket.greet(hub.wsUrl, { claude_id: to_claude });
  let id = "";
  for (const [name, params] of STORY) {
    const result = await socket.request(name, params(id));
    expect(faults(place.result(name), result), name).toBe("");
    expect(OPERATIONS[name].result.parse(result), name).toEqual(result);
    if (name === "send") id = (result as Result<"send">).message.id;
  }
});

test("errors answer as openapi.json says", async () => {
  const hub = await startHub();
  const { body } = await ask(hub, "send", { ...said, to_claude });
  const { id } = body.data;
  const refused: [OperationName, Record<string, unknown>, keyof typeof ERRORS][] = [
    ["get", { id: "nope" }, "not_found"],
    ["list", { limit: 0 }, "invalid_params"],
    ["send", { ...said, to_claude, task: "other" }, "idempotency_conflict"],
    ["send", { ...said, to_claude, task: "x".repeat(70_000) }, "too_large"],
    ["release", { id }, "wrong_status"],
    ["complete", { id, attempt: 7 }, "lease_lost"],
    ["events", { after: "000000000000.7" }, "cursor_lost"],
  ];
  for (const [name, params, code] of refused) {
    const { status, body: answer } = await ask(hub, name, params);
    expect(answer).toMatchObject({ code });
    expect(status).toBe(ERRORS[code].http);
    expect(faults(place.answer(name, status), answer), code).toBe("");
  }
});

function ask(hub: TestHub, name: OperationName, params: Record<string, unknown>): Promise<HttpResponse> {
  const operation: Operation = OPERATIONS[name];
  const { path, query, headers, body } = restRequest(operation, params);
  const url = `${hub.origin}${path}?${new URLSearchParams(query)}`;
  if (operation.errors.includes("not_recipient")) headers["X-Claude-Id"] = to_claude as string;
  return http(url, { method: operation.rest.method, headers, body });
}
