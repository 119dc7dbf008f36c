import { setFlagsFromString } from "node:v8";
import { expect, it } from "vitest";
import { extended, fold, type Message } from "../../shared/index.ts";

setFlagsFromString("--allow-natives-syntax");
const haveSameClass = new Function("one", "other", "return %HaveSameMap(one, other)") as (
  one: object,
  other: object,
) => boolean;

/** Copies are made another way once it is known what they are made of. */
const WARM_UP = 100;

it("gives a copy more fields, undefined ones too, and leaves the object as it is", () => {
  const params = { id: "t1", attempt: undefined };
  expect(extended(params, { attempt: 2, result: undefined })).toStrictEqual({
    id: "t1",
    attempt: 2,
    result: undefined,
  });
  expect(params).toStrictEqual({ id: "t1", attempt: undefined });
});

it("gives all copies one hidden class", () => {
  const copy = (id: string) => extended(JSON.parse(`{"id":"${id}"}`), { result: "done" });
  for (let i = 0; i < WARM_UP; i++) copy("t1");
  expect(haveSameClass(copy("t2"), copy("t3"))).toBe(true);
});

it("gives messages that went the same way one hidden class", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const end = (id: string) => {
    const sent = JSON.parse(`{"id":"${id}","from_claude":"ada","to_claude":"bob","status":"pending"}`) as Message;
    const message = {
      id,
      from_claude: "ada",
      to_claude: "bob",
      type: "task",
      status: "complete",
      result: "5",
    } as const;
    return fold(sent, { seq: 3, kind: "completed", at, actor: "bob", message }) as Message;
  };
  for (let i = 0; i < WARM_UP; i++) end("t1");
  expect(haveSameClass(end("t2"), end("t3"))).toBe(true);
});
