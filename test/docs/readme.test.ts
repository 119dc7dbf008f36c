/** What the README shows does what it says. */
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import type { Hub } from "../../client/sdk/index.ts";
import { Heard, join } from "../client/sdk/support.ts";
import { startHub } from "../support/hub.ts";
import { repository } from "../support/repository.ts";

const CHAT_RECEIVER = /```js\n(hub\.on\("new".*?)```/s.exec(readFileSync(`${repository}README.md`, "utf8"))?.[1];

test("the receiver of chats goes on when it cannot complete one", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob" })];
  const told = vi.spyOn(console, "error").mockReturnValue();
  bob.on("new", async ({ message: { id, task } }) => {
    if (task === "answered by another") await bob.complete({ id, result: "yes" });
  });
  await run(bob);
  await ada.chat("bob", "answered by another");
  await expect.poll(() => told.mock.calls).toMatchObject([[{ code: "wrong_status" }]]);
  const completed = new Heard(ada, "completed");
  const { id } = await ada.chat("bob", "hello");
  await completed.find(({ message }) => message.id === id);
});

test("the receiver of chats does not say that tasks are done", async () => {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob" })];
  await run(bob);
  const completed = new Heard(ada, "completed");
  const task = await ada.send({ to_claude: "bob", task: "run the tests" });
  const { id } = await ada.chat("bob", "hello");
  await completed.find(({ message }) => message.id === id);
  expect((await ada.get({ id: task.id })).status).toBe("pending");
});

const run = (hub: Hub): Promise<void> => new Function("hub", `return (async () => { ${CHAT_RECEIVER} })()`)(hub);
