/** What JavaScript lets a caller say although no type does is refused at once, and in words. */
import { expect, test } from "vitest";
import { type ConnectOptions, connect } from "../../../client/sdk/index.ts";
import { toConfig } from "../../../client/sdk/options.ts";
import { ManualClock } from "../../support/clock.ts";
import { startHub } from "../../support/hub.ts";
import { join } from "./support.ts";

const MS = "must be a number of milliseconds, from 0";
const NAME = /^as must be 1 to 128 of the characters/;

test.each<[object, string | RegExp]>([
  [{ transport: "polling" }, 'transport must be one of: auto, websocket, long_poll: "polling"'],
  [{ scope: "everything" }, 'scope must be one of: mine, all: "everything"'],
  [{ as: 5 }, "as must be a string"],
  [{ as: null }, "as must be a string"],
  [{ as: "" }, NAME],
  [{ as: "a b" }, NAME],
  [{ as: "ä" }, NAME],
  [{ url: "localhost:3000" }, /^url must begin with http/],
  [{ url: 5 }, /^url must begin with http/],
  [{ run: "" }, /^run must be 1 to 128 of the characters/],
  [{ token: 5 }, "token must be a string"],
  [{ client: {} }, "Missing field: client.name"],
  [{ client: "curl" }, "client must be an object"],
  [{ about: { rolles: ["tester"] } }, 'Unknown field: rolles in about (did you mean "roles"?)'],
  [{ about: { host: 5 } }, "about.host must be a string"],
  [{ resume: "yesterday" }, /^resume is not a cursor/],
  [{ presence: "yes" }, 'presence must be true or false: "yes"'],
  [{ receives: 1 }, "receives must be true or false: 1"],
  [{ keep_alive: "no" }, 'keep_alive must be true or false: "no"'],
  [{ timeout_ms: Number.NaN }, `timeout_ms ${MS}: NaN`],
  [{ timeout_ms: -5 }, `timeout_ms ${MS}: -5`],
  [{ call_timeout_ms: "5000" }, `call_timeout_ms ${MS}: "5000"`],
  [{ random: 0.5 }, "random must be a function: 0.5"],
  [{ clock: Date }, "clock must be an object with the methods now, after: a function"],
  [{ clock: { now: () => 0 } }, "clock must be an object with the methods now, after: an object"],
])("connect refuses %j", async (options, sentence) => {
  await expect(connect({ as: "ada", ...options })).rejects.toThrow(TypeError);
  await expect(connect({ as: "ada", ...options })).rejects.toThrow(sentence);
});

test.each([null, 5, "http://localhost:3000/api/coord", ["ada"]])("connect refuses %j for options", async (options) => {
  await expect(connect(options as never)).rejects.toThrow(/^the options must be an object, as { as: … }: /);
});

test("what all options may be is taken", () => {
  const options: Required<ConnectOptions> = {
    as: "ada",
    url: "https://example.org/api/coord",
    token: "secret",
    about: { host: "h", project: "p", roles: ["tester"], note: "" },
    client: { name: "test", version: "" },
    run: "r1",
    scope: "all",
    presence: true,
    receives: false,
    resume: "0123456789ab.7",
    timeout_ms: 0,
    call_timeout_ms: Number.POSITIVE_INFINITY,
    transport: "long_poll",
    keep_alive: false,
    random: () => 0,
    clock: new ManualClock(),
  };
  expect(toConfig(options)).toEqual(options);
  expect(toConfig({ as: undefined, timeout_ms: undefined } as object)).toMatchObject({ timeout_ms: 5_000 });
});

test("calls, waits and workers refuse options that there are not, or that are no time", async () => {
  const { url } = await startHub();
  const ada = await join(url, { as: "ada" });
  const wrong = (value: unknown) => value as never;
  const task = await ada.send({ to_claude: "bob", task: "x" });
  const timeout = 'there is no option timeout (did you mean "timeout_ms"?)';
  const refused: [Promise<unknown>, string][] = [
    [ada.call("stats", {}, wrong({ timeout: 5 })), timeout],
    [ada.stats({}, wrong(5)), "the options must be an object, as { timeout_ms: … }: 5"],
    [ada.presence({}, wrong({ timeout_ms: "5" })), `timeout_ms ${MS}: "5"`],
    [ada.send({ to_claude: "bob", task: "x" }, wrong({ timeout: 5 })), timeout],
    [task.result(wrong({ timeout: 100 })), timeout],
    [task.result(wrong(100)), "the options must be an object, as { timeout_ms: … }: 100"],
    [task.result({ timeout_ms: Number.NaN }), `timeout_ms ${MS}: NaN`],
    [task.reached("seen", { timeout_ms: -1 }), `timeout_ms ${MS}: -1`],
  ];
  for (const [call, sentence] of refused) await expect(call).rejects.toThrow(TypeError(sentence));
  const worker = ada.work(() => {}, { for: "carl" });
  expect(() => worker.close(wrong({ drain: 5 }))).toThrow(
    TypeError('there is no option drain (did you mean "drain_ms"?)'),
  );
  expect(() => worker.close({ drain_ms: -1 })).toThrow(TypeError(`drain_ms ${MS}: -1`));
  expect(() => ada.work(() => {}, { drain_ms: wrong("5") })).toThrow(TypeError(`drain_ms ${MS}: "5"`));
});
