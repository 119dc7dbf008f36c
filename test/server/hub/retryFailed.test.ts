import { beforeEach, expect, test } from "vitest";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await startHub();
});

const post = async (path: string, body: object) =>
  (await http(`${hub.url}${path}`, { method: "POST", body })).body.data;
const send = async (more: object): Promise<string> =>
  (await post("/message", { from_claude: "ada", to_claude: "bob", task: "t", ...more })).id;
const fail = (id: string) => post(`/message/${id}/fail`, { error: "x" });

test("tasks that cannot be brought back keep none of those behind them from it", async () => {
  const [failed, retried] = [await send({}), await send({})];
  for (let i = 0; i < 3; i++) await send({ after: [failed] });
  const behind = await send({ after: [retried] });
  await fail(failed);
  await fail(retried);
  await post(`/message/${retried}/retry`, {});
  expect(await post("/retry", { failure: "dependency", limit: 2 })).toEqual({ count: 1, ids: [behind] });
});

test("no more are brought back than are asked for, however large they are", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) ids.push(await send({ context: "x".repeat(900_000) }));
  for (const id of ids) await fail(id);
  expect(await post("/retry", { failure: "error", limit: 3 })).toEqual({ count: 3, ids: ids.slice(0, 3) });
  expect(await post("/retry", { failure: "error" })).toEqual({ count: 1, ids: ids.slice(3) });
});
