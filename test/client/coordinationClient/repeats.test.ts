/** Calls whose answer was lost happen once. */
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  claimTask,
  completeTask,
  deleteMessage,
  getAllMessages,
  getMessage,
  sendTask,
} from "../../../client/coordinationClient/index.ts";
import { Repeats } from "../../../client/coordinationClient/repeats.ts";
import { HubError } from "../../../client/sdk/index.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { EXAMPLES } from "./document.ts";
import { Program } from "./program.ts";
import { become, losingFirstAnswer, post, read } from "./support.ts";

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
});

afterEach(() => vi.unstubAllEnvs());

const allOf = async (task: string) => (await getAllMessages()).filter((message) => message.task === task);

describe("an answer that was lost on its way goes unnoticed:", () => {
  const broken = () => losingFirstAnswer(hub.url, (response) => response.destroy());

  test("sendTask", async () => {
    become(await broken(), "windows_frontend");
    const sent = await sendTask("once");
    expect(await allOf("once")).toEqual([sent]);
  });

  test("claimTask", async () => {
    const id = await post(hub.url, { task: "1" });
    become(await broken(), "server_backend");
    expect(await claimTask(id)).toMatchObject({ status: "in_progress", attempt: 1 });
  });

  test.each(["complete", "failed"] as const)("completeTask, %s", async (status) => {
    const id = await post(hub.url, { task: "1" });
    become(hub.url, "server_backend");
    await claimTask(id);
    become(await broken(), "server_backend");
    expect(await completeTask(id, "ok", status)).toMatchObject({ status });
  });

  test("completeTask, failed, without a claim; another failure is not this one", async () => {
    const id = await post(hub.url, { task: "1" });
    become(await broken(), "server_backend");
    expect(await completeTask(id, "no", "failed")).toMatchObject({ status: "failed", error: "no" });
    await expect(completeTask(id, "other", "failed")).rejects.toThrow("Task is failed: fail is not possible");
  });

  test("deleteMessage", async () => {
    const id = await post(hub.url, { task: "1" });
    become(await broken(), "server_backend");
    expect(await deleteMessage(id)).toBe(true);
  });
});

test("what was never there was not deleted, although no hub listened at first", async () => {
  const process = await HubProcess.start();
  become(process.url, "windows_frontend");
  await process.kill();
  const deleted = deleteMessage("nothing");
  await startHub({ port: process.port, db: process.db });
  expect(await deleted).toBe(false);
});

test("a restart of the hub goes unnoticed", async () => {
  const process = await HubProcess.start();
  become(process.url, "windows_frontend");
  const { id } = await sendTask("before");
  await process.kill();
  const calls = [getMessage(id), sendTask("meanwhile")];
  await startHub({ port: process.port, db: process.db });
  await Promise.all(calls);
  expect((await getAllMessages()).map(({ task }) => task)).toEqual(["before", "meanwhile"]);
});

/** The hub has done it and says that it does not know. */
const uncertain = () =>
  losingFirstAnswer(hub.url, (response) => {
    const refusal = { success: false, error: "The database is being recovered", code: "storage_unavailable" };
    response.writeHead(503, { "content-type": "application/json" }).end(JSON.stringify(refusal));
  });

test("a claim that was not answered is claimed by asking again", async () => {
  const id = await post(hub.url, { task: "1" });
  become(await uncertain(), "server_backend");
  await expect(claimTask(id)).rejects.toThrow("The database is being recovered");
  expect(await claimTask(id)).toMatchObject({ status: "in_progress", attempt: 1 });
  expect(await completeTask(id, "ok")).toMatchObject({ status: "complete" });
});

test("a claim that was not answered is no reason to fail the task", async () => {
  const id = await post(hub.url, { task: "1" });
  become(await uncertain(), "server_backend");
  await expect(claimTask(id)).rejects.toThrow();
  expect(await completeTask(id, "not answered", "failed")).toEqual(await read(hub.url, id));
  expect(await read(hub.url, id)).toMatchObject({ status: "in_progress" });
});

test("the document's sendTaskWithRetry sends one message", async () => {
  const preamble = `import { sendTask, type CoordinationMessage } from './coordinationClient';\n`;
  const call = `console.log((await sendTaskWithRetry('retried')).id);\n`;
  const env = { COORDINATION_API_URL: await uncertain(), CLAUDE_ID: "windows_frontend" };
  const { code, stdout, stderr } = await Program.run(preamble + EXAMPLES.retry + call, { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  become(hub.url);
  expect((await allOf("retried")).map(({ id }) => id)).toEqual([stdout.trim()]);
});

test("the document's sendTaskWithRetry gives up with what went wrong", async () => {
  const preamble = `import { sendTask, type CoordinationMessage } from './coordinationClient';\n`;
  const call = `await sendTaskWithRetry('').catch((error) => console.log(error.message));\n`;
  const env = { COORDINATION_API_URL: hub.url, CLAUDE_ID: "windows_frontend" };
  const { stdout } = await Program.run(preamble + EXAMPLES.retry + call, { env });
  expect(stdout).toBe("task must not be empty\n");
});

describe("the same call asked again", () => {
  const lost = async (key: string): Promise<never> => {
    throw new Error(key);
  };
  const keyOf = (call: Promise<unknown>) => call.catch((error: Error) => error.message);

  test("has its key again when it was not answered, each key once", async () => {
    const repeats = new Repeats(() => 0);
    const keys = await Promise.all([1, 2].map(() => keyOf(repeats.once({ task: "a" }, lost))));
    const again = [0, 1, 2].map(() => repeats.once({ task: "a" }, async (key) => key));
    const [first, second, third] = await Promise.all(again);
    expect([first, second]).toEqual(keys);
    expect(keys).not.toContain(third);
    expect(new Set(keys).size).toBe(2);
  });

  test("has a new one when anything else is asked, or the hub refused it", async () => {
    const repeats = new Repeats(() => 0);
    const key = await keyOf(repeats.once({ task: "a" }, lost));
    expect(await repeats.once({ task: "b" }, async (other) => other)).not.toBe(key);
    let refusedKey = "";
    const refused = repeats.once({ task: "c" }, async (own) => {
      refusedKey = own;
      throw new HubError("invalid_params", "no");
    });
    await expect(refused).rejects.toThrow("no");
    expect(await repeats.once({ task: "c" }, async (own) => own)).not.toBe(refusedKey);
  });

  test("has a new one after a minute: then it is another wish", async () => {
    let now = 0;
    const repeats = new Repeats(() => now);
    const key = await keyOf(repeats.once({ task: "a" }, lost));
    now = 60_000;
    expect(await keyOf(repeats.once({ task: "a" }, lost))).toBe(key);
    now = 120_001;
    expect(await repeats.once({ task: "a" }, async (own) => own)).not.toBe(key);
  });
});
