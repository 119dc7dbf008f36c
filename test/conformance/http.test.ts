/** What the log's readers over HTTP have beyond the common suite: parameters, headers, refusals. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../shared/event.ts";
import { http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { seededRandom } from "../support/random.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { visibleTo, Workers } from "./log.ts";

let hub: TestHub;
let all: Event[];
let epoch: string;
const at = (seq: number) => `${epoch}.${seq}`;

beforeAll(async () => {
  hub = await startHub();
  const workers = await Workers.start(hub, seededRandom());
  const origin = await workers.head();
  epoch = origin.split(".")[0] as string;
  await workers.work(40);
  await workers.finish();
  all = await workers.log(origin);
});

const events = (query: string, headers: Record<string, string> = {}) => http(`${hub.url}/events?${query}`, { headers });

/** The id of a stream's first record. */
async function firstId(query: string, headers: Record<string, string>): Promise<string | undefined> {
  const url = `${hub.url}/events?${query}`;
  const asked = request(url, { agent: false, headers: { accept: "text/event-stream", ...headers } }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  expect(response.headers).toMatchObject({ "content-type": "text/event-stream", "cache-control": "no-store" });
  const [chunk] = (await once(response, "data")) as [Buffer];
  asked.destroy();
  return /^id: (.*)$/m.exec(chunk.toString())?.[1];
}

test("`after=start` reads from the beginning", async () => {
  const { body } = await events("after=start");
  expect(body).toEqual({ success: true, data: { after: at(0), cursor: at(all.length), events: all } });
  expect(await firstId("after=start&limit=2", {})).toBe(at(2));
});

test("without a cursor says where the log stands, and nothing else", async () => {
  const position = { after: at(all.length), cursor: at(all.length), events: [] };
  for (const query of ["", "for=bob", "limit=1"]) expect((await events(query)).body.data).toEqual(position);
});

test("`limit` bounds a page, whose cursor leads to its last event", async () => {
  const { body } = await events("after=start&limit=3");
  expect(body.data).toEqual({ after: at(0), cursor: at(3), events: all.slice(0, 3) });
});

test("`for` says whose events, before the name of the caller", async () => {
  const seen = async (query: string, headers = {}) => (await events(`after=start${query}`, headers)).body.data.events;
  const bob = { "x-claude-id": "bob" };
  expect(await seen("&for=bob")).toEqual(all.filter(visibleTo("bob")));
  expect(await seen("", bob)).toEqual(all.filter(visibleTo("bob")));
  expect(await seen("&for=ada", bob)).toEqual(all.filter(visibleTo("ada")));
  expect(await seen("")).toEqual(all);
});

test.each([{}, { accept: "text/event-stream" }])(
  "a run with other roles is told so, and goes on from there, also where its log stands still (%o)",
  async (kind: Record<string, string>) => {
    const run = { "x-claude-id": "eve", "x-claude-run": `run-${Object.keys(kind).length}` };
    const { cursor } = (await events("", run)).body.data;
    const moved = { ...run, "x-claude-roles": "tester" };
    await events("kinds=", moved); // this only says that it is there
    expect((await events(`after=${cursor}`, run)).status).toBe(200);
    const told = await events(`after=${cursor}`, { ...moved, ...kind });
    expect([told.status, told.body.details]).toEqual([410, { reason: "filter_changed", cursor }]);
    expect((await events(`after=${cursor}`, moved)).status).toBe(200);
    expect((await events(`after=${at(0)}&for=bob`, run)).status).toBe(200);
    expect((await events(`after=${cursor}`, run)).body.details).toEqual({ reason: "filter_changed", cursor });
    expect((await events("after=start", moved)).body.data.events).toEqual(all.filter(visibleTo("eve")));
  },
);

test("`wait_ms` ends with an empty page when nothing came", async () => {
  const { body } = await events(`after=${at(all.length)}&wait_ms=1`);
  expect(body.data).toEqual({ after: at(all.length), cursor: at(all.length), events: [] });
});

describe.each([{}, { accept: "text/event-stream" }])("with headers %o", (headers: Record<string, string>) => {
  test.each([
    [
      "after",
      ["garbage", "", "start2", "0123456789ab", "0123456789ab.-1", "0123456789ab.01", "0123456789ab.1e3", "x.1"],
    ],
    ["limit", ["0", "-1", "501", "2.5", "many", "", "1e2"]],
    ["wait_ms", ["-1", "55001", "9999999999999999", "soon"]],
    ["for", ["", "*", "a b", "%00", "x".repeat(129)]],
    ["receives", ["1", "yes", "TRUE"]],
  ])("a %s that is none is refused, and named", async (field, values) => {
    for (const value of values) {
      const { status, body } = await events(`${field}=${value}`, headers);
      expect([status, body.code, body.details], value).toEqual([400, "invalid_params", { field }]);
    }
  });

  test("an unknown parameter is refused, and the nearest named", async () => {
    const { status, body } = await events("afterr=start", headers);
    expect([status, body.error]).toEqual([400, 'Unknown field: afterr (did you mean "after"?)']);
  });

  test("a cursor of another log is refused with the present one", async () => {
    const { status, body } = await events("after=0123456789ab.1", headers);
    expect([status, body.code]).toEqual([410, "cursor_lost"]);
    expect(body.details).toEqual({ reason: "epoch", cursor: at(all.length) });
  });
});

describe("a stream", () => {
  const last = () => at(all.length);

  test("goes on from `Last-Event-ID`, whatever `after` says", async () => {
    const headers = { "last-event-id": at(all.length - 2) };
    for (const after of ["after=start&limit=1", "after=0123456789ab.9&limit=1", "limit=1"]) {
      expect(await firstId(after, headers)).toBe(at(all.length - 1));
    }
  });

  test("goes on from `after` where `Last-Event-ID` is empty", async () => {
    expect(await firstId(`after=${at(all.length - 1)}`, { "last-event-id": "" })).toBe(last());
  });

  test("refuses a `Last-Event-ID` that is lost or none", async () => {
    const stream = { accept: "text/event-stream" };
    const lost = await events("after=start", { ...stream, "last-event-id": "0123456789ab.1" });
    expect([lost.status, lost.body.details.reason]).toEqual([410, "epoch"]);
    const none = await events("after=start", { ...stream, "last-event-id": "1" });
    expect([none.status, none.body.code]).toEqual([400, "invalid_params"]);
  });
});

describe("receipts of a poller", () => {
  test("a page has arrived when its run asks for what comes after it, and not before", async () => {
    const ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
    const as = (claude: string, run: string) => ({ "x-claude-id": claude, "x-claude-run": run });
    const poll = async (after: string, headers: Record<string, string>, receives = "true") =>
      (await events(`after=${after}&receives=${receives}`, headers)).body.data;
    /** Sends a message that a run polls, and lets somebody ask for what comes next. */
    const delivery = async (name: string, next: Record<string, string>, receives?: string, to_claude = name) => {
      const { cursor } = (await events("")).body.data;
      await poll(cursor, as(name, "run"), receives);
      const { message } = await ada.call("send", { to_claude, task: "t", type: "chat" });
      const page = await poll(cursor, as(name, "run"), receives);
      expect(page.events).toMatchObject([{ message: { id: message.id } }]);
      await poll(page.cursor, next, receives);
      return message.id;
    };
    const unproven = [
      await delivery("b5", as("b5", "another")),
      await delivery("b1", as("ada", "run")),
      await delivery("b2", { "x-claude-id": "b2" }),
      await delivery("b3", as("b3", "run"), "false"),
    ];
    const proven = await delivery("b4", as("b4", "run"));
    expect(await ada.event("delivered", proven)).toMatchObject({ actor: "b4" });
    const toAll = await delivery("b6", as("b6", "run"), "true", "*");
    expect(await ada.event("delivered", toAll)).toMatchObject({ actor: "b6" });
    for (const id of unproven) expect(await ada.call("get", { id })).not.toHaveProperty("delivered_at");
  });
});
