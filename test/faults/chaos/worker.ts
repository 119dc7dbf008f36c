/**
 * One run of a worker, a process of its own: `worker.js URL NAME RUN POOL NOTES`. A task takes as many milliseconds as its
 * context says. Every other outcome it tells the hub itself and writes down the answer, before the SDK says the same.
 */
import { setTimeout } from "node:timers/promises";
import { connect, HubError } from "../../../client/sdk/index.ts";
import { writeNote } from "./notes.ts";
import { mayPoll } from "./reclaim.ts";

const [url = "", as = "", run = "", pool = "", notes = ""] = process.argv.slice(2);
process.stdin.on("end", () => process.exit(1)).resume(); // whoever started it is gone

const hub = await connect({
  ...{ url, as, run, about: { roles: [pool] } },
  timeout_ms: 60_000,
  transport: mayPoll(as) ? "auto" : "websocket",
  random: () => Math.random() / 5, // back soon: the lease is short
});
let asks = false;
hub.work(async ({ id, context }, { attempt }) => {
  writeNote(notes, { says: "begins", id, attempt });
  await setTimeout(Number(context));
  const result = `${id} by ${run} in ${attempt}`;
  writeNote(notes, { says: "gives", id, attempt, result });
  asks = !asks;
  if (asks) await complete(id, attempt, result);
  return result;
});
process.once("SIGTERM", async () => {
  await hub.close();
  process.stdin.destroy();
});
const online = () => writeNote(notes, { says: "online", at: Date.now() });
hub.on("state", ({ state }) => state === "online" && online());
online();

/** Of an answer that is lost it knows nothing: the SDK will insist. */
async function complete(id: string, attempt: number, result: string): Promise<void> {
  try {
    await hub.complete({ id, attempt, result });
    writeNote(notes, { says: "accepted", id, attempt, result });
  } catch (error) {
    if (error instanceof HubError) writeNote(notes, { says: "refused", id, attempt, code: error.code });
  }
}
