import { createHook } from "node:async_hooks";
import { expect, test } from "vitest";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import { HeldStore } from "./transport/heldStore.ts";

test("what needs no database is told while there is none, and nothing out of date is", async () => {
  const store = new HeldStore();
  const { origin, url } = await startHub({ store });
  const metrics = () => http(`${origin}/metrics`);
  await http(`${url}/message`, { method: "POST", body: { from_claude: "ada", to_claude: "bob", task: "t" } });
  const [before, counts] = [await metrics(), store.counts.bind(store)];
  expect(before.body).toContain('coordination_messages{status="pending"} 1\n');
  store.counts = () => Promise.reject(new Error("the disk is away"));
  const meanwhile = await metrics();
  expect(meanwhile).toMatchObject({ status: 200, body: expect.stringMatching(/^coordination_log_head 1$/m) });
  expect(meanwhile.body).not.toContain("coordination_messages{");
  store.counts = counts;
  expect((await metrics()).body).toContain('coordination_messages{status="pending"} 1\n');
});

test("how late the event loop is, is measured once somebody asks for metrics, and once only", async () => {
  const begun: string[] = [];
  const hook = createHook({ init: (_id, type) => type === "ELDHISTOGRAM" && begun.push(type) }).enable();
  try {
    const { origin } = await startHub();
    await http(`${origin}/readyz`);
    expect(begun).toHaveLength(0);
    for (let scrape = 0; scrape < 2; scrape++) await http(`${origin}/metrics`);
    expect(begun).toHaveLength(1);
  } finally {
    hook.disable();
  }
});
