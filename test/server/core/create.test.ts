/** How a message comes to be. */
import { expect, test } from "vitest";
import { create } from "../../../server/core/create.ts";
import { HubError } from "../../../shared/errors.ts";
import { BIRTH, chat, MINUTE, NOW, task } from "./support.ts";

test("a task waits, claimable at once, with the default tries and rest", () => {
  expect(task()).toMatchObject({
    id: "id-1",
    type: "task",
    status: "pending",
    created_at: NOW,
    updated_at: NOW,
    attempt: 0,
    max_attempts: 3,
    tries_left: 3,
    backoff_ms: 5_000,
    claim_rank: NOW,
    wake_at: null,
    delivered_at: null,
  });
});

test("the sender's wishes are kept", () => {
  const wishes = {
    context: "which",
    priority: "high",
    thread_id: "t",
    reply_to: "r",
    parent_id: "p",
    not_before: NOW + MINUTE,
    expires_at: NOW + 2 * MINUTE,
    timeout_ms: 7,
    max_attempts: 9,
    backoff_ms: 0,
    traceparent: "00-1-2-3",
  } as const;
  expect(task(wishes)).toMatchObject({ ...wishes, tries_left: 9 });
});

test("tries and rest that the sender leaves out are the hub's", () => {
  const said = { from_claude: "boss", to_claude: "worker", task: "scrape" };
  const birth = { ...BIRTH, defaults: { maxAttempts: 7, backoffMs: 1 } };
  expect(create(said, birth).next).toMatchObject({ max_attempts: 7, tries_left: 7, backoff_ms: 1 });
  const wishes = { max_attempts: 2, backoff_ms: 0 };
  expect(create({ ...said, ...wishes }, birth).next).toMatchObject({ ...wishes, tries_left: 2 });
  const untried = { max_attempts: 3, backoff_ms: 5_000 }; // not told
  expect(create({ ...said, type: "chat" }, birth).next).toMatchObject(untried);
});

test("it is born with one event, the sender's", () => {
  const said = { from_claude: "boss", to_claude: "worker", task: "scrape" };
  expect(create(said, BIRTH).events).toEqual([{ kind: "new", actor: "boss" }]);
});

test("only a chat can go to everyone", () => {
  expect(chat({ to_claude: "*" })).toMatchObject({ to_claude: "*", status: "pending" });
  expect(() => task({ to_claude: "*" })).toThrow(HubError);
  expect(() => task({ to_claude: "*" })).toThrow(expect.objectContaining({ code: "not_a_task" }));
});

test("what would expire before it can be done is refused", () => {
  const times = { not_before: NOW + MINUTE, expires_at: NOW + MINUTE };
  const refused = { code: "invalid_params", message: expect.stringMatching(/^not_before must be .* expires_at/) };
  expect(() => task(times)).toThrow(expect.objectContaining(refused));
  expect(task({ ...times, not_before: NOW + MINUTE - 1 }).status).toBe("pending");
});
