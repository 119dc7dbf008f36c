import { describe, expect, it } from "vitest";
import type { Hub } from "../../../client/sdk/index.ts";
import { startHub } from "../../support/hub.ts";
import { join } from "./support.ts";

describe.each(["websocket", "long_poll"] as const)("templates over %s", (transport) => {
  it("are methods like every operation, and a macro's result is that of its last step", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada", transport }), await join(url, { as: "bob", transport })];
    const parameters = { type: "object", properties: { a: { type: "integer" }, b: { type: "integer", default: 2 } } };
    await ada.templatePut({ name: "add", parameters, message: { to_claude: "bob", task: "{{a}} + {{b}}" } });
    await ada.templatePut({
      name: "sums",
      steps: [
        { key: "first", template: "add", params: { a: 1 } },
        { key: "second", template: "add", params: { a: 3 }, after: ["first"] },
      ],
    });
    expect(await ada.templateGet({ name: "add" })).toMatchObject({ name: "add", updated_by: "ada", parameters });
    expect((await ada.templateList()).templates.map(({ name }) => name)).toEqual(["add", "sums"]);
    const worker = bob.work(({ task }) => String(task.split(" + ").reduce((sum, n) => sum + Number(n), 0)));
    const one = await ada.send({ template: "add", params: { a: 40 } });
    expect([one.messages, (await one.result()).result]).toEqual([undefined, "42"]);
    const sums = await ada.send({ template: "sums" });
    expect(sums.messages?.map(({ task }) => task)).toEqual(["1 + 2", "3 + 2"]);
    expect((await sums.result()).result).toBe("5");
    await worker.close();
    expect(await ada.templateDelete({ name: "add" })).toEqual({ name: "add", deleted: true });
    await expect(ada.send({ template: "add" })).rejects.toMatchObject({ code: "not_found" });
  });
});

/** Checked by the compiler, never called. */
const types = (hub: Hub): unknown[] => {
  return [
    hub.send({ to_claude: "bob", task: "x" }),
    hub.send({ template: "t" }),
    hub.send({ template: "t", params: { a: [1] }, to_claude: "bob", priority: "low" }),
    // @ts-expect-error a message without a template says what is to be done
    hub.send({ to_claude: "bob" }),
    // @ts-expect-error parameters go with a template
    hub.send({ to_claude: "bob", task: "x", params: {} }),
    // @ts-expect-error a chat is said in full
    hub.chat("bob", "hi", { template: "t" }),
  ];
};

it("a send says a template, or itself in full", () => {
  expect(types).toBeTypeOf("function");
});
