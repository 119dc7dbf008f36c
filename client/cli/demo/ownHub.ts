import type { Outside } from "../outside.ts";
import { Process } from "./process.ts";
import { GRACE_MS } from "./roles.ts";

/** A hub of the demo's own, on a free port. */
export interface OwnHub {
  readonly process: Process;
  readonly url: string;
}

/** @throws Failed when it does not start. */
export async function startHub(db: string, { env }: Outside): Promise<OwnHub> {
  const where = ["--host", "127.0.0.1", "--port", "0", "--db", db];
  const how = ["--lease-grace-ms", `${GRACE_MS}`, "--log-level", "error"];
  const process = new Process("server/main.js", [...where, ...how], withoutSettings(env));
  return { process, url: await process.prints(/listening\s+(http\S+)/) };
}

/** Settings of another hub must not reach this one. */
const withoutSettings = (env: Outside["env"]) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("COORDINATION_")));
