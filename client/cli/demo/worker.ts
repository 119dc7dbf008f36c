/** A worker agent of the demo, in a process of its own: does the tasks of its role's pool, each naming a file to index. */
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { connect } from "../../sdk/index.ts";
import { indexFile } from "./fileIndex.ts";
import { PACE_MS, ROLE } from "./roles.ts";

const [url, as] = process.argv.slice(2) as [string, string];
process.once("disconnect", () => process.exit()); // nobody is left to work for

const hub = await connect({ url, as, about: { host: hostname(), roles: [ROLE] } });
hub.work(async ({ task, context = "." }) => {
  const [index] = await Promise.all([indexFile(join(context, task)), setTimeout(PACE_MS)]);
  return JSON.stringify(index);
});
process.send?.("ready");
