/** The life of a chat: read, then acknowledged; only forwards, by whoever it is for, without lease or attempts. */
import { describe, expect, test } from "vitest";
import { decideDelete, decideDelivered } from "../../../server/core/decide.ts";
import type { MessageState } from "../../../server/core/message.ts";
import {
  ask,
  become,
  chat,
  claim,
  complete,
  fail,
  HUB,
  kinds,
  LEASE,
  MINUTE,
  NOBODY,
  NOW,
  name,
  refusal,
  release,
  run,
  wake,
} from "./support.ts";

const COMMANDS = { claim: claim(), complete: complete(), fail: fail(), release: release(), wake };

const read = become(chat(), claim(), { by: name("worker") });

const STATES: Record<string, MessageState> = {
  pending: chat(),
  in_progress: read,
  complete: become(read, complete()),
  failed: become(read, fail()),
};

const EXPECTED: Record<string, Record<keyof typeof COMMANDS, string>> = {
  pending: { claim: "claimed", complete: "completed", fail: "failed", release: "same", wake: "same" },
  in_progress: { claim: "same", complete: "completed", fail: "failed", release: "released", wake: "same" },
  complete: { claim: "wrong_status", complete: "same", fail: "wrong_status", release: "wrong_status", wake: "same" },
  failed: { claim: "wrong_status", complete: "wrong_status", fail: "same", release: "wrong_status", wake: "same" },
};

describe.each(Object.keys(STATES))("a chat that is %s", (status) => {
  const state = STATES[status] as MessageState;
  test.each(Object.entries(EXPECTED[status] as object))("%s: %s", (op, expected) => {
    const command = COMMANDS[op as keyof typeof COMMANDS];
    const refused = refusal(state, command, { by: name("worker") });
    if (refused) return expect(refused).toBe(expected);
    const decision = ask(state, command, { by: name("worker") });
    expect(kinds(decision).join() || "same").toBe(expected);
    if (expected === "same") expect(decision.next).toEqual(state);
  });

  test.each(["claim", "complete", "fail", "release"] as const)("%s is not for others, nor a repeat", (op) => {
    expect(refusal(state, COMMANDS[op], { by: name("mallory") })).toBe("not_recipient");
  });

  test("can be deleted", () => {
    expect(decideDelete("boss")).toEqual({ next: null, events: [{ kind: "deleted", actor: "boss" }] });
  });
});

test("the operation claim is for tasks only", () => {
  expect(refusal(chat(), { op: "claim", tasksOnly: true })).toBe("not_a_task");
});

test("of a pool, any member may acknowledge it; its sender, and whoever gives no name, may close any", () => {
  expect(become(chat({ to_claude: "@testers" }), complete(), { by: name("anyone") })).toMatchObject({
    status: "complete",
  });
  expect(become(chat(), complete(), { by: name(chat().from_claude) })).toMatchObject({ status: "complete" });
  expect(become(chat(), complete(), { by: NOBODY })).toMatchObject({ status: "complete" });
});

test("it has no lease, attempts or tries, and is never handed out", () => {
  for (const state of Object.values(STATES)) {
    expect(state).toMatchObject({ attempt: 0, lease_until: null, claim_rank: null, claimed_run: null, wake_at: null });
  }
});

test("reading it tells who reads it and that it was delivered", () => {
  expect(read).toMatchObject({ claimed_by: "worker", claimed_at: NOW, delivered_at: NOW });
  expect(become(chat(), claim(), { by: NOBODY })).toMatchObject({ claimed_by: "worker" });
  expect(become(chat({ to_claude: "*" }), claim(), { by: NOBODY })).toMatchObject({ claimed_by: null });
});

test("acknowledging it keeps the answer, and another answer is refused", () => {
  const done = become(chat(), complete(undefined, "thanks"), { at: NOW + 5 });
  expect(done).toMatchObject({ result: "thanks", completed_at: NOW + 5, delivered_at: NOW + 5, failure: null });
  expect(refusal(done, complete(undefined, "no thanks"))).toBe("wrong_status");
  expect(become(chat(), fail())).toMatchObject({ failure: "error", error: "broken" });
});

test("given back, it waits as if nobody had read it", () => {
  expect(become(read, release())).toMatchObject({ status: "pending", claimed_by: null, claimed_at: null });
});

test("a run that reads it holds nothing that could run out", () => {
  const state = become(chat({ timeout_ms: 1 }), claim(), { by: run("worker", "r1") });
  expect(state).toMatchObject({ claimed_run: null, lease_until: null, wake_at: null });
  expect(ask(state, wake, { by: HUB, at: NOW + LEASE.detachedMs }).events).toEqual([]);
});

describe("time", () => {
  const expiring = chat({ expires_at: NOW + MINUTE });

  test("one that nobody reads in time fails as expired", () => {
    expect(expiring.wake_at).toBe(NOW + MINUTE);
    expect(ask(expiring, wake, { by: HUB, at: NOW + MINUTE - 1 }).events).toEqual([]);
    const { next, events } = ask(expiring, wake, { by: HUB, at: NOW + MINUTE });
    expect(next).toMatchObject({ status: "failed", failure: "expired", completed_at: NOW + MINUTE, wake_at: null });
    expect(events).toEqual([{ kind: "failed", actor: null }]);
  });

  test("once read it does not expire; given back it does again", () => {
    const opened = become(expiring, claim());
    expect(opened.wake_at).toBeNull();
    expect(ask(opened, wake, { at: NOW + MINUTE }).events).toEqual([]);
    expect(become(opened, release()).wake_at).toBe(NOW + MINUTE);
  });

  test("it waits neither for others nor for a time", () => {
    const refused = (field: string) => expect.objectContaining({ code: "not_a_task", details: { field } });
    expect(() => chat({ after: ["id-2"] })).toThrow(refused("after"));
    expect(() => chat({ not_before: NOW + MINUTE })).toThrow(refused("not_before"));
  });
});

test("it is delivered once, and not after it was read", () => {
  const { next, events } = decideDelivered(chat(), "worker", NOW + 1);
  expect(next).toMatchObject({ status: "pending", delivered_at: NOW + 1 });
  expect(events).toEqual([{ kind: "delivered", actor: "worker" }]);
  expect(decideDelivered(next as MessageState, "worker", NOW + 2)).toEqual({ next, events: [] });
  expect(decideDelivered(read, "worker", NOW + 2)).toEqual({ next: read, events: [] });
});
