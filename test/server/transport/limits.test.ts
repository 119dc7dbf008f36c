/** Rates, bounds and the loop guard as callers meet them, over REST and on a socket. */
import { describe, expect, test } from "vitest";
import { http } from "../../support/http.ts";
import { startHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { FACES } from "./input/faces.ts";

const CHAT = { to_claude: "bob", task: "hello", type: "chat" };
const RATES = { changes: 3, reads: 2, windowMs: 600_000, limitsLocal: true };

describe.each(Object.entries(FACES))("over %s", (_kind, open) => {
  test("an instance that asks for too much is refused, with how long to wait; others are not", async () => {
    const hub = await startHub({ rates: RATES });
    const [ada, eve] = [await open(hub, { claude_id: "ada" }), await open(hub, { claude_id: "eve" })];
    const said = (from_claude: string) => ({ ...CHAT, from_claude });
    for (let i = 0; i < RATES.changes; i++) expect((await ada("send", said("ada"))).code).toBeUndefined();
    const refused = await ada("send", said("ada"));
    expect(refused).toMatchObject({ code: "rate_limited", details: { retry_after_ms: expect.any(Number), limit: 3 } });
    expect((await ada("heartbeat", { claude_id: "ada" })).code).toBe("rate_limited");
    expect((await ada("list", {})).result.count).toBe(RATES.changes);
    expect((await ada("stats", {})).code).toBeUndefined();
    expect((await ada("stats", {})).code).toBe("rate_limited");
    expect((await eve("send", said("eve"))).code).toBeUndefined();
  });

  test("without a word, the hub's own machine is not limited", async () => {
    const hub = await startHub({ rates: { ...RATES, limitsLocal: false } });
    const ada = await open(hub, { claude_id: "ada" });
    for (let i = 0; i < 10; i++) expect((await ada("send", { ...CHAT, from_claude: "ada" })).code).toBeUndefined();
  });

  test("what waits is bounded", async () => {
    const hub = await startHub({ bounds: { pending_per_recipient: 2, pending_per_sender: 3 } });
    const ada = await open(hub, { claude_id: "ada" });
    const send = (to_claude: string) => ada("send", { ...CHAT, from_claude: "ada", to_claude });
    for (const to of ["bob", "bob", "eve"]) expect((await send(to)).code).toBeUndefined();
    expect(await send("bob")).toMatchObject({ code: "recipient_full", details: { waiting: 2, limit: 2 } });
    expect(await send("eve")).toMatchObject({ code: "sender_full", details: { waiting: 3, limit: 3 } });
    expect((await ada("presence", { claude_id: "eve" })).result ?? "unknown").toBe("unknown");
  });

  test("two agents that answer each other for ever are stopped, until a person lets them go on", async () => {
    const hub = await startHub({ bounds: { chain_hops: 4 } });
    const agents = [await open(hub, { claude_id: "ada" }), await open(hub, { claude_id: "bob" })] as const;
    const person = await open(hub);
    let turn = 0;
    let last: { id: string; chain_id?: string } | undefined;
    const answerUntilStopped = async () => {
      for (;;) {
        const said = { ...CHAT, from_claude: "ada", ...(last && { reply_to: last.id }) };
        const { result, ...refused } = await (agents[turn % 2] as (typeof agents)[0])("send", said);
        if (refused.code) return refused;
        last = result.message ?? result.data;
        turn++;
      }
    };
    expect(await answerUntilStopped()).toMatchObject({ code: "loop_stopped", details: { hops: 5, limit: 4 } });
    expect(turn).toBe(5); // the first message, and four hops
    const chain_id = last?.chain_id as string;
    expect((await person("chain_lift", { chain_id, hops: 2 })).result).toEqual({ chain_id, hops: 4, limit: 6 });
    expect(await answerUntilStopped()).toMatchObject({ code: "loop_stopped", details: { chain_id, limit: 6 } });
    expect(turn).toBe(7);
    const { result } = await person("list", { chain_id });
    expect(result.count).toBe(6);
  });
});

test("REST says in seconds when to come back", async () => {
  const hub = await startHub({ rates: { ...RATES, changes: 1 } });
  const send = () => http(`${hub.url}/message`, { method: "POST", body: { ...CHAT, from_claude: "ada" } });
  expect((await send()).status).toBe(201);
  const { status, headers, body } = await send();
  expect(status).toBe(429);
  expect(headers["retry-after"]).toBe(`${Math.ceil(body.details.retry_after_ms / 1000)}`);
  expect(Number(headers["retry-after"])).toBeGreaterThan(500);
});

test("event streams count as reads", async () => {
  const hub = await startHub({ rates: { ...RATES, reads: 1 } });
  expect((await http(`${hub.url}/stats`)).status).toBe(200);
  const stream = await http(`${hub.url}/events`, { headers: { accept: "text/event-stream" } });
  expect([stream.status, stream.body.code]).toEqual([429, "rate_limited"]);
});

test("clients are told the bounds that hold here", async () => {
  const bounds = { pending_per_recipient: 7, pending_per_sender: 8, chain_hops: 9 };
  const hub = await startHub({ bounds });
  const { welcome } = await RawSocket.greet(hub.wsUrl);
  expect(welcome.limits).toMatchObject(bounds);
  expect((await http(hub.url)).body.data.limits).toMatchObject(bounds);
});
