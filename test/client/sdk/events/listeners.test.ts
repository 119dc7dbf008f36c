import { once } from "node:events";
import { expect, it } from "vitest";
import { Listeners } from "../../../../client/sdk/events/listeners.ts";
import { defer } from "../../../support/defer.ts";

/** What nobody catches from now on, instead of ending the test. */
async function uncaught(): Promise<unknown> {
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  defer(() => void others.forEach((other) => void process.on("uncaughtException", other)));
  const [error] = await once(process, "uncaughtException");
  return error;
}

it.each([
  ["at once", (error: Error) => fail(error)],
  ["later", async (error: Error) => fail(error)],
])("an error handler that fails %s is not told of itself", async (_, handler) => {
  const listeners = new Listeners<{ error: Error; new: string }>();
  listeners.on("error", handler);
  listeners.on("new", () => Promise.reject(new Error("one")));
  const outside = uncaught();
  listeners.emit("new", "x");
  expect(await outside).toMatchObject({ message: "one, again" });
});

it("an error handler that takes itself away was told all the same", () => {
  const listeners = new Listeners<{ error: Error }>();
  const told: unknown[] = [];
  const off = listeners.on("error", (error) => {
    told.push(error);
    off();
  });
  expect(["one", "two"].map((error) => listeners.tell(error))).toEqual([true, false]);
  expect(told).toEqual(["one"]);
});

function fail(error: Error): never {
  throw new Error(`${error.message}, again`);
}
