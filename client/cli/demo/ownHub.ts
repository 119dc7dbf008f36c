import type { Outside } from "../process/outside.ts";
import type { Cleanup } from "./cleanup.ts";
import { Process } from "./process.ts";
import { GRACE_MS } from "./roles.ts";

/** A hub of the demo's own, on a free port. */
interface OwnHub {
  readonly url: string;
  readonly pid: number;
}

/** @throws Failed when it does not start. */
export async function startHub(db: string, { env }: Outside, cleanup: Cleanup): Promise<OwnHub> {
  const where = ["--host", "127.0.0.1", "--port", "0", "--db", db];
  const how = ["--lease-grace-ms", `${GRACE_MS}`, "--log-level", "error"];
  const process = new Process("hub.mjs", [...where, ...how], withoutSettings(env));
  cleanup.defer(() => process.end("SIGTERM"));
  return { url: await process.prints(/listening\s+(http\S+)/), pid: process.pid };
}

/** Settings of another hub must not reach this one. */
const withoutSettings = (env: Outside["env"]) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("COORDINATION_")));
